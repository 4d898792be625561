/**
 * Makes one chunk after the other for a session: waits for input, or for
 * nothing in text mode, takes the parameters of the moment, generates, and
 * hands the frames to the output. It never works ahead of the viewer by more
 * than a chunk, and after a failure goes on with the next chunk, a few times.
 */
import { ApiError, type Parameters } from "@everframe/protocol";
import type { Chunk, ChunkImages, ChunkStream } from "../pipelines/pipeline.ts";
import type { I420Frame, RgbaFrame } from "../webrtc/media-peer.ts";
import type { Clock } from "./clock.ts";
import type { InputBuffer } from "./input-buffer.ts";
import type { ChunkTiming } from "./output-pacer.ts";

const MAX_FAILURES = 3;
/** Text mode has no camera to follow; faster than this would only hurry the motion. */
const TEXT_MODE_MAX_FPS = 30;

export type ChunkLoopOptions = {
  clock: Clock;
  stream: ChunkStream;
  input: InputBuffer<I420Frame>;
  /** Whether there is a viewer to work for; default always. */
  isWanted?: () => boolean;
  /** The parameters as they are now, without taking what acts once. */
  currentParameters: () => Readonly<Parameters>;
  takeParameters: () => Parameters;
  /** The pictures that the parameters of a chunk name, read. Must not throw. */
  takeImages: (parameters: Parameters) => Promise<ChunkImages>;
  /** The original's fault: what acts once is lost when it comes while too few frames wait. Default false. */
  losesOneShots?: boolean;
  toRgba: (frame: I420Frame) => RgbaFrame;
  /** Frames that still wait to be sent. */
  queued: () => number;
  onChunk: (chunk: Chunk, timing: ChunkTiming) => void;
  /** A chunk failed; with `isLast` the loop has ended. */
  onFailure: (error: ApiError, isLast: boolean) => void;
};

export class ChunkLoop {
  readonly #options: ChunkLoopOptions;
  readonly #stopper = new AbortController();
  #wake: () => void = () => {};
  #failures = 0;

  constructor(options: ChunkLoopOptions) {
    this.#options = options;
  }

  /** Looks again whether a chunk can start: call after every change of what it waits for. */
  notify(): void {
    this.#wake();
  }

  /** Ends the loop; a running chunk is given up at its next step. */
  stop(): void {
    this.#stopper.abort();
    this.#wake();
  }

  /** Runs until `stop` or until too many chunks have failed. Never throws. */
  async run(): Promise<void> {
    const { signal } = this.#stopper;
    while (!signal.aborted) {
      if (!this.#canStart()) {
        if (this.#options.losesOneShots && this.#lacksFrames()) this.#options.takeParameters();
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      try {
        await this.#makeChunk(signal);
        this.#failures = 0;
      } catch (thrown) {
        if (signal.aborted) return;
        const error = ApiError.from(thrown);
        this.#failures += 1;
        const isLast = this.#failures >= MAX_FAILURES || error.code === "out_of_memory";
        if (isLast) this.#stopper.abort();
        this.#options.onFailure(error, isLast);
      }
    }
  }

  #canStart(): boolean {
    const { paused } = this.#options.currentParameters();
    if (this.#options.isWanted?.() === false) return false;
    if (paused || this.#options.queued() > this.#options.stream.framesPerChunk) return false;
    return !this.#lacksFrames();
  }

  #lacksFrames(): boolean {
    const { inputMode } = this.#options.currentParameters();
    return inputMode !== "text" && this.#options.input.length < this.#options.stream.framesPerChunk;
  }

  async #makeChunk(signal: AbortSignal): Promise<void> {
    const { clock, input, stream } = this.#options;
    const startedMs = clock.now();
    const parameters = this.#options.takeParameters();
    const isVideo = parameters.inputMode === "video";
    const video = isVideo ? { frames: input.take(stream.framesPerChunk).map(this.#options.toRgba) } : {};
    const images = await this.#options.takeImages(parameters);
    if (signal.aborted) return;
    const chunk = await stream.generate({ parameters, ...video, ...images }, signal);
    if (signal.aborted) return;
    const now = clock.now();
    const inputFps = isVideo ? input.rate(now) : TEXT_MODE_MAX_FPS;
    this.#options.onChunk(chunk, { busyMs: now - startedMs, inputFps });
  }
}
