// Live figures of a session: what the browser measures (WebRTC statistics, https://www.w3.org/TR/webrtc-stats/) and what
// the server reports once a second, side by side.
import type { StatsMessage } from "@everframe/protocol";
import { CHUNK_FRAMES } from "./defaults.ts";

/** The server's own figures. */
export type ServerStats = {
  /** Frames a second that reach the server. */
  fpsIn: number;
  /** Frames a second newly made. */
  fpsOut: number;
  /** Milliseconds that the last chunk took; undefined before the first. */
  chunkMs: number | undefined;
  /** The same by stage, milliseconds. */
  stagesMs: Record<string, number>;
  /** Which weights run, for example "longlive-tiny". */
  model: string;
  /** Width of the picture sent, pixels. */
  width: number;
  /** Height of the picture sent, pixels. */
  height: number;
  /** Frames of the input that wait for a chunk. */
  queuedFrames: number;
  /** Made frames that wait to be sent. */
  queuedOutput: number;
  /** Milliseconds from a picture's arrival at the server to its leaving, an estimate; undefined before the first chunk. */
  latencyMs: number | undefined;
};

/** One second of a session. A figure that is not known yet is undefined. */
export type SessionStats = {
  /** Network round trip to the server, milliseconds. */
  roundTripMs: number | undefined;
  /** Frames a second that the browser encodes and sends. */
  sentFps: number | undefined;
  /** Frames a second that the browser decodes. */
  receivedFps: number | undefined;
  /** Video sent, bits a second. */
  sentBitrateBps: number | undefined;
  /** Video received, bits a second. */
  receivedBitrateBps: number | undefined;
  /** Share of the packets of this second that were lost on their way here, 0 to 1. */
  packetsLost: number | undefined;
  /** How long the browser holds a picture back to show it evenly, milliseconds. */
  playoutDelayMs: number | undefined;
  /** From the input to the screen, milliseconds: an estimate from the network, the server and the playout. */
  latencyMs: number | undefined;
  /** What the server says of itself; undefined in the first second. */
  server: ServerStats | undefined;
};

const COUNTERS = {
  atMs: 0,
  sentBytes: 0,
  receivedBytes: 0,
  sentFrames: 0,
  receivedFrames: 0,
  packets: 0,
  lost: 0,
  playoutS: 0,
  played: 0,
};
type Counters = typeof COUNTERS;

/** Turns a peer connection's counters into rates; keeps the last counters, and what the server said last. */
export class StatsReader {
  #last: Counters | undefined;
  #server: StatsMessage | undefined;

  /** The server's half. */
  hear(message: StatsMessage): void {
    this.#server = message;
  }

  /** The browser's half, beside the server's newest. */
  read(report: RTCStatsReport): SessionStats {
    let roundTripMs: number | undefined;
    const now: Counters = { ...COUNTERS };
    report.forEach((entry: RTCStats & Record<string, unknown>) => {
      if (entry.type === "candidate-pair" && entry["nominated"] === true) {
        const seconds = numberOf(entry["currentRoundTripTime"]);
        if (seconds !== undefined) roundTripMs = seconds * 1000;
      } else if (entry.type === "inbound-rtp" && entry["kind"] === "video") {
        now.receivedBytes += numberOf(entry["bytesReceived"]) ?? 0;
        now.receivedFrames += numberOf(entry["framesDecoded"]) ?? 0;
        now.packets += numberOf(entry["packetsReceived"]) ?? 0;
        now.lost += numberOf(entry["packetsLost"]) ?? 0;
        now.playoutS += numberOf(entry["jitterBufferDelay"]) ?? 0;
        now.played += numberOf(entry["jitterBufferEmittedCount"]) ?? 0;
        now.atMs = Math.max(now.atMs, entry.timestamp);
      } else if (entry.type === "outbound-rtp" && entry["kind"] === "video") {
        now.sentBytes += numberOf(entry["bytesSent"]) ?? 0;
        now.sentFrames += numberOf(entry["framesSent"]) ?? 0;
        now.atMs = Math.max(now.atMs, entry.timestamp);
      }
    });
    const last = this.#last;
    this.#last = now;
    const seconds = last === undefined ? 0 : (now.atMs - last.atMs) / 1000;
    const rate = (current: number, before: number | undefined) =>
      before === undefined || seconds <= 0 ? undefined : Math.max(0, current - before) / seconds;
    const share = (part: keyof Counters, whole: number) =>
      last === undefined || whole <= 0 ? undefined : Math.max(0, now[part] - last[part]) / whole;
    const grown = (name: keyof Counters) => (last === undefined ? 0 : now[name] - last[name]);
    const playoutS = share("playoutS", grown("played"));
    const playoutDelayMs = playoutS === undefined ? undefined : playoutS * 1000;
    const serverStats = this.#server && toServerStats(this.#server);
    return {
      roundTripMs,
      sentFps: rate(now.sentFrames, last?.sentFrames),
      receivedFps: rate(now.receivedFrames, last?.receivedFrames),
      sentBitrateBps: rate(now.sentBytes * 8, last && last.sentBytes * 8),
      receivedBitrateBps: rate(now.receivedBytes * 8, last && last.receivedBytes * 8),
      packetsLost: share("lost", grown("packets") + grown("lost")),
      playoutDelayMs,
      latencyMs: serverStats && (serverStats.latencyMs ?? 0) + (roundTripMs ?? 0) + (playoutDelayMs ?? 0),
      server: serverStats,
    };
  }
}

/** Bytes that came over the connection so far, of any kind; undefined where the browser does not tell. */
export function transportBytes(report: RTCStatsReport): number | undefined {
  const sums: Record<string, number | undefined> = {};
  report.forEach((entry: RTCStats & Record<string, unknown>) => {
    const bytes = numberOf(entry["bytesReceived"]);
    if (bytes !== undefined) sums[entry.type] = (sums[entry.type] ?? 0) + bytes;
  });
  return sums["transport"] ?? sums["candidate-pair"];
}

function toServerStats(message: StatsMessage): ServerStats {
  const { chunk_ms: chunkMs, fps_in: fpsIn, fps_out: fpsOut, queued_out: queuedOutput } = message;
  // A chunk fills, is made, and waits behind what was made before.
  const fillMs = fpsIn > 0 ? (CHUNK_FRAMES / fpsIn) * 1000 : 0;
  const waitMs = fpsOut > 0 ? (queuedOutput / fpsOut) * 1000 : 0;
  return {
    fpsIn,
    fpsOut,
    chunkMs: chunkMs ?? undefined,
    stagesMs: message.stages_ms,
    model: message.model,
    width: message.width,
    height: message.height,
    queuedFrames: message.queued_in,
    queuedOutput,
    latencyMs: chunkMs === null ? undefined : fillMs + chunkMs + waitMs,
  };
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
