/**
 * Evens out in time what a small model makes: pictures that jump at the border
 * of two latent frames, and still scenes that boil. Two filters, both of the
 * kind that video codecs and cameras have:
 * - at each border the part of a pixel's change that the changes before and
 *   after it do not explain is halved, unless it is so large that the picture
 *   really changed (a deblocking filter as in H.264, 8.7, but along time);
 * - where the input video stands still, pictures are averaged over time
 *   (recursive noise reduction gated by motion, Dubois & Sabri 1984), unless
 *   what the model makes there has become another, as after a new prompt.
 */
import { TIME_FACTOR } from "./autoencoder.ts";
import type { Frame, Pixels } from "./preprocess.ts";
import { BLOCK, StillGate, smoothStep } from "./still-gate.ts";

/** Share of a new picture where nothing moves. */
const STILL_SHARE = 0.2;
/** Between these changes of a block's mean colour, of 255, what is made counts as another picture. */
const OTHER = [8, 20] as const;
/** Rows that are looked at for that. */
const ROW_STEP = 2;
/** Between these unexplained changes, of 255, the first filter ceases to act. */
const JUMP = [40, 80] as const;

const RGBA = 4;
/** Fixed-point numbers: half the time of floating ones here. */
const UNIT = 256;
/** Largest unexplained change, in halves of a level. */
const LARGEST_JUMP = 4 * 255;
/** What to add to a pixel, by its unexplained change in halves of a level, from `-LARGEST_JUMP` on. */
const CORRECTIONS = Int8Array.from({ length: 2 * LARGEST_JUMP + 1 }, (_, i) => correctionOf((i - LARGEST_JUMP) / 2));

export class PictureFilter {
  readonly #gate: StillGate;
  /** The newest two pictures as the model made them, newest first. */
  #made: readonly Uint8Array[] = [];
  /** The newest picture as it was shown, in 1/256 of a level. */
  #shown: Uint16Array | undefined;

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
    // A stream's first picture is a latent of its own. What surrounds a border is changed only afterwards.
    for (let i = frames.length % TIME_FACTOR; i < frames.length; i += TIME_FACTOR) {
      const [before, twoBefore] = [this.#madeAt(frames, i - 1), this.#madeAt(frames, i - 2)];
      const after = frames[i + 1]?.data;
      if (before && twoBefore && after) soften(frames[i]!.data, before, twoBefore, after);
    }
    const [lastButOne, last] = frames.slice(-2).map(({ data }) => data.slice());
    for (const [i, frame] of frames.entries()) {
      if (moving && this.#shown) blend(this.#shown, frame, moving[i]!);
      else if (moving) this.#shown = inUnits(frame);
    }
    // Pictures without an input are shown as they are, and the next input begins anew.
    if (!moving) {
      this.#shown = undefined;
      this.#gate.reset();
    }
    if (last && lastButOne) this.#made = [last, lastButOne];
  }

  #madeAt(frames: readonly Frame[], i: number): Uint8Array | undefined {
    return i < 0 ? this.#made[-1 - i] : frames[i]!.data;
  }
}

function inUnits({ data }: Frame): Uint16Array {
  const shown = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) shown[i] = data[i]! * UNIT;
  return shown;
}

/**
 * Moves what is shown towards the next picture, and makes that what is shown.
 * @param moving per block, 0 still to 1 moving
 */
function blend(shown: Uint16Array, frame: Frame, moving: Float32Array): void {
  const { width, height, data } = frame;
  const columns = Math.ceil(width / BLOCK);
  const others = otherness(shown, frame);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / BLOCK) * columns;
    for (let column = 0; column < columns; column++) {
      const changing = Math.max(moving[row + column]!, others[row + column]!);
      const share = Math.round(UNIT * (STILL_SHARE + (1 - STILL_SHARE) * changing));
      const start = RGBA * (y * width + BLOCK * column);
      const end = RGBA * (y * width + Math.min(width, BLOCK * (column + 1)));
      if (share === UNIT) {
        for (let i = start; i < end; i++) shown[i] = data[i]! * UNIT;
        continue;
      }
      // Opacity stays.
      for (let i = start; i < end; i += RGBA) {
        blendValue(shown, data, i, share);
        blendValue(shown, data, i + 1, share);
        blendValue(shown, data, i + 2, share);
      }
    }
  }
}

/** @returns per block how much the next picture is another one than what is shown, 0 to 1 */
function otherness(shown: Uint16Array, { width, height, data }: Frame): Float32Array {
  const columns = Math.ceil(width / BLOCK);
  const others = new Float32Array(columns * Math.ceil(height / BLOCK));
  for (let top = 0; top < height; top += BLOCK) {
    const bottom = Math.min(height, top + BLOCK);
    for (let left = 0; left < width; left += BLOCK) {
      const right = Math.min(width, left + BLOCK);
      let [red, green, blue] = [0, 0, 0];
      for (let y = top; y < bottom; y += ROW_STEP) {
        for (let i = RGBA * (y * width + left); i < RGBA * (y * width + right); i += RGBA) {
          red += data[i]! * UNIT - shown[i]!;
          green += data[i + 1]! * UNIT - shown[i + 1]!;
          blue += data[i + 2]! * UNIT - shown[i + 2]!;
        }
      }
      const count = Math.ceil((bottom - top) / ROW_STEP) * (right - left);
      const change = Math.max(Math.abs(red), Math.abs(green), Math.abs(blue)) / (UNIT * count);
      others[(top / BLOCK) * columns + left / BLOCK] = smoothStep(change, OTHER);
    }
  }
  return others;
}

function blendValue(shown: Uint16Array, data: Uint8Array, i: number, share: number): void {
  const value = shown[i]! + ((share * (data[i]! * UNIT - shown[i]!)) >> 8);
  shown[i] = value;
  data[i] = (value + UNIT / 2) >> 8;
}

/** Halves the jump from `before` to `picture` as far as the changes around it do not explain it. */
function soften(picture: Uint8Array, before: Uint8Array, twoBefore: Uint8Array, after: Uint8Array): void {
  const clamped = new Uint8ClampedArray(picture.buffer, picture.byteOffset, picture.length);
  for (let i = 0; i < picture.length; i++) {
    const now = picture[i]!;
    // now - before, less the mean of before - twoBefore and after - now; twice that.
    const jump = 3 * (now - before[i]!) + twoBefore[i]! - after[i]!;
    clamped[i] = now + CORRECTIONS[jump + LARGEST_JUMP]!;
  }
}

/** @param jump unexplained change, of 255 */
function correctionOf(jump: number): number {
  const [low, high] = JUMP;
  const size = Math.abs(jump);
  const share = size <= low ? 0.5 : (0.5 * Math.max(0, high - size)) / (high - low);
  return Math.floor(0.5 - share * jump);
}
