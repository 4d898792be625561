/**
 * Pictures as the networks of longlive-tiny's autoencoder read and write them:
 * levels of 0 to 255, one row for each latent position of each group of 4
 * frames, in it frame, channel, row and column of the 8x8 pixels. As bytes
 * where the network takes them, else as floats.
 */
import { SPACE_FACTOR, TIME_FACTOR } from "./autoencoder.ts";
import { type Frame, type Pixels, RGB_CHANNELS, wordsOf } from "./preprocess.ts";
import type { LatentGrid } from "./wan-block.ts";

export type Levels = Uint8Array | Float32Array;
export type LevelType = "u8" | "f32";

const CHANNEL = SPACE_FACTOR * SPACE_FACTOR;
/** Levels of one frame in a row. */
const SQUARE = RGB_CHANNELS * CHANNEL;
/** Values of a row: 4 frames x RGB x 8 x 8. */
export const PATCH = TIME_FACTOR * SQUARE;
/** A value of pixels is `level / HALF_RANGE - 1`. */
export const HALF_RANGE = 127.5;
/** Bytes of a word, of which pictures are read and written: four channels of a pixel, or a channel of four. */
const WORD = 4;
const OPAQUE = 0xff000000;

/** Memory for the levels of a video, which each reading of it writes to anew. */
export class LevelMemory {
  levels: Levels = new Uint8Array(0);
  readings = 0;

  /** @returns levels to be written; what was there before may still be in them */
  take(length: number, dtype: LevelType): Levels {
    this.readings++;
    const fits = this.levels.length === length && this.levels instanceof Uint8Array === (dtype === "u8");
    if (!fits) this.levels = levelArray(dtype, length);
    return this.levels;
  }
}

export function levelArray(dtype: LevelType, length: number): Levels {
  return dtype === "u8" ? new Uint8Array(length) : new Float32Array(length);
}

/** What was read last of a video: in a chunk the decoder may glance at what the encoder read. */
const lastRead = new WeakMap<
  Pixels,
  { readonly key: string; readonly memory: LevelMemory; readonly reading: number }
>();

/**
 * @param indices which frames of `pixels`, whole groups
 * @param dtype "u8" rounds what is not whole
 * @param memory where they hold until it is read to again; default: a new one
 * @returns [groups, height, width, PATCH], not to be written to
 */
export function levelsOf(
  pixels: Pixels,
  indices: readonly number[],
  grid: LatentGrid,
  dtype: LevelType,
  memory = new LevelMemory(),
): Levels {
  const key = `${dtype} ${indices.join()}`;
  const last = lastRead.get(pixels);
  if (last?.key === key && last.reading === last.memory.readings) return last.memory.levels;
  const levels = memory.take(indices.length * SQUARE * grid.height * grid.width, dtype);
  readLevels(pixels, indices, grid, levels);
  lastRead.set(pixels, { key, memory, reading: memory.readings });
  return levels;
}

function readLevels(pixels: Pixels, indices: readonly number[], grid: LatentGrid, levels: Levels): void {
  const size = SQUARE * grid.height * grid.width;
  const bytes = levels instanceof Uint8Array ? levels : new Uint8Array(pixels.pictures ? levels.length : 0);
  for (const [i, index] of indices.entries()) {
    const picture = pixels.pictures?.[index];
    if (picture) readPicture(wordsOf(picture.data), i, grid, wordsOf(bytes));
    else readPlanes(pixels.data.subarray(index * size, (index + 1) * size), i, grid, levels);
  }
  if (pixels.pictures && bytes !== levels) levels.set(bytes);
}

/**
 * Four pixels at a time, a word each, to a word of each channel.
 * @param pixels [height, width] RGBA
 */
function readPicture(pixels: Int32Array, frame: number, grid: LatentGrid, levels: Int32Array): void {
  let from = 0;
  for (let y = 0; y < SPACE_FACTOR * grid.height; y++) {
    let at = rowStart(frame, y, grid) / WORD;
    for (let column = 0; column < grid.width; column++, at += PATCH / WORD) {
      for (let to = at; to < at + SPACE_FACTOR / WORD; to++, from += WORD) {
        const a = pixels[from]!;
        const b = pixels[from + 1]!;
        const c = pixels[from + 2]!;
        const d = pixels[from + 3]!;
        // Red and blue of two pixels side by side.
        const ab = (a & 0xff00ff) | ((b & 0xff00ff) << 8);
        const cd = (c & 0xff00ff) | ((d & 0xff00ff) << 8);
        levels[to] = (ab & 0xffff) | (cd << 16);
        levels[to + CHANNEL / WORD] = ((a >>> 8) & 0xff) | (b & 0xff00) | ((c & 0xff00) << 8) | ((d & 0xff00) << 16);
        levels[to + (2 * CHANNEL) / WORD] = (ab >>> 16) | (cd & 0xffff0000);
      }
    }
  }
}

/** @param planes [3, H, W] in -1 to 1 */
function readPlanes(planes: Float32Array, frame: number, grid: LatentGrid, levels: Levels): void {
  const rounding = levels instanceof Uint8Array ? 0.5 : 0;
  let from = 0;
  for (let c = 0; c < RGB_CHANNELS; c++) {
    for (let y = 0; y < SPACE_FACTOR * grid.height; y++) {
      let at = rowStart(frame, y, grid) + c * CHANNEL;
      for (let column = 0; column < grid.width; column++, at += PATCH) {
        for (let to = at; to < at + SPACE_FACTOR; to++, from++) {
          levels[to] = (planes[from]! + 1) * HALF_RANGE + rounding;
        }
      }
    }
  }
}

/** @param levels [groups, height, width, PATCH] */
export function picturesOf(levels: Levels, groups: number, grid: LatentGrid): Frame[] {
  const size = { width: grid.width * SPACE_FACTOR, height: grid.height * SPACE_FACTOR };
  const words = wordsOf(levels instanceof Uint8Array ? levels : new Uint8Array(levels));
  return Array.from({ length: groups * TIME_FACTOR }, (_, frame) => {
    const data = new Uint8Array(WORD * size.width * size.height);
    writePicture(words, frame, grid, wordsOf(data));
    return { ...size, data };
  });
}

/** The way back of `readPicture`. */
function writePicture(levels: Int32Array, frame: number, grid: LatentGrid, pixels: Int32Array): void {
  let to = 0;
  for (let y = 0; y < SPACE_FACTOR * grid.height; y++) {
    let at = rowStart(frame, y, grid) / WORD;
    for (let column = 0; column < grid.width; column++, at += PATCH / WORD) {
      for (let from = at; from < at + SPACE_FACTOR / WORD; from++, to += WORD) {
        const red = levels[from]!;
        const green = levels[from + CHANNEL / WORD]!;
        const blue = levels[from + (2 * CHANNEL) / WORD]!;
        pixels[to] = OPAQUE | ((blue & 0xff) << 16) | ((green & 0xff) << 8) | (red & 0xff);
        pixels[to + 1] = OPAQUE | ((blue & 0xff00) << 8) | (green & 0xff00) | ((red >>> 8) & 0xff);
        pixels[to + 2] = OPAQUE | (blue & 0xff0000) | ((green >>> 8) & 0xff00) | ((red >>> 16) & 0xff);
        pixels[to + 3] = OPAQUE | ((blue >>> 8) & 0xff0000) | ((green >>> 16) & 0xff00) | (red >>> 24);
      }
    }
  }
}

/**
 * Where the levels of a picture's row begin: 8 of each channel, and `PATCH` further on those of the next 8 columns.
 * @param frame counted from the first group on
 */
function rowStart(frame: number, y: number, { height, width }: LatentGrid): number {
  const position = (Math.floor(frame / TIME_FACTOR) * height + Math.floor(y / SPACE_FACTOR)) * width;
  return position * PATCH + (frame % TIME_FACTOR) * SQUARE + (y % SPACE_FACTOR) * SPACE_FACTOR;
}
