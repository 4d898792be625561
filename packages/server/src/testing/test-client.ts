/**
 * A client for tests: the guide's flow with the server's own WebRTC library,
 * in this process. It sends a moving picture and keeps what comes back.
 */
import { type Answer, type ServerMessage, serverMessage } from "@everframe/protocol";
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
type Candidate = { candidate: string; sdpMid: string };
type Statistics = { type: string; keyFramesDecoded?: number; pliCount?: number };
type Track = { kind: string; stop(): void };
type Connection = {
  localDescription: { sdp: string };
  ontrack: ((event: { track: Track; streams: unknown[] }) => void) | null;
  onicecandidate: ((event: { candidate: Candidate | null }) => void) | null;
  createDataChannel(label: string, options: object): Channel;
  addTrack(track: Track, stream: unknown): void;
  addTransceiver(kind: string, init: object): void;
  getStats(): Promise<Map<string, Statistics>>;
  createOffer(options?: { iceRestart: boolean }): Promise<object>;
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
  /** Default "sendrecv" with a moving picture; "recvonly" sends none, and "trackless" offers to send and has nothing. */
  direction?: "sendrecv" | "recvonly" | "trackless";
  /** The session to take over. */
  sessionId?: string;
  /** Picture sent, default 64x48 at 30 frames a second. */
  width?: number;
  height?: number;
  /** The picture of a moment: I420 bytes to fill. Default: grey that moves. */
  draw?: (data: Uint8Array, index: number) => void;
  /** Hears of each picture that comes back. */
  onFrame?: (frame: I420Frame) => void;
};

export class TestClient {
  readonly frames: I420Frame[] = [];
  readonly messages: ServerMessage[] = [];
  readonly #unspecified: string[] = [];
  readonly sessionId: string;
  /** The longest message that the server's answer allows. */
  readonly maxMessageBytes: number;
  readonly #ask: Ask;
  readonly #connection: Connection;
  readonly #candidates: Candidate[];
  readonly #camera: Camera;
  readonly #stop: () => void;
  #channel: Channel;
  #isChannelClosed = false;
  /** Whether the output came with `event.streams[0]`, as the guide's client needs it. */
  hadStream = false;
  received = 0;

  private constructor(parts: {
    ask: Ask;
    connection: Connection;
    channel: Channel;
    candidates: Candidate[];
    camera: Camera;
    sessionId: string;
    maxMessageBytes: number;
    stop: () => void;
  }) {
    this.#ask = parts.ask;
    this.#connection = parts.connection;
    this.#candidates = parts.candidates;
    this.#camera = parts.camera;
    this.sessionId = parts.sessionId;
    this.maxMessageBytes = parts.maxMessageBytes;
    this.#stop = parts.stop;
    this.#channel = parts.channel;
    this.#listen(parts.channel);
  }

  /** Connects; throws with the server's answer when it refuses. */
  static async connect(options: ClientOptions): Promise<TestClient> {
    const { ask, direction = "sendrecv", width = 64, height = 48 } = options;
    const connection = new wrtc.RTCPeerConnection({ iceServers: [] });
    const channel = connection.createDataChannel("parameters", { ordered: true });
    const source = new wrtc.nonstandard.RTCVideoSource();
    const track = source.createTrack();
    if (direction === "sendrecv") connection.addTrack(track, new wrtc.MediaStream());
    else connection.addTransceiver("video", { direction: direction === "recvonly" ? direction : "sendrecv" });
    const candidates: Candidate[] = [];
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
      if (candidate !== null) candidates.push({ candidate: candidate.candidate, sdpMid: candidate.sdpMid });
    };
    let index = 0;
    const camera: Camera = { width, height, isOn: true };
    const timer = setInterval(() => {
      if (!camera.isOn) return;
      const pixels = camera.width * camera.height;
      const data = new Uint8Array(i420Length(camera.width, camera.height)).fill(128);
      if (options.draw === undefined) data.fill((index * 5) % 200, 0, pixels);
      else options.draw(data, index);
      index += 1;
      source.onFrame({ width: camera.width, height: camera.height, data });
    }, 33);
    const stop = () => {
      clearInterval(timer);
      sink?.stop();
      track.stop();
      connection.close();
    };
    try {
      await connection.setLocalDescription(await connection.createOffer());
      const { parameters: initialParameters, sessionId } = options;
      const answer = await offer(ask, { sdp: connection.localDescription.sdp, initialParameters, sessionId });
      const { sessionId: id, sdp } = answer;
      const maxMessageBytes = Number(/^a=max-message-size:(\d+)/m.exec(sdp)?.[1]);
      const parts = { ask, connection, channel, candidates, camera, stop };
      client = new TestClient({ ...parts, sessionId: id, maxMessageBytes });
      const made = client;
      received.push((frame) => {
        made.received += 1;
        options.onFrame?.(frame);
        made.frames.push(frame);
        if (made.frames.length > 30) made.frames.shift();
      });
      await connection.setRemoteDescription({ type: answer.type, sdp: answer.sdp });
      client.hadStream = hadStream;
      await client.#trickle();
      return client;
    } catch (error) {
      stop();
      throw error;
    }
  }

  get isChannelClosed(): boolean {
    return this.#isChannelClosed;
  }

  /** The messages of one type. Throws when one came that the protocol does not describe. */
  told<T extends ServerMessage["type"]>(type: T): Extract<ServerMessage, { type: T }>[] {
    if (this.#unspecified.length > 0) throw new Error(`not as described: ${this.#unspecified.join("; ")}`);
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

  /** Key frames that came, and how many this side has asked for. */
  async keyFrames(): Promise<{ received: number; asked: number }> {
    const entries = [...(await this.#connection.getStats()).values()];
    const { keyFramesDecoded = 0, pliCount = 0 } = entries.find(({ type }) => type === "inbound-rtp") ?? {};
    return { received: keyFramesDecoded, asked: pliCount };
  }

  /** Restarts ICE, as after a change of the network. */
  async restartIce(): Promise<void> {
    this.#candidates.length = 0;
    await this.#connection.setLocalDescription(await this.#connection.createOffer({ iceRestart: true }));
    const { sdp } = this.#connection.localDescription;
    const answer = await offer(this.#ask, { sdp, sessionId: this.sessionId });
    await this.#connection.setRemoteDescription({ type: answer.type, sdp: answer.sdp });
    await this.#trickle();
  }

  /** Sends pictures of another size from now on. */
  resize(width: number, height: number): void {
    Object.assign(this.#camera, { width, height });
  }

  /** Stops the pictures, or lets them come again. */
  setCamera(isOn: boolean): void {
    this.#camera.isOn = isOn;
  }

  closeChannel(): void {
    this.#channel.close();
  }

  /** Opens another data channel, which takes the place of the one before. */
  openChannel(label: string): void {
    this.#channel = this.#connection.createDataChannel(label, { ordered: true });
    this.#listen(this.#channel);
  }

  /** Says goodbye as the guide does. */
  close(): void {
    this.#channel.close();
    this.#stop();
  }

  #listen(channel: Channel): void {
    channel.onmessage = ({ data }) => {
      const { data: message, error } = serverMessage.safeParse(JSON.parse(data));
      if (message === undefined) this.#unspecified.push(`${data}: ${error.message}`);
      else this.messages.push(message);
    };
    channel.onclose = () => {
      if (channel === this.#channel) this.#isChannelClosed = true;
    };
  }

  async #trickle(): Promise<void> {
    await sleep(100); // gathers
    await this.#ask(`/api/v1/webrtc/offer/${this.sessionId}`, {
      method: "PATCH",
      body: JSON.stringify({ candidates: this.#candidates }),
    });
  }
}

type Camera = { width: number; height: number; isOn: boolean };

/** Makes an offer; throws with the server's answer when it refuses. */
async function offer(ask: Ask, body: object): Promise<Answer> {
  const response = await ask("/api/v1/webrtc/offer", {
    method: "POST",
    body: JSON.stringify({ ...body, type: "offer" }),
  });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Answer;
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
