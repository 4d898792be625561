/**
 * `MediaPeer` by libwebrtc, through @roamhq/wrtc; the only file that imports
 * it. Congestion control, loss repair, jitter buffer and the VP8 codec are
 * inside the library. It must live on the main thread, and only VP8 is
 * negotiated: the library is of 2022, and its other decoders have known
 * faults. Every handler catches, because a throw in one ends the process.
 */
import { ApiError, type Candidate, errorText } from "@everframe/protocol";
import wrtcModule from "@roamhq/wrtc";
import type { Logger } from "pino";
import {
  type I420Frame,
  i420Length,
  type MediaBackend,
  type MediaPeer,
  type PeerEvents,
  type PeerOptions,
  type RgbaFrame,
} from "./media-peer.ts";
import { hasVideo, hintBitrate, offersVp8, refuseRotation } from "./sdp.ts";

/** Candidates of STUN and TURN servers that come later are left out of the answer. */
const GATHERING_LIMIT_MS = 1000;
/** Where there are no others than those of TURN servers, which may be far. */
const RELAY_GATHERING_LIMIT_MS = 5000;
const START_BITRATE_BPS = 1_200_000;
/** Messages kept until the data channel is open. */
const MAX_WAITING_MESSAGES = 16;
const MAX_MESSAGE_CHARS = 256 * 1024;
/** A client that leaves this much unread gets no more messages. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** When to look, after the last data channel closed, whether the whole connection did. */
const END_CHECKS_MS = [50, 250, 1000];

// The library's own types need the DOM's, which a server does not have. These are the parts in use.
type Channel = {
  readonly readyState: "connecting" | "open" | "closing" | "closed";
  readonly bufferedAmount: number;
  onopen: (() => void) | null;
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
};
type Track = { readonly kind: string; stop(): void };
type Transceiver = { receiver: { track: Track }; setCodecPreferences(codecs: unknown[]): void };
type Connection = {
  readonly connectionState: string;
  readonly iceGatheringState: string;
  readonly localDescription: { sdp: string } | null;
  readonly sctp: { readonly state: string; readonly transport: { readonly state: string } } | null;
  ontrack: ((event: { track: Track }) => void) | null;
  ondatachannel: ((event: { channel: Channel }) => void) | null;
  onconnectionstatechange: (() => void) | null;
  onicegatheringstatechange: (() => void) | null;
  addTrack(track: Track, stream: unknown): void;
  getTransceivers(): Transceiver[];
  setRemoteDescription(description: { type: "offer"; sdp: string }): Promise<void>;
  createAnswer(): Promise<{ type: "answer"; sdp: string }>;
  setLocalDescription(description: { type: "answer"; sdp: string }): Promise<void>;
  addIceCandidate(candidate: Candidate): Promise<void>;
  getStats(): Promise<Map<string, { type: string; bytesReceived?: number }>>;
  close(): void;
};
type VideoSource = { createTrack(): Track; onFrame(frame: I420Frame): void };
type VideoSink = { onframe: ((event: { frame: I420Frame }) => void) | null; stop(): void };
type Library = {
  RTCPeerConnection: new (configuration: object) => Connection;
  RTCRtpSender: { getCapabilities(kind: "video"): { codecs: { mimeType: string }[] } };
  MediaStream: new () => unknown;
  nonstandard: {
    RTCVideoSource: new () => VideoSource;
    RTCVideoSink: new (track: Track) => VideoSink;
    i420ToRgba(from: I420Frame, to: RgbaFrame): void;
    rgbaToI420(from: RgbaFrame, to: I420Frame): void;
  };
};
const wrtc = wrtcModule as unknown as Library;

export type WrtcOptions = {
  /** Hears of handlers that failed. */
  log: Logger;
  /** Whether to connect through TURN servers alone. */
  isRelayOnly?: boolean;
  /** UDP ports to use, both included; default any. */
  udpPorts?: { min: number; max: number };
};

/** The libwebrtc of this process. */
export function createWrtcBackend(backend: WrtcOptions): MediaBackend {
  return {
    createPeer: (events, options) => new WrtcPeer(events, options, backend),
    toRgba(frame) {
      const { width, height } = frame;
      const rgba = { width, height, data: new Uint8Array(width * height * 4) };
      wrtc.nonstandard.i420ToRgba(frame, rgba);
      return rgba;
    },
    toI420(frame) {
      const { width, height } = frame;
      const i420 = { width, height, data: new Uint8Array(i420Length(width, height)) };
      wrtc.nonstandard.rgbaToI420(frame, i420);
      return i420;
    },
  };
}

class WrtcPeer implements MediaPeer {
  readonly #events: PeerEvents;
  readonly #log: Logger;
  readonly #maxBitrateBps: number;
  readonly #isRelayOnly: boolean;
  readonly #connection: Connection;
  readonly #source = new wrtc.nonstandard.RTCVideoSource();
  readonly #track: Track;
  readonly #channels = new Set<Channel>();
  #sink: VideoSink | undefined;
  #channel: Channel | undefined;
  #waiting: string[] = [];
  #over = false;
  #isEnded = false;
  #endTimers: NodeJS.Timeout[] = [];

  constructor(events: PeerEvents, options: PeerOptions, { log, isRelayOnly = false, udpPorts }: WrtcOptions) {
    this.#events = events;
    this.#log = log;
    this.#maxBitrateBps = options.maxBitrateBps;
    this.#isRelayOnly = isRelayOnly;
    this.#connection = new wrtc.RTCPeerConnection({
      iceServers: options.iceServers,
      iceTransportPolicy: isRelayOnly ? "relay" : "all",
      bundlePolicy: "max-bundle",
      ...(udpPorts === undefined ? {} : { portRange: udpPorts }),
    });
    this.#track = this.#source.createTrack();
    // Before the offer is set, and with a stream: the client's `event.streams[0]` comes from here (JSEP, RFC 8829 5.10).
    this.#connection.addTrack(this.#track, new wrtc.MediaStream());
    this.#connection.ontrack = ({ track }) => this.#guard("track", () => this.#receive(track));
    this.#connection.ondatachannel = ({ channel }) => this.#guard("data channel", () => this.#adopt(channel));
    this.#connection.onconnectionstatechange = () => this.#guard("state", () => this.#follow());
  }

  async answer(offerSdp: string): Promise<string> {
    if (!hasVideo(offerSdp)) throw new ApiError("invalid_sdp", { reason: "it has no video section" });
    if (!offersVp8(offerSdp)) throw new ApiError("no_common_codec", {});
    const bitrates = { startBps: START_BITRATE_BPS, maxBps: this.#maxBitrateBps };
    try {
      const sdp = hintBitrate(refuseRotation(offerSdp), bitrates);
      await this.#connection.setRemoteDescription({ type: "offer", sdp });
      this.#preferVp8();
      await this.#connection.setLocalDescription(await this.#connection.createAnswer());
    } catch (error) {
      throw new ApiError("invalid_sdp", { reason: errorText(error) }, { cause: error });
    }
    await this.#gathered();
    const local = this.#connection.localDescription;
    if (local === null) throw new ApiError("invalid_sdp", { reason: "the connection was closed meanwhile" });
    return hintBitrate(local.sdp, bitrates);
  }

  async addCandidate(candidate: Candidate): Promise<boolean> {
    try {
      await this.#connection.addIceCandidate(candidate);
      return true;
    } catch {
      // Other candidates may still connect, so one bad one is no failure of the session.
      return false;
    }
  }

  sendFrame(frame: I420Frame): void {
    if (!this.#over) this.#source.onFrame(frame);
  }

  send(text: string): boolean {
    if (this.#over || this.#isEnded) return false;
    const channel = this.#channel;
    if (channel === undefined || channel.readyState === "connecting") {
      if (this.#waiting.length >= MAX_WAITING_MESSAGES) this.#waiting.shift();
      this.#waiting.push(text);
      return true;
    }
    if (channel.bufferedAmount > MAX_UNREAD_BYTES) return false;
    try {
      channel.send(text);
      return true;
    } catch {
      return false; // it is closing
    }
  }

  async flush(timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs;
    // A peer that has just connected may not have opened its channel yet; its messages wait for that.
    const isPending = () =>
      this.#waiting.length > 0 || (this.#channel?.readyState === "open" && this.#channel.bufferedAmount > 0);
    while (!this.#over && isPending() && performance.now() < end) await sleep(10);
    // An empty buffer means handed to SCTP, not yet on the wire.
    if (!this.#over && this.#channel?.readyState === "open") await sleep(Math.min(50, timeoutMs));
  }

  async bytesReceived(): Promise<number> {
    // A client without a data channel can also say goodbye.
    this.#noticeEnd();
    let bytes = 0;
    for (const entry of (await this.#connection.getStats()).values()) {
      if (entry.type === "transport") bytes += entry.bytesReceived ?? 0;
    }
    return bytes;
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    for (const timer of this.#endTimers) clearTimeout(timer);
    const connection = this.#connection;
    connection.ontrack = null;
    connection.ondatachannel = null;
    connection.onconnectionstatechange = null;
    connection.onicegatheringstatechange = null;
    for (const channel of this.#channels) {
      channel.onopen = null;
      channel.onmessage = null;
      channel.onclose = null;
    }
    this.#channels.clear();
    this.#channel = undefined;
    this.#waiting = [];
    this.#stopReceiving();
    this.#guard("close", () => this.#track.stop());
    this.#guard("close", () => connection.close());
  }

  #preferVp8(): void {
    const codecs = wrtc.RTCRtpSender.getCapabilities("video").codecs.filter((codec) => /VP8|rtx/i.test(codec.mimeType));
    for (const transceiver of this.#connection.getTransceivers()) {
      if (transceiver.receiver.track.kind === "video") transceiver.setCodecPreferences(codecs);
    }
  }

  #receive(track: Track): void {
    if (track.kind !== "video") return;
    this.#stopReceiving();
    this.#sink = new wrtc.nonstandard.RTCVideoSink(track);
    this.#sink.onframe = ({ frame }) => {
      if (this.#over || frame.data.byteLength !== i420Length(frame.width, frame.height)) return;
      this.#guard("frame", () => this.#events.onFrame(frame));
    };
  }

  #stopReceiving(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    if (sink === undefined) return;
    sink.onframe = null;
    this.#guard("close", () => sink.stop());
  }

  /** Takes a channel that the client opened; of several the newest carries the server's messages. */
  #adopt(channel: Channel): void {
    this.#channels.add(channel);
    this.#channel = channel;
    channel.onopen = () => this.#guard("message", () => this.#sendWaiting());
    channel.onmessage = ({ data }) =>
      this.#guard("message", () => {
        const text = typeof data === "string" ? data : new TextDecoder().decode(data);
        this.#events.onMessage(text.length > MAX_MESSAGE_CHARS ? "" : text);
      });
    channel.onclose = () =>
      this.#guard("data channel", () => {
        this.#channels.delete(channel);
        if (this.#channel === channel) this.#channel = [...this.#channels].at(-1);
        if (this.#channels.size > 0) return;
        // The client may open another one. Closing the connection closes its channels too, some moments earlier or later.
        this.#noticeEnd();
        for (const timer of this.#endTimers) clearTimeout(timer);
        this.#endTimers = END_CHECKS_MS.map((ms) => setTimeout(() => this.#noticeEnd(), ms));
      });
    this.#sendWaiting();
  }

  #sendWaiting(): void {
    if (this.#channel?.readyState !== "open") return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const text of waiting) this.send(text);
  }

  #follow(): void {
    if (this.#over) return;
    const state = this.#connection.connectionState;
    if (state === "connected") this.#events.onConnected();
    else if (state === "failed") this.#events.onFailed();
    else if (state === "closed") this.#end();
  }

  /** The library tells of the client's goodbye in this way alone. */
  #noticeEnd(): void {
    const { sctp } = this.#connection;
    if (sctp?.state === "closed" || sctp?.transport.state === "closed") this.#end();
  }

  #end(): void {
    if (this.#over || this.#isEnded) return;
    this.#isEnded = true;
    this.#guard("end", () => this.#events.onClosed());
  }

  #gathered(): Promise<void> {
    const connection = this.#connection;
    // An ICE restart gathers anew, and the state is still the old one when it begins.
    const hasCandidates = () => /^a=candidate:/m.test(connection.localDescription?.sdp ?? "");
    if (connection.iceGatheringState === "complete" && hasCandidates()) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(done, this.#isRelayOnly ? RELAY_GATHERING_LIMIT_MS : GATHERING_LIMIT_MS);
      function done() {
        clearTimeout(timer);
        connection.onicegatheringstatechange = null;
        resolve();
      }
      connection.onicegatheringstatechange = () => {
        if (connection.iceGatheringState === "complete") done();
      };
    });
  }

  #guard(what: string, handle: () => void): void {
    try {
      handle();
    } catch (error) {
      this.#log.error({ err: error }, `WebRTC ${what} handler failed`);
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
