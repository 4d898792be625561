/**
 * What stands between a client's pictures and the work. Pictures of any size
 * come in; one that is far larger than the pipeline makes is shrunk at once,
 * or thirty of them would fill the memory. And when video mode waits for
 * pictures that do not come, or that cannot be used, that is said.
 */
import { ApiError } from "@everframe/protocol";
import type { Size } from "../pipelines/pipeline.ts";
import { resizeI420 } from "../pipelines/resize.ts";
import type { I420Frame } from "../webrtc/media-peer.ts";

/** Full HD, as encoders make it; larger pictures are shrunk. */
const MAX_KEPT_PIXELS = 1920 * 1088;
/** Where there is no size to shrink to, larger ones are left out. */
const MAX_PASSED_PIXELS = 2048 * 2048;
const PATIENCE_MS = 5000;

export class InputGuard {
  #waitingSinceMs: number | undefined;
  #tooLarge: Size | undefined;
  #isTold = false;

  /** The picture as it is kept; undefined when it cannot be used. `target` is the pipeline's size, if it has one. */
  accept(frame: I420Frame, target: Size | undefined): I420Frame | undefined {
    const pixels = frame.width * frame.height;
    if (target === undefined && pixels > MAX_PASSED_PIXELS) {
      this.#tooLarge = { width: frame.width, height: frame.height };
      return undefined;
    }
    this.#waitingSinceMs = undefined;
    this.#tooLarge = undefined;
    this.#isTold = false;
    if (target === undefined || pixels <= Math.max(MAX_KEPT_PIXELS, target.width * target.height)) return frame;
    return resizeI420(frame, target);
  }

  /** What to tell the client, once in a dry spell. Call about once a second; `isWanted`: pictures are waited for. */
  check(nowMs: number, isWanted: boolean): ApiError | undefined {
    if (!isWanted) {
      this.#waitingSinceMs = undefined;
      return undefined;
    }
    this.#waitingSinceMs ??= nowMs;
    if (this.#isTold || nowMs - this.#waitingSinceMs < PATIENCE_MS) return undefined;
    this.#isTold = true;
    const large = this.#tooLarge;
    const reason =
      large === undefined ? "none came for some seconds" : `those of ${large.width}x${large.height} are too large`;
    return new ApiError("no_input", { reason });
  }
}
