/**
 * A session's stream of the loaded pipeline, at work: input buffered, chunks
 * or single frames made, pictures given to the output. A reload ends it and
 * begins another one, while the session and its connection go on.
 */
import { ApiError, type Parameters, type ServerMessage } from "@everframe/protocol";
import type { Logger } from "pino";
import type { ImageDecoder } from "../assets/image-decoder.ts";
import type { Chunk, ChunkStream, FrameStream, Pipeline, PipelineStream } from "../pipelines/pipeline.ts";
import type { I420Frame, MediaBackend } from "../webrtc/media-peer.ts";
import { ChunkLoop } from "./chunk-loop.ts";
import type { Clock } from "./clock.ts";
import { FrameRelay } from "./frame-relay.ts";
import { InputBuffer } from "./input-buffer.ts";
import { errorMessage, type SessionParameters } from "./parameters.ts";
import { SessionImages } from "./session-images.ts";
import type { VideoOutput } from "./video-output.ts";

/** A session that has more to say than this has said enough. */
const MAX_LOGGED_NOTICES = 100;

export type SessionWorkOptions = {
  pipeline: Pipeline;
  clock: Clock;
  media: MediaBackend;
  imageDecoder: ImageDecoder;
  parameters: SessionParameters;
  output: VideoOutput;
  log: Logger;
  /** Whether there is a viewer to work for. */
  isWanted: () => boolean;
  tell: (message: ServerMessage) => void;
  /** A chunk was made. */
  onChunk: (chunk: Chunk) => void;
  /** A chunk failed; with `isLast` the work has ended. */
  onFailure: (error: ApiError, isLast: boolean) => void;
};

/** What depends on whether the stream makes chunks or answers frame by frame. */
type Worker = {
  push: (frame: I420Frame) => void;
  /** Looks again at the parameters and at what waits. */
  notify: () => void;
  stop: () => Promise<void>;
};

export class SessionWork {
  readonly #options: SessionWorkOptions;
  readonly #stream: PipelineStream;
  readonly #input = new InputBuffer<I420Frame>();
  readonly #images: SessionImages;
  readonly #worker: Worker;
  readonly #loggedNotices = new Set<string>();
  #lastChunk: Chunk | undefined;

  private constructor(options: SessionWorkOptions, stream: PipelineStream) {
    this.#options = options;
    this.#stream = stream;
    this.#images = new SessionImages(options.imageDecoder, (error) => {
      options.log.warn({ err: error.cause ?? error, code: error.code }, "an image is left out");
      options.tell(errorMessage(error));
    });
    this.#worker = stream.kind === "frames" ? this.#relay(stream) : this.#loop(stream);
  }

  /** Opens a stream of the pipeline. Throws what the pipeline throws. */
  static async open(options: SessionWorkOptions): Promise<SessionWork> {
    const { pipeline } = options;
    return new SessionWork(options, await pipeline.openStream({ seed: pipeline.loadParams.seed }));
  }

  /** The chunk made last; undefined before the first, and always for pipelines that work frame by frame. */
  get lastChunk(): Chunk | undefined {
    return this.#lastChunk;
  }

  /** Frames a second that come from the client. */
  inputFps(): number {
    return this.#input.rate(this.#options.clock.now()) ?? 0;
  }

  /** Pictures of the client that wait for a chunk. */
  get queued(): number {
    return this.#input.length;
  }

  /** Takes a picture of the client. */
  push(frame: I420Frame): void {
    const now = this.#options.clock.now();
    const { paused, inputMode } = this.#options.parameters.current;
    const isRead = this.#stream.kind === "chunks" && inputMode === "video";
    if (isRead) this.#input.push(frame, now);
    else this.#input.note(now);
    if (!paused && this.#options.isWanted()) this.#worker.push(frame);
  }

  /** Looks again whether there is something to do: call after every change of what it waits for. */
  notify(): void {
    this.#worker.notify();
  }

  /** Forgets the pictures that wait, so that the next chunk is of what comes from now on. */
  dropInput(): void {
    this.#input.clear();
  }

  /** Ends the work; afterwards nothing of it comes out, and its stream is closed. */
  async stop(): Promise<void> {
    await this.#worker.stop();
    this.#stream.close();
  }

  #relay(stream: FrameStream): Worker {
    const { output, onFailure } = this.#options;
    const relay = new FrameRelay(stream, {
      onFrame: (frame) => output.sendNow(frame),
      onFailure: (error) => onFailure(error, true),
    });
    // Without chunks to wait for, parameters are in use as soon as they came.
    return { push: (frame) => relay.push(frame), notify: () => this.#tellApplied(), stop: async () => relay.stop() };
  }

  #loop(stream: ChunkStream): Worker {
    const { clock, media, output, parameters, pipeline, isWanted, onFailure } = this.#options;
    const loop = new ChunkLoop({
      clock,
      stream,
      input: this.#input,
      isWanted,
      currentParameters: () => parameters.current,
      takeParameters: () => this.#takeParameters(),
      takeImages: (taken) => this.#images.take(taken),
      losesOneShots: pipeline.loadParams.compat === "original",
      toRgba: media.toRgba,
      queued: () => output.length,
      onChunk: (chunk, timing) => {
        this.#passOn(chunk.notices);
        this.#lastChunk = chunk;
        this.#options.onChunk(chunk);
        if (!parameters.current.paused) output.push(chunk.frames.map(media.toI420), timing);
      },
      onFailure,
    });
    const running = loop.run();
    return {
      push: () => loop.notify(),
      notify: () => loop.notify(),
      stop: async () => {
        loop.stop();
        await running;
      },
    };
  }

  #takeParameters(): Parameters {
    const { parameters, pipeline } = this.#options;
    const taken = { vaceEnabled: pipeline.loadParams.vaceEnabled, ...parameters.take() };
    this.#tellApplied();
    return taken;
  }

  /** Answers the messages whose parameters are in use from now on. */
  #tellApplied(): void {
    const message = this.#options.parameters.takeApplied();
    if (message !== undefined) this.#options.tell(message);
  }

  /** Tells what was left out: the log each thing once, the viewer not again while it goes on. */
  #passOn(notices: readonly string[]): void {
    const { tell, log } = this.#options;
    const told = this.#lastChunk?.notices ?? [];
    for (const reason of new Set(notices)) {
      if (!told.includes(reason)) tell(errorMessage(new ApiError("left_out", { reason })));
      if (this.#loggedNotices.has(reason) || this.#loggedNotices.size >= MAX_LOGGED_NOTICES) continue;
      this.#loggedNotices.add(reason);
      log.warn(reason);
    }
  }
}
