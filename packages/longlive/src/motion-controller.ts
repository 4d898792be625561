/**
 * Chooses the noise level of a chunk from the motion in its newest frames: a
 * still picture bears more noise than a moving one. State: the last frame of
 * the chunk before.
 */
import type { Pixels } from "./preprocess.ts";

const FULL_MOTION = 0.2;
const STILL_LEVEL = 0.8;
const MOTION_SHARE = 0.2;
const CALLER_SHARE = 0.1;

export class MotionController {
  readonly #comparedFrames: number;
  #last: Float32Array | undefined;

  /** @param comparedFrames newest pixel frames that count. */
  constructor(comparedFrames: number) {
    this.#comparedFrames = comparedFrames;
  }

  reset(): void {
    this.#last = undefined;
  }

  /** Noise scale of a chunk of `video`, pulled a little towards the caller's own. */
  next(video: Pixels, noiseScale: number): number {
    const size = video.data.length / video.frames;
    const frameAt = (i: number) => video.data.subarray(i * size, (i + 1) * size);
    const first = Math.max(this.#last ? 0 : 1, video.frames - this.#comparedFrames);
    let motion = 0;
    for (let i = first; i < video.frames; i++) {
      // The first compared frame is held against the chunk before, though that lies some frames back.
      const before = i === first && this.#last ? this.#last : frameAt(i - 1);
      motion = Math.max(motion, rootMeanSquare(frameAt(i), before));
    }
    this.#last = frameAt(video.frames - 1).slice();
    const share = Math.min(1, Math.max(0, Math.fround(motion / FULL_MOTION)));
    return (STILL_LEVEL - MOTION_SHARE * share) * (1 - CALLER_SHARE) + noiseScale * CALLER_SHARE;
  }
}

function rootMeanSquare(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.fround(Math.sqrt(sum / a.length));
}
