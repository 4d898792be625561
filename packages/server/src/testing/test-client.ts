/**
 * A client for tests: the guide's flow with the server's own WebRTC library,
 * in this process. It sends a moving picture and keeps what comes back.
 */
import type { Answer, ServerMessage } from "@everframe/protocol";
import wrtcModule from "@roamhq/wrtc";
import { type I420Frame, i420Length } from "../webrtc/media-peer.ts";

type Channel = {
  readyState: string;
  onopen: (() => void) | null;
  onmessage: ((event: { data: string }) => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
};
type Track = { kind: string; stop(): void };
type Connection = {
  connectionState: string;
  localDescription: { sdp: string };
  ontrack: ((event: { track: Track; streams: unknown[] }) => void) | null;
  onicecandidate: ((event: { candidate: { candidate: string; sdpMid: string } | null }) => void) | null;
  createDataChannel(label: string, options: object): Channel;
  addTrack(track: Track, stream: unknown): void;
  addTransceiver(kind: string, init: object): void;
  createOffer(): Promise<object>;
  setLocalDescription(offer: object): Promise<void>;
  setRemoteDescription(answer: object): Promise<void>;
  close(): void;
};
const wrtc = wrtcModule as unknown as {
  RTCPeerConnection: new (configuration: object) => Connection;
  MediaStream: new () => unknown;
  nonstandard: {
    RTCVideoSource: new () => { createTrack(): Track; onFrame(frame: I420Frame): void };
    RTCVideoSink: new (track: Track) => { onframe: ((event: { frame: I420Frame }) => void) | null; stop(): void };
  };
};

/** Sends a request to the server's application or over the network. */
export type Ask = (path: string, init?: RequestInit) => Response | Promise<Response>;

export type ClientOptions = {
  ask: Ask;
  /** The offer's `initialParameters`. */
  parameters?: object;
  /** Default "sendrecv" with a moving picture; "recvonly" sends none. */
  direction?: "sendrecv" | "recvonly";
  /** Picture sent, default 64x48 at 30 frames a second. */
  width?: number;
  height?: number;
  /** The picture of a moment: I420 bytes to fill. Default: grey that moves. */
  draw?: (data: Uint8Array, index: number) => void;
};

export class TestClient {
  readonly frames: I420Frame[] = [];
  readonly messages: ServerMessage[] = [];
  readonly sessionId: string;
  readonly #connection: Connection;
  readonly #channel: Channel;
  readonly #stop: () => void;
  #isChannelClosed = false;
  /** Whether the output came with `event.streams[0]`, as the guide's client needs it. */
  hadStream = false;
  received = 0;

  private constructor(connection: Connection, channel: Channel, sessionId: string, stop: () => void) {
    this.#connection = connection;
    this.#channel = channel;
    this.sessionId = sessionId;
    this.#stop = stop;
  }

  /** Connects; throws with the server's answer when it refuses. */
  static async connect(options: ClientOptions): Promise<TestClient> {
    const { ask, direction = "sendrecv", width = 64, height = 48 } = options;
    const connection = new wrtc.RTCPeerConnection({ iceServers: [] });
    const channel = connection.createDataChannel("parameters", { ordered: true });
    const source = new wrtc.nonstandard.RTCVideoSource();
    const track = source.createTrack();
    if (direction === "sendrecv") connection.addTrack(track, new wrtc.MediaStream());
    else connection.addTransceiver("video", { direction });
    const early: unknown[] = [];
    let client: TestClient | undefined;
    let sink: { onframe: unknown; stop(): void } | undefined;
    const received: ((frame: I420Frame) => void)[] = [];
    let hadStream = false;
    connection.ontrack = (event) => {
      hadStream = event.streams[0] !== undefined;
      const own = new wrtc.nonstandard.RTCVideoSink(event.track);
      own.onframe = ({ frame }) => {
        for (const take of received) take(frame);
      };
      sink = own;
    };
    connection.onicecandidate = ({ candidate }) => {
      if (candidate !== null) early.push({ candidate: candidate.candidate, sdpMid: candidate.sdpMid });
    };
    let index = 0;
    const draw = options.draw ?? ((data: Uint8Array, i: number) => data.fill((i * 5) % 200, 0, width * height));
    const timer = setInterval(() => {
      const data = new Uint8Array(i420Length(width, height)).fill(128);
      draw(data, index++);
      source.onFrame({ width, height, data });
    }, 33);
    const stop = () => {
      clearInterval(timer);
      sink?.stop();
      track.stop();
      connection.close();
    };
    try {
      await connection.setLocalDescription(await connection.createOffer());
      const body = { sdp: connection.localDescription.sdp, type: "offer", initialParameters: options.parameters };
      const response = await ask("/api/v1/webrtc/offer", { method: "POST", body: JSON.stringify(body) });
      if (!response.ok) throw new Error(await response.text());
      const answer = (await response.json()) as Answer;
      client = new TestClient(connection, channel, answer.sessionId, stop);
      const made = client;
      received.push((frame) => {
        made.received += 1;
        made.frames.push(frame);
        if (made.frames.length > 30) made.frames.shift();
      });
      channel.onmessage = ({ data }) => made.messages.push(JSON.parse(data) as ServerMessage);
      channel.onclose = () => {
        made.#isChannelClosed = true;
      };
      await connection.setRemoteDescription({ type: answer.type, sdp: answer.sdp });
      client.hadStream = hadStream;
      await sleep(100); // gathers
      await ask(`/api/v1/webrtc/offer/${answer.sessionId}`, {
        method: "PATCH",
        body: JSON.stringify({ candidates: early }),
      });
      return client;
    } catch (error) {
      stop();
      throw error;
    }
  }

  get isConnected(): boolean {
    return this.#connection.connectionState === "connected";
  }

  get isChannelClosed(): boolean {
    return this.#isChannelClosed;
  }

  /** The messages of one type. */
  told<T extends ServerMessage["type"]>(type: T): Extract<ServerMessage, { type: T }>[] {
    return this.messages.filter((one): one is Extract<ServerMessage, { type: T }> => one.type === type);
  }

  /** Sends parameters, or a text as it is, once the channel is open. */
  async send(message: object | string): Promise<void> {
    await until(() => this.#channel.readyState === "open", "the data channel to open");
    this.#channel.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** Waits until that many more frames have come. */
  async receive(count: number, timeoutMs = 20_000): Promise<void> {
    const goal = this.received + count;
    await until(() => this.received >= goal, `${count} frames`, timeoutMs);
  }

  /** Says goodbye as the guide does. */
  close(): void {
    this.#channel.close();
    this.#stop();
  }
}

/** Polls until `holds`; throws naming `what` when it does not in time. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, timeoutMs = 20_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await sleep(20);
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
