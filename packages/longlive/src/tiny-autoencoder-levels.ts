/**
 * Pictures as the networks of longlive-tiny's autoencoder read and write them:
 * levels of 0 to 255, one row for each latent position of each group of 4
 * frames, in it frame, channel, row and column of the 8x8 pixels. As bytes
 * where the network takes them, else as floats.
 */
import { SPACE_FACTOR, TIME_FACTOR } from "./autoencoder.ts";
import { type Frame, opaqueWord, type Pixels, RGB_CHANNELS } from "./preprocess.ts";
import type { LatentGrid } from "./wan-block.ts";

export type Levels = Uint8Array | Float32Array;

const CHANNEL = SPACE_FACTOR * SPACE_FACTOR;
/** Levels of one frame in a row. */
const SQUARE = RGB_CHANNELS * CHANNEL;
/** Values of a row: 4 frames x RGB x 8 x 8. */
export const PATCH = TIME_FACTOR * SQUARE;
/** A value of pixels is `level / HALF_RANGE - 1`. */
export const HALF_RANGE = 127.5;

/**
 * @param indices which frames of `pixels`, whole groups
 * @param dtype "u8" rounds what is not whole
 * @returns [groups, height, width, PATCH]
 */
export function levelsOf(pixels: Pixels, indices: readonly number[], grid: LatentGrid, dtype: "u8" | "f32"): Levels {
  const size = RGB_CHANNELS * CHANNEL * grid.height * grid.width;
  const levels = dtype === "u8" ? new Uint8Array(indices.length * size) : new Float32Array(indices.length * size);
  for (const [i, index] of indices.entries()) {
    const picture = pixels.pictures?.[index];
    if (picture) readPicture(picture.data, i, grid, levels);
    else readPlanes(pixels.data.subarray(index * size, (index + 1) * size), i, grid, levels);
  }
  return levels;
}

function readPicture(rgba: Uint8Array, frame: number, grid: LatentGrid, levels: Levels): void {
  let from = 0;
  for (let y = 0; y < SPACE_FACTOR * grid.height; y++) {
    let at = rowStart(frame, y, grid);
    for (let column = 0; column < grid.width; column++, at += PATCH) {
      for (let to = at; to < at + SPACE_FACTOR; to++, from += 4) {
        levels[to] = rgba[from]!;
        levels[to + CHANNEL] = rgba[from + 1]!;
        levels[to + 2 * CHANNEL] = rgba[from + 2]!;
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
  return Array.from({ length: groups * TIME_FACTOR }, (_, frame) => {
    const words = new Uint32Array(size.width * size.height);
    writePicture(levels, frame, grid, words);
    return { ...size, data: new Uint8Array(words.buffer) };
  });
}

function writePicture(levels: Levels, frame: number, grid: LatentGrid, words: Uint32Array): void {
  let to = 0;
  for (let y = 0; y < SPACE_FACTOR * grid.height; y++) {
    let at = rowStart(frame, y, grid);
    for (let column = 0; column < grid.width; column++, at += PATCH) {
      for (let from = at; from < at + SPACE_FACTOR; from++, to++) {
        words[to] = opaqueWord(levels[from]!, levels[from + CHANNEL]!, levels[from + 2 * CHANNEL]!);
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
