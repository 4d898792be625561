// Live figures of a session: what the browser measures (WebRTC statistics, https://www.w3.org/TR/webrtc-stats/) and what
// the server reports once a second, side by side.
import type { StatsMessage } from "@everframe/protocol";

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
  /** Size of the picture sent, pixels. */
  width: number;
  height: number;
};

/** One second of a session. A figure that is not known yet is undefined. */
export type SessionStats = {
  /** Network round trip to the server, milliseconds. */
  roundTripMs: number | undefined;
  /** Frames a second that the browser encodes and sends. */
  sentFps: number | undefined;
  /** Frames a second that the browser decodes. */
  receivedFps: number | undefined;
  sentBitrateBps: number | undefined;
  receivedBitrateBps: number | undefined;
  server: ServerStats | undefined;
};

type Counters = { atMs: number; sentBytes: number; receivedBytes: number; sentFrames: number; receivedFrames: number };

/** Turns a peer connection's counters into rates; keeps the last counters between two calls of `read`. */
export class StatsReader {
  #last: Counters | undefined;

  read(report: RTCStatsReport, server: StatsMessage | undefined): SessionStats {
    let roundTripMs: number | undefined;
    const now: Counters = { atMs: 0, sentBytes: 0, receivedBytes: 0, sentFrames: 0, receivedFrames: 0 };
    report.forEach((entry: RTCStats & Record<string, unknown>) => {
      if (entry.type === "candidate-pair" && entry["nominated"] === true) {
        const seconds = numberOf(entry["currentRoundTripTime"]);
        if (seconds !== undefined) roundTripMs = seconds * 1000;
      } else if (entry.type === "inbound-rtp" && entry["kind"] === "video") {
        now.receivedBytes += numberOf(entry["bytesReceived"]) ?? 0;
        now.receivedFrames += numberOf(entry["framesDecoded"]) ?? 0;
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
    return {
      roundTripMs,
      sentFps: rate(now.sentFrames, last?.sentFrames),
      receivedFps: rate(now.receivedFrames, last?.receivedFrames),
      sentBitrateBps: rate(now.sentBytes * 8, last && last.sentBytes * 8),
      receivedBitrateBps: rate(now.receivedBytes * 8, last && last.receivedBytes * 8),
      server: server === undefined ? undefined : toServerStats(server),
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
  return {
    fpsIn: message.fps_in,
    fpsOut: message.fps_out,
    chunkMs: message.chunk_ms ?? undefined,
    stagesMs: message.stages_ms,
    model: message.model,
    width: message.width,
    height: message.height,
  };
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
