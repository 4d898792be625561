/**
 * Evens out in time what a small model makes: pictures that jump at the border
 * of two latent frames, and still scenes that boil. Two filters, both of the
 * kind that video codecs and cameras have:
 * - at each border the part of a pixel's change that the changes before and
 *   after it do not explain is halved, unless it is so large that the picture
 *   really changed (a deblocking filter as in H.264, 8.7, but along time);
 * - where the input video stands still, pictures are averaged over time
 *   (recursive noise reduction gated by motion, Dubois & Sabri 1984).
 */
import { TIME_FACTOR } from "./autoencoder.ts";
import type { Frame, Pixels } from "./preprocess.ts";
import { StillGate } from "./still-gate.ts";

/** Share of a new picture where nothing moves. */
const STILL_SHARE = 0.2;
/** Between these unexplained changes, of 255, the first filter ceases to act. */
const JUMP = [40, 80] as const;

const RGBA = 4;

export class PictureFilter {
  readonly #gate: StillGate;
  /** The newest two pictures as the model made them, newest first. */
  #made: readonly Uint8Array[] = [];
  /** The newest picture as it was shown. */
  #shown: Float32Array | undefined;

  constructor(width: number, height: number) {
    this.#gate = new StillGate(width, height);
  }

  reset(): void {
    this.#made = [];
    this.#shown = undefined;
    this.#gate.reset();
  }

  /**
   * The next chunk's pictures, filtered in place.
   * @param input the input video of the same pictures; without one nothing counts as still
   */
  apply(frames: readonly Frame[], input: Pixels | undefined): void {
    const moving = input?.frames === frames.length ? this.#gate.next(input) : undefined;
    const made = frames.map(({ data }) => data.slice());
    // A stream's first picture is a latent of its own.
    const lead = frames.length % TIME_FACTOR;
    for (const [i, frame] of frames.entries()) {
      const [before, twoBefore] = [made[i - 1] ?? this.#made[0], made[i - 2] ?? this.#made[1 - i]];
      const after = made[i + 1];
      if (i % TIME_FACTOR === lead && before && twoBefore && after) soften(frame.data, before, twoBefore, after);
      this.#shown = this.#average(frame, moving?.[i]);
    }
    const [last, lastButOne] = [made.at(-1), made.at(-2)];
    if (last && lastButOne) this.#made = [last, lastButOne];
  }

  /** @param moving per block of 8 x 8 pixels, 0 still to 1 moving */
  #average({ width, height, data }: Frame, moving: Float32Array | undefined): Float32Array {
    const shown = this.#shown;
    if (!shown || !moving) return Float32Array.from(data);
    const columns = Math.ceil(width / 8);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x += 8) {
        const share = STILL_SHARE + (1 - STILL_SHARE) * moving[(y >> 3) * columns + (x >> 3)]!;
        const start = RGBA * (y * width + x);
        const end = RGBA * (y * width + Math.min(width, x + 8));
        for (let i = start; i < end; i++) shown[i]! += share * (data[i]! - shown[i]!);
      }
    }
    for (let i = 0; i < data.length; i++) data[i] = shown[i]! + 0.5; // rounds
    return shown;
  }
}

/** Halves the jump from `before` to `picture` as far as the changes around it do not explain it. */
function soften(picture: Uint8Array, before: Uint8Array, twoBefore: Uint8Array, after: Uint8Array): void {
  const [low, high] = JUMP;
  for (let i = 0; i < picture.length; i++) {
    const now = picture[i]!;
    const explained = 0.5 * (before[i]! - twoBefore[i]! + after[i]! - now);
    const jump = now - before[i]! - explained;
    const size = Math.abs(jump);
    if (size >= high) continue;
    const weight = size <= low ? 0.5 : (0.5 * (high - size)) / (high - low);
    picture[i] = Math.min(255, Math.max(0, now - weight * jump)) + 0.5;
  }
}
