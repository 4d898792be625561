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
import { type Frame, type Pixels, wordsOf } from "./preprocess.ts";
import { BLOCK, StillGate, smoothStep } from "./still-gate.ts";

/** Share of a new picture where nothing moves. */
const STILL_SHARE = 0.2;
/** Between these changes of a block's mean colour, of 255, what is made counts as another picture. */
const OTHER = [8, 20] as const;
/** Rows that are looked at for that. */
const ROW_STEP = 2;
/** Between these unexplained changes, of 255, the first filter ceases to act. */
const JUMP = [40, 80] as const;

/** Fixed-point numbers, and whole pixels as words, take half the time of floating ones and of bytes here. */
const UNIT = 256;
const RED_BLUE = 0xff00ff;
const GREEN = 0xff00;
const OPACITY = 0xff000000;
/** Largest unexplained change, in halves of a level. */
const LARGEST_JUMP = 4 * 255;
/** What to add to a pixel, by its unexplained change in halves of a level, from `-LARGEST_JUMP` on. */
const CORRECTIONS = Int8Array.from({ length: 2 * LARGEST_JUMP + 1 }, (_, i) => correctionOf((i - LARGEST_JUMP) / 2));

export class PictureFilter {
  readonly #gate: StillGate;
  /** The newest two pictures as the model made them, newest first. */
  #made: readonly [Int32Array, Int32Array] | undefined;
  /** The newest picture as it was shown, see `inUnits`. */
  #shown: Int32Array | undefined;

  constructor(width: number, height: number) {
    this.#gate = new StillGate(width, height);
  }

  reset(): void {
    this.#made = undefined;
    this.#shown = undefined;
    this.#gate.reset();
  }

  /**
   * The next chunk's pictures, filtered in place.
   * @param frames whose bytes begin at a whole word, as a new array's do
   * @param input the input video of the same pictures; without one nothing counts as still
   */
  apply(frames: readonly Frame[], input: Pixels | undefined): void {
    const moving = input?.frames === frames.length ? this.#gate.next(input) : undefined;
    // A stream's first picture is a latent of its own. What surrounds a border is changed only afterwards.
    for (let i = frames.length % TIME_FACTOR; i < frames.length; i += TIME_FACTOR) {
      const [before, twoBefore] = [this.#madeAt(frames, i - 1), this.#madeAt(frames, i - 2)];
      const after = frames[i + 1];
      if (before && twoBefore && after) soften(wordsOf(frames[i]!.data), before, twoBefore, wordsOf(after.data));
    }
    this.#keepMade(frames);
    for (const [i, frame] of frames.entries()) {
      if (moving && this.#shown) blend(this.#shown, frame, moving[i]!);
      else if (moving) this.#shown = inUnits(wordsOf(frame.data));
    }
    // Pictures without an input are shown as they are, and the next input begins anew.
    if (!moving) {
      this.#shown = undefined;
      this.#gate.reset();
    }
  }

  /** What the next chunk's first border needs, before averaging changes it. */
  #keepMade(frames: readonly Frame[]): void {
    const [lastButOne, last] = frames.slice(-2).map(({ data }) => wordsOf(data));
    if (!last || !lastButOne) return;
    this.#made ??= [new Int32Array(last.length), new Int32Array(last.length)];
    this.#made[0].set(last);
    this.#made[1].set(lastButOne);
  }

  #madeAt(frames: readonly Frame[], i: number): Int32Array | undefined {
    return i < 0 ? this.#made?.[-1 - i] : wordsOf(frames[i]!.data);
  }
}

/** @returns two words a pixel, of red with blue and of green: each in 16 bits, a level is a `UNIT` */
function inUnits(pixels: Int32Array): Int32Array {
  const shown = new Int32Array(2 * pixels.length);
  for (let i = 0; i < pixels.length; i++) {
    shown[2 * i] = (pixels[i]! & RED_BLUE) << 8;
    shown[2 * i + 1] = pixels[i]! & GREEN;
  }
  return shown;
}

/**
 * Moves what is shown towards the next picture, and makes that what is shown.
 * @param shown see `inUnits`
 * @param moving per block, 0 still to 1 moving
 */
function blend(shown: Int32Array, { width, height, data }: Frame, moving: Float32Array): void {
  const pixels = wordsOf(data);
  const columns = Math.ceil(width / BLOCK);
  for (let top = 0; top < height; top += BLOCK) {
    const bottom = Math.min(height, top + BLOCK);
    for (let left = 0; left < width; left += BLOCK) {
      const right = Math.min(width, left + BLOCK);
      const block = { width, top, bottom, left, right };
      const motion = moving[(top / BLOCK) * columns + left / BLOCK]!;
      const changing = motion === 1 ? 1 : Math.max(motion, otherness(shown, pixels, block));
      if (changing === 1) replaceBlock(shown, pixels, block);
      else blendBlock(shown, pixels, block, Math.round(UNIT * (STILL_SHARE + (1 - STILL_SHARE) * changing)));
    }
  }
}

/** Rows and columns of a block, of a picture that is `width` wide. */
type Block = {
  readonly width: number;
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
};

/** @returns how much a block of the next picture is another one than what is shown, 0 to 1 */
function otherness(shown: Int32Array, pixels: Int32Array, { width, top, bottom, left, right }: Block): number {
  let red = 0;
  let green = 0;
  let blue = 0;
  for (let y = top; y < bottom; y += ROW_STEP) {
    for (let i = y * width + left; i < y * width + right; i++) {
      const pixel = pixels[i]!;
      const redBlue = shown[2 * i]!;
      red += ((pixel & 0xff) << 8) - (redBlue & 0xffff);
      green += (pixel & GREEN) - shown[2 * i + 1]!;
      blue += ((pixel >>> 8) & 0xff00) - (redBlue >>> 16);
    }
  }
  const count = Math.ceil((bottom - top) / ROW_STEP) * (right - left);
  const change = Math.max(Math.abs(red), Math.abs(green), Math.abs(blue)) / (UNIT * count);
  // In float32, as what moves.
  return Math.fround(smoothStep(change, OTHER));
}

function replaceBlock(shown: Int32Array, pixels: Int32Array, { width, top, bottom, left, right }: Block): void {
  for (let y = top; y < bottom; y++) {
    for (let i = y * width + left; i < y * width + right; i++) {
      shown[2 * i] = (pixels[i]! & RED_BLUE) << 8;
      shown[2 * i + 1] = pixels[i]! & GREEN;
    }
  }
}

/** @param share of the next picture, in `UNIT`s */
function blendBlock(
  shown: Int32Array,
  pixels: Int32Array,
  { width, top, bottom, left, right }: Block,
  share: number,
): void {
  for (let y = top; y < bottom; y++) {
    for (let i = y * width + left; i < y * width + right; i++) {
      const pixel = pixels[i]!;
      const before = shown[2 * i]!;
      const red = blended(before & 0xffff, (pixel & 0xff) << 8, share);
      const blue = blended(before >>> 16, (pixel >>> 8) & 0xff00, share);
      const green = blended(shown[2 * i + 1]!, pixel & GREEN, share);
      const redBlue = red | (blue << 16);
      shown[2 * i] = redBlue;
      shown[2 * i + 1] = green;
      // To whole levels, by adding a half to each.
      pixels[i] = (pixel & OPACITY) | (((redBlue + 0x800080) >>> 8) & RED_BLUE) | ((green + 0x80) & GREEN);
    }
  }
}

function blended(shown: number, next: number, share: number): number {
  return shown + ((share * (next - shown)) >> 8);
}

/** Halves the jump from `before` to `picture` as far as the changes around it do not explain it. */
function soften(picture: Int32Array, before: Int32Array, twoBefore: Int32Array, after: Int32Array): void {
  for (let i = 0; i < picture.length; i++) {
    const [now, last, lastButOne, next] = [picture[i]!, before[i]!, twoBefore[i]!, after[i]!];
    picture[i] =
      (now & OPACITY) |
      softened(now, last, lastButOne, next, 16) |
      softened(now, last, lastButOne, next, 8) |
      softened(now, last, lastButOne, next, 0);
  }
}

/** Of four pixels the channel that begins at bit `at`, in its place. */
function softened(picture: number, before: number, twoBefore: number, after: number, at: number): number {
  const now = (picture >>> at) & 0xff;
  // now - before, less the mean of before - twoBefore and after - now; twice that.
  const jump = 3 * (now - ((before >>> at) & 0xff)) + ((twoBefore >>> at) & 0xff) - ((after >>> at) & 0xff);
  const value = now + CORRECTIONS[jump + LARGEST_JUMP]!;
  return (value < 0 ? 0 : value > 255 ? 255 : value) << at;
}

/** @param jump unexplained change, of 255 */
function correctionOf(jump: number): number {
  const [low, high] = JUMP;
  const size = Math.abs(jump);
  const share = size <= low ? 0.5 : (0.5 * Math.max(0, high - size)) / (high - low);
  return Math.floor(0.5 - share * jump);
}
