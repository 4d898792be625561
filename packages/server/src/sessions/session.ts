/**
 * One viewer: wires what a session is made of, which is its life (the states
 * of session-state.ts), its connections, its parameters, its work on the
 * loaded pipeline, and the output between them.
 */
import {
  ApiError,
  type Candidate,
  type ErrorCode,
  type IceServer,
  type ParameterUpdate,
  type ParsedParameters,
  type ServerMessage,
  type StopReason,
  toWireParameters,
} from "@everframe/protocol";
import type { Logger } from "pino";
import type { ImageDecoder } from "../assets/image-decoder.ts";
import type { Chunk, Pipeline, Size } from "../pipelines/pipeline.ts";
import type { I420Frame, MediaBackend } from "../webrtc/media-peer.ts";
import { maxBitrateBps } from "./bitrate.ts";
import type { Clock } from "./clock.ts";
import { InputGuard } from "./input-guard.ts";
import { errorMessage, type ResolveAsset, SessionParameters } from "./parameters.ts";
import { SessionConnections } from "./session-connections.ts";
import { type SessionFigures, statsMessage } from "./session-figures.ts";
import { SessionLife } from "./session-life.ts";
import { SessionPipeline } from "./session-pipeline.ts";
import type { SessionState } from "./session-state.ts";
import { SessionWork } from "./session-work.ts";
import { VideoOutput } from "./video-output.ts";

const STATS_MS = 1000;
/** How long a client that deletes its session may take to close its connection. */
const GOODBYE_MS = 250;

export type SessionOptions = {
  id: string;
  pipeline: Pipeline;
  media: MediaBackend;
  /** Those of the moment: their credentials end. */
  iceServers: () => Promise<readonly IceServer[]>;
  /** Upper bound of the bitrate, whatever the size; undefined for none. */
  maxBitrateBps?: number;
  initial: ParameterUpdate;
  resolveAsset: ResolveAsset;
  imageDecoder: ImageDecoder;
  clock: Clock;
  /** How long a client that is lost may stay away. */
  graceMs: number;
  log: Logger;
  /** Hears of each chunk: how many frames, made in which time. */
  onChunk: (chunk: Chunk) => void;
  /** Called once, when the session starts to close. */
  onClosed: (reason: StopReason) => void;
};

type Failure = { code: ErrorCode; message: string };

export class Session {
  readonly id: string;
  readonly startedAt = new Date();
  readonly parameters: SessionParameters;
  readonly #options: SessionOptions;
  readonly #log: Logger;
  readonly #output: VideoOutput;
  readonly #guard = new InputGuard();
  readonly #frameWatchers = new Set<(frame: I420Frame) => void>();
  readonly #counts = { framesIn: 0, framesOut: 0, chunks: 0, chunksFailed: 0 };
  readonly #life: SessionLife;
  readonly #connections: SessionConnections;
  readonly #pipeline: SessionPipeline;
  #cancelStats: () => void = () => {};
  #isLeaving = false;
  #closing: Promise<void> | undefined;

  constructor(options: SessionOptions) {
    const { pipeline, clock, graceMs } = options;
    this.id = options.id;
    this.#options = options;
    this.#log = options.log.child({ session: options.id.slice(0, 8) });
    this.parameters = new SessionParameters(options.initial, options.resolveAsset);
    this.#pipeline = new SessionPipeline(pipeline, (loaded) => this.#openWork(loaded));
    this.#connections = this.#connect();
    this.#output = new VideoOutput({
      clock,
      send: (frame) => this.#connections.sendFrame(frame),
      onSent: (frame) => {
        this.#counts.framesOut += 1;
        for (const watch of this.#frameWatchers) watch(frame);
        this.#pipeline.work?.notify();
      },
    });
    this.#output.suspend();
    this.#life = new SessionLife({
      clock,
      graceMs,
      onLive: () => this.#goLive(),
      onInterrupted: () => this.#interrupt(),
      onTimeout: (reason) => void this.close(reason),
    });
  }

  get state(): SessionState {
    return this.#life.state;
  }

  /** When it entered its state, on the session's clock. */
  get stateSinceMs(): number {
    return this.#life.sinceMs;
  }

  /** What the session is for; undefined while another one is being loaded. */
  get pipeline(): Pipeline | undefined {
    return this.#pipeline.current;
  }

  /** The newest picture that was sent. */
  get lastFrame(): I420Frame | undefined {
    return this.#output.last;
  }

  /** Answers the client's first offer. Throws `ApiError`; the session is then closed. */
  async start(offerSdp: string): Promise<string> {
    try {
      const answer = await this.offer(offerSdp);
      await this.#pipeline.begin();
      this.#failIfClosed();
      this.#pipeline.work?.notify();
      this.#log.info({ pipeline: this.pipeline?.id ?? this.#pipeline.awaited }, "session opened");
      return answer;
    } catch (error) {
      // What ended it meanwhile was the end of the pipeline.
      const thrown = this.#isClosed() ? new ApiError("pipeline_not_loaded", {}) : error;
      await this.close("peer_closed");
      throw thrown;
    }
  }

  /**
   * Answers an offer: the first, one of the same connection (an ICE restart), or
   * that of a new connection, which takes the place of the old one.
   * Throws `ApiError`; the connection that was there stays then.
   */
  async offer(offerSdp: string): Promise<string> {
    const answer = await this.#connections.answer(offerSdp);
    this.#life.follow("offered");
    return answer;
  }

  /** Adds candidates of the newest offer. */
  addCandidates(candidates: readonly Candidate[]): Promise<void> {
    return this.#connections.addCandidates(candidates);
  }

  /** Takes a message of parameters, as it comes over the data channel, and answers it there. */
  receive(text: string): void {
    this.#change(() => {
      for (const answer of this.parameters.receive(text)) this.#tell(answer);
    });
  }

  /** Takes parameters that came another way; tells what was taken. */
  update(value: unknown): ParsedParameters {
    return this.#change(() => this.parameters.update(value));
  }

  /** Takes parameters from somebody else than the client, who is told of those that were taken. */
  override(value: unknown): ParsedParameters {
    const parsed = this.update(value);
    const parameters = toWireParameters(parsed.accepted);
    if (Object.keys(parameters).length > 0) this.#tell({ type: "parameters_updated", parameters });
    return parsed;
  }

  /** Calls `watch` with each new picture that is sent; the answer ends that. */
  watchFrames(watch: (frame: I420Frame) => void): () => void {
    this.#frameWatchers.add(watch);
    return () => this.#frameWatchers.delete(watch);
  }

  figures(): SessionFigures {
    const { total = null, ...stagesMs } = this.#pipeline.work?.lastChunk?.stagesMs ?? {};
    const size: Size | undefined = this.#output.last ?? this.pipeline?.size;
    return {
      ...this.#counts,
      fpsIn: this.#pipeline.work?.inputFps() ?? 0,
      fpsOut: this.#output.fps(),
      chunkMs: total,
      stagesMs,
      model: this.pipeline?.model ?? "",
      width: size?.width ?? 0,
      height: size?.height ?? 0,
      queuedIn: this.#pipeline.work?.queued ?? 0,
      queuedOut: this.#output.length,
    };
  }

  /** Ends the work on a pipeline that will be freed; the connection and the last picture stay. */
  async release(nextPipelineId: string): Promise<void> {
    if (this.#isClosed()) return;
    const released = this.#pipeline.release(nextPipelineId);
    this.#output.hold();
    this.#tell({ type: "pipeline_reloading", pipeline_id: nextPipelineId });
    await released;
  }

  /** Goes on with the pipeline that was loaded. Never throws: a session that cannot is closed, and told. */
  async adopt(pipeline: Pipeline): Promise<void> {
    if (this.#isClosed()) return;
    try {
      if (!(await this.#pipeline.adopt(pipeline))) return;
    } catch (thrown) {
      await this.close("pipeline_failed", ApiError.from(thrown));
      return;
    }
    const { id, model, size } = pipeline;
    const { width = null, height = null } = size ?? {};
    this.#tell({ type: "pipeline_reloaded", pipeline_id: id, model, width, height });
    this.#pipeline.work?.notify();
  }

  /** Somebody has asked for its end, so its place is free. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /**
   * Ends the session because somebody wishes so: a moment later, for a client that leaves says so in this way too, and
   * a message that meets its goodbye is dangerous (docs/SECURITY.md).
   */
  async delete(): Promise<void> {
    this.#isLeaving = true;
    await new Promise<void>((resolve) => {
      this.#options.clock.after(GOODBYE_MS, resolve);
    });
    void this.close("deleted");
  }

  /**
   * Ends the session: tells the client, stops the work and frees everything.
   * Calling it again waits for the same end.
   */
  close(reason: StopReason, error?: Failure): Promise<void> {
    this.#closing ??= this.#close(reason, error);
    return this.#closing;
  }

  #connect(): SessionConnections {
    const { media, clock, iceServers } = this.#options;
    return new SessionConnections({
      media,
      iceServers,
      maxBitrateBps: () => maxBitrateBps(this.pipeline?.size, this.#options.maxBitrateBps),
      clock,
      log: this.#log,
      checkOpen: () => this.#failIfClosed(),
      onNew: (isFirst) => this.#takeOver(isFirst),
      onFrame: (frame) => this.#receiveFrame(frame),
      onMessage: (text) => !this.#isClosed() && this.receive(text),
      onFlood: () => this.#tell(errorMessage(new ApiError("too_many_messages", {}))),
      onUp: () => this.#life.follow("connected"),
      onDown: () => this.#life.follow("lost"),
      onGoodbye: () => void this.close("peer_closed"),
    });
  }

  #takeOver(isFirst: boolean): void {
    this.#life.follow("lost");
    if (!isFirst) this.#log.info("session taken over by another connection");
    const { awaited } = this.#pipeline;
    if (awaited !== undefined) this.#tell({ type: "pipeline_reloading", pipeline_id: awaited });
  }

  #openWork(pipeline: Pipeline): Promise<SessionWork> {
    const { clock, media, imageDecoder } = this.#options;
    return SessionWork.open({
      pipeline,
      clock,
      media,
      imageDecoder,
      parameters: this.parameters,
      output: this.#output,
      log: this.#log,
      isWanted: () => this.state === "live" && this.#pipeline.work !== undefined,
      tell: (message) => this.#tell(message),
      onChunk: (chunk) => {
        this.#counts.chunks += 1;
        this.#options.onChunk(chunk);
      },
      onFailure: (error, isLast) => this.#reportFailure(error, isLast),
    });
  }

  #goLive(): void {
    this.#log.info("session connected");
    this.#output.resume();
    this.#cancelStats = this.#options.clock.after(STATS_MS, () => this.#everySecond());
    this.#pipeline.work?.notify();
  }

  #interrupt(): void {
    this.#log.info("session interrupted");
    this.#output.suspend();
    this.#cancelStats();
    // When the client is back, the next chunk is of what comes then.
    this.#pipeline.work?.dropInput();
  }

  async #close(reason: StopReason, error: Failure | undefined): Promise<void> {
    const isReachable = this.state === "live" || this.state === "connecting";
    this.#life.end();
    this.#options.onClosed(reason);
    this.#cancelStats();
    this.#output.close();
    this.#frameWatchers.clear();
    // Before there is a connection the offer itself was refused, and its answer says why.
    if (this.#connections.exists) {
      this.#log.info({ reason, ...(error && { error: error.message }) }, "session closed");
    }
    const stopped = this.#pipeline.stop();
    if (isReachable && reason !== "peer_closed" && reason !== "connect_timeout") {
      const failure = error === undefined ? {} : { code: error.code, error_message: error.message };
      this.#tell({ type: "stream_stopped", reason, ...failure });
      await this.#connections.flush();
    }
    this.#connections.close();
    await stopped;
  }

  #receiveFrame(frame: I420Frame): void {
    if (this.#isClosed()) return;
    this.#counts.framesIn += 1;
    const usable = this.#guard.accept(frame, this.pipeline?.size);
    if (usable !== undefined) this.#pipeline.work?.push(usable);
  }

  /** Changes parameters, and does what a pause or its end asks for at once. */
  #change<T>(change: () => T): T {
    const wasPaused = this.parameters.current.paused;
    const result = change();
    const { paused } = this.parameters.current;
    if (paused && !wasPaused) this.#output.hold();
    // What waited during the pause is old: the next chunk is of what comes now.
    if (wasPaused && !paused) this.#pipeline.work?.dropInput();
    this.#pipeline.work?.notify();
    return result;
  }

  #reportFailure(error: ApiError, isLast: boolean): void {
    this.#counts.chunksFailed += 1;
    this.#log.warn({ err: error.cause ?? error, code: error.code }, `chunk failed: ${error.message}`);
    if (isLast) void this.close("chunks_failed", error);
    else this.#tell(errorMessage(error));
  }

  #everySecond(): void {
    if (this.pipeline !== undefined) this.#tell(statsMessage(this.figures()));
    const { inputMode, paused } = this.parameters.current;
    const isWanted = this.#pipeline.work !== undefined && inputMode === "video" && !paused;
    const problem = this.#guard.check(this.#options.clock.now(), isWanted);
    if (problem !== undefined) this.#tell(errorMessage(problem));
    this.#cancelStats = this.#options.clock.after(STATS_MS, () => this.#everySecond());
  }

  #tell(message: ServerMessage): void {
    this.#connections.tell(message);
  }

  #isClosed(): boolean {
    return this.state === "closed";
  }

  #failIfClosed(): void {
    if (this.#isClosed()) throw new ApiError("session_not_found", { sessionId: this.id });
  }
}
