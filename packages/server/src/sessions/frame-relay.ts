/**
 * Sends each frame through a stream that works frame by frame. When frames
 * come in a burst only the newest goes on: late pictures are worth nothing.
 */
import { ApiError } from "@everframe/protocol";
import type { FrameStream } from "../pipelines/pipeline.ts";
import type { I420Frame } from "../webrtc/media-peer.ts";

export type FrameRelayOptions = {
  onFrame: (frame: I420Frame) => void;
  /** The stream failed; the relay has stopped. */
  onFailure: (error: ApiError) => void;
};

export class FrameRelay {
  readonly #stream: FrameStream;
  readonly #options: FrameRelayOptions;
  #latest: I420Frame | undefined;
  #stopped = false;

  constructor(stream: FrameStream, options: FrameRelayOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  push(frame: I420Frame): void {
    const isIdle = this.#latest === undefined;
    this.#latest = frame;
    if (isIdle) setImmediate(() => this.#relay());
  }

  stop(): void {
    this.#stopped = true;
  }

  #relay(): void {
    const frame = this.#latest;
    this.#latest = undefined;
    if (frame === undefined || this.#stopped) return;
    try {
      this.#options.onFrame(this.#stream.transform(frame));
    } catch (error) {
      this.#stopped = true;
      this.#options.onFailure(ApiError.from(error));
    }
  }
}
