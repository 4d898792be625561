/**
 * One viewer: a peer connection, a stream of the loaded pipeline, and what
 * lies between them. States: `connecting` until the transport is up, `live`,
 * then `closed`, with the reason told to the client where it can still hear.
 */
import {
  ApiError,
  type Candidate,
  type ErrorCode,
  type IceServer,
  type ParameterUpdate,
  type ServerMessage,
  type StopReason,
} from "@everframe/protocol";
import type { Logger } from "pino";
import type { ImageDecoder } from "../assets/image-decoder.ts";
import type { Chunk, Pipeline, PipelineStream } from "../pipelines/pipeline.ts";
import type { I420Frame, MediaBackend, MediaPeer } from "../webrtc/media-peer.ts";
import { ChunkLoop } from "./chunk-loop.ts";
import type { Clock } from "./clock.ts";
import { FrameRelay } from "./frame-relay.ts";
import { InputBuffer } from "./input-buffer.ts";
import { errorMessage, type ResolveAsset, SessionParameters } from "./parameters.ts";
import { SessionImages } from "./session-images.ts";
import { VideoOutput } from "./video-output.ts";
import { Watchdog } from "./watchdog.ts";

const STATS_MS = 1000;
/** A session that has more to say than this has said enough. */
const MAX_LOGGED_NOTICES = 100;
/** How long a last message may take to leave. */
const FLUSH_LIMIT_MS = 1000;
const MIN_MAX_BITRATE_BPS = 1_500_000;
/** Sharp pictures of a model need about this much at 30 frames a second. */
const BITS_PER_PIXEL_SECOND = 8;

export type SessionOptions = {
  id: string;
  pipeline: Pipeline;
  media: MediaBackend;
  iceServers: readonly IceServer[];
  initial: ParameterUpdate;
  resolveAsset: ResolveAsset;
  imageDecoder: ImageDecoder;
  clock: Clock;
  log: Logger;
  /** Called once, when the session starts to close. */
  onClosed: () => void;
};

/** A stream at work. */
type Work = {
  stream: PipelineStream;
  push: (frame: I420Frame) => void;
  /** Looks again whether there is something to do. */
  notify: () => void;
  stop: () => Promise<void>;
};

export class Session {
  readonly id: string;
  readonly #options: SessionOptions;
  readonly #log: Logger;
  readonly #parameters: SessionParameters;
  readonly #images: SessionImages;
  readonly #peer: MediaPeer;
  readonly #output: VideoOutput;
  readonly #input = new InputBuffer<I420Frame>();
  readonly #watchdog: Watchdog;
  #state: "connecting" | "live" | "closed" = "connecting";
  #work: Work | undefined;
  #lastChunk: Chunk | undefined;
  readonly #loggedNotices = new Set<string>();
  #cancelStats: () => void = () => {};
  #closing: Promise<void> | undefined;

  constructor(options: SessionOptions) {
    const { pipeline, clock } = options;
    this.id = options.id;
    this.#options = options;
    this.#log = options.log.child({ session: options.id.slice(0, 8) });
    this.#parameters = new SessionParameters(options.initial, pipeline.loadParams.vaceEnabled, options.resolveAsset);
    this.#images = new SessionImages(options.imageDecoder, (error) => {
      this.#log.warn({ err: error.cause ?? error, code: error.code }, "an image is left out");
      this.#tell(errorMessage(error));
    });
    const pixels = pipeline.size === undefined ? 0 : pipeline.size.width * pipeline.size.height;
    this.#peer = options.media.createPeer(
      {
        onFrame: (frame) => this.#receiveFrame(frame),
        onMessage: (text) => this.#receiveMessage(text),
        onConnected: () => this.#goLive(),
        onGone: (cause) => void this.close(cause === "closed" ? "peer_closed" : "peer_lost"),
      },
      {
        iceServers: options.iceServers,
        maxBitrateBps: Math.max(MIN_MAX_BITRATE_BPS, pixels * BITS_PER_PIXEL_SECOND),
      },
    );
    this.#output = new VideoOutput({
      clock,
      send: (frame) => this.#peer.sendFrame(frame),
      onSent: () => this.#work?.notify(),
    });
    this.#watchdog = new Watchdog({
      clock,
      bytesReceived: () => this.#peer.bytesReceived(),
      onLost: (cause) => void this.close(cause),
    });
  }

  get state(): "connecting" | "live" | "closed" {
    return this.#state;
  }

  /**
   * Answers the client's offer.
   * Throws `ApiError`; the session is then closed.
   */
  async start(offerSdp: string): Promise<string> {
    try {
      const answer = await this.#peer.answer(offerSdp);
      this.#failIfClosed();
      const seed = this.#options.pipeline.loadParams.seed;
      const stream = await this.#options.pipeline.openStream({ seed });
      if (this.#isClosed()) stream.close();
      this.#failIfClosed();
      this.#work = this.#startWork(stream);
      this.#work.notify();
      this.#log.info({ pipeline: this.#options.pipeline.id }, "session opened");
      return answer;
    } catch (error) {
      await this.close("peer_closed");
      throw error;
    }
  }

  /** Adds the client's candidates; ones that cannot be used do not block the rest. */
  async addCandidates(candidates: readonly Candidate[]): Promise<void> {
    for (const candidate of candidates) {
      if (isEndOfCandidates(candidate.candidate)) continue;
      const line = candidate.candidate.replace(/^a=/, "");
      const usable = { ...candidate, candidate: line.startsWith("candidate:") ? line : `candidate:${line}` };
      if (!(await this.#peer.addCandidate(usable))) this.#log.debug("a candidate could not be used");
    }
  }

  /**
   * Ends the session: tells the client, stops the work and frees everything.
   * Calling it again waits for the same end.
   */
  close(reason: StopReason, error?: { code: ErrorCode; message: string }): Promise<void> {
    this.#closing ??= this.#close(reason, error);
    return this.#closing;
  }

  async #close(reason: StopReason, error: { code: ErrorCode; message: string } | undefined): Promise<void> {
    const wasLive = this.#state === "live";
    this.#state = "closed";
    this.#options.onClosed();
    this.#watchdog.stop();
    this.#cancelStats();
    this.#output.close();
    this.#input.clear();
    // Without work the offer itself was refused, and its answer says why.
    if (this.#work !== undefined) this.#log.info({ reason, ...(error && { error: error.message }) }, "session closed");
    const stopped = this.#work?.stop() ?? Promise.resolve();
    if (wasLive && reason !== "peer_closed") {
      this.#tell({
        type: "stream_stopped",
        reason,
        ...(error === undefined ? {} : { code: error.code, error_message: error.message }),
      });
      await this.#peer.flush(FLUSH_LIMIT_MS);
    }
    this.#peer.close();
    await stopped;
  }

  #startWork(stream: PipelineStream): Work {
    if (stream.kind === "frames") {
      const relay = new FrameRelay(stream, {
        onFrame: (frame) => this.#output.sendNow(frame),
        onFailure: (error) => this.#reportFailure(error, true),
      });
      return {
        stream,
        push: (frame) => relay.push(frame),
        notify: () => {},
        stop: async () => {
          relay.stop();
          stream.close();
        },
      };
    }
    const loop = new ChunkLoop({
      clock: this.#options.clock,
      stream,
      input: this.#input,
      currentParameters: () => this.#parameters.current,
      takeParameters: () => this.#parameters.take(),
      takeImages: (parameters) => this.#images.take(parameters),
      losesOneShots: this.#options.pipeline.loadParams.compat === "original",
      toRgba: this.#options.media.toRgba,
      queued: () => this.#output.length,
      onChunk: (chunk, timing) => {
        this.#passOn(chunk.notices);
        this.#lastChunk = chunk;
        if (!this.#parameters.current.paused) this.#output.push(chunk.frames.map(this.#options.media.toI420), timing);
      },
      onFailure: (error, isLast) => this.#reportFailure(error, isLast),
    });
    let running: Promise<void> | undefined;
    return {
      stream,
      push: () => loop.notify(),
      notify: () => {
        if (this.#state === "live") running ??= loop.run();
        loop.notify();
      },
      stop: async () => {
        loop.stop();
        await running;
        stream.close();
      },
    };
  }

  #goLive(): void {
    if (this.#state !== "connecting") return;
    this.#state = "live";
    this.#log.info("session connected");
    this.#watchdog.connected();
    this.#cancelStats = this.#options.clock.after(STATS_MS, () => this.#sendStats());
    this.#work?.notify();
  }

  #receiveFrame(frame: I420Frame): void {
    if (this.#state === "closed") return;
    const { paused, inputMode } = this.#parameters.current;
    const isRead = this.#work?.stream.kind === "chunks" && inputMode === "video";
    if (isRead) this.#input.push(frame, this.#options.clock.now());
    else this.#input.note(this.#options.clock.now());
    if (!paused) this.#work?.push(frame);
  }

  #receiveMessage(text: string): void {
    if (this.#state === "closed") return;
    const wasPaused = this.#parameters.current.paused;
    const reply = this.#parameters.receive(text);
    if (reply !== undefined) this.#tell(reply);
    const { paused } = this.#parameters.current;
    if (paused && !wasPaused) this.#output.hold();
    // What waited during the pause is old: the next chunk is of what comes now.
    if (wasPaused && !paused) this.#input.clear();
    this.#work?.notify();
  }

  #reportFailure(error: ApiError, isLast: boolean): void {
    this.#log.warn({ err: error.cause ?? error, code: error.code }, `chunk failed: ${error.message}`);
    if (isLast) void this.close("chunks_failed", error);
    else this.#tell(errorMessage(error));
  }

  /** Tells what was left out: the log each thing once, the viewer not again while it goes on. */
  #passOn(notices: readonly string[]): void {
    const told = this.#lastChunk?.notices ?? [];
    for (const reason of new Set(notices)) {
      if (!told.includes(reason)) this.#tell(errorMessage(new ApiError("left_out", { reason })));
      if (this.#loggedNotices.has(reason) || this.#loggedNotices.size >= MAX_LOGGED_NOTICES) continue;
      this.#loggedNotices.add(reason);
      this.#log.warn(reason);
    }
  }

  #sendStats(): void {
    const { pipeline, clock } = this.#options;
    const { total = null, ...stages } = this.#lastChunk?.stagesMs ?? {};
    const size = this.#output.last ?? pipeline.size;
    this.#tell({
      type: "stats",
      fps_in: round(this.#input.rate(clock.now()) ?? 0),
      fps_out: round(this.#output.fps()),
      chunk_ms: total === null ? null : round(total),
      stages_ms: Object.fromEntries(Object.entries(stages).map(([stage, ms]) => [stage, round(ms)])),
      model: pipeline.model,
      width: size?.width ?? 0,
      height: size?.height ?? 0,
    });
    this.#cancelStats = clock.after(STATS_MS, () => this.#sendStats());
  }

  #tell(message: ServerMessage): void {
    this.#peer.send(JSON.stringify(message));
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #failIfClosed(): void {
    if (this.#isClosed()) throw new ApiError("pipeline_not_loaded", {});
  }
}

/** An empty candidate, or its spelled-out form, says that no more will come (RFC 8838). */
function isEndOfCandidates(candidate: string): boolean {
  return /^(a=)?(end-of-candidates)?\s*$/.test(candidate);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
