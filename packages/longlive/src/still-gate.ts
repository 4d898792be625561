/**
 * Where a video stands still: blocks of 8 x 8 pixels whose brightness, averaged
 * over 4 x 4 pixels so that a sensor's noise hardly counts, did not change from
 * picture to picture, neither there nor right beside.
 */
import { type Pixels, RGB_CHANNELS } from "./preprocess.ts";

/** Changes of brightness, of 255, below which a block is still and above which it moves. */
const CHANGE = [3, 7] as const;
const RGBA = 4;
const CELL = 4;
/** Pixels of a block's side. */
export const BLOCK = 2 * CELL;
/** Every second row is enough against noise, and half of the work. */
const ROW_STEP = 2;

export class StillGate {
  readonly #width: number;
  readonly #height: number;
  /** Mean brightness of each cell of the newest picture, of 255. */
  #cells: Float32Array | undefined;

  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
  }

  reset(): void {
    this.#cells = undefined;
  }

  /** @returns for each frame [height / 8, width / 8] how much it moves, 0 to 1; a video's first picture moves */
  next(pixels: Pixels): Float32Array[] {
    const plane = this.#width * this.#height;
    return Array.from({ length: pixels.frames }, (_, f) => {
      const picture = pixels.pictures?.[f];
      const now = picture
        ? this.#brightness(picture.data, { step: RGBA, channel: 1, scale: 1 })
        : this.#brightness(pixels.data.subarray(f * RGB_CHANNELS * plane), { step: 1, channel: plane, scale: 127.5 });
      const before = this.#cells;
      this.#cells = now;
      return this.#moving(now, before);
    });
  }

  /**
   * @param values with `step` from pixel to pixel and `channel` from red to green to blue
   * @returns [height / 4, width / 4] means, of 255 when multiplied by `scale`, but for a constant
   */
  #brightness(
    values: Uint8Array | Float32Array,
    layout: { step: number; channel: number; scale: number },
  ): Float32Array {
    const { step, channel, scale } = layout;
    const [width, height] = [this.#width, this.#height];
    const columns = Math.ceil(width / CELL);
    const cells = new Float32Array(columns * Math.ceil(height / CELL));
    const weight = (scale * ROW_STEP) / CELL ** 2;
    for (let y = 0; y < height; y += ROW_STEP) {
      const row = Math.floor(y / CELL) * columns;
      for (let column = 0; column < columns; column++) {
        let sum = 0;
        const from = y * width + column * CELL;
        for (let x = from; x < Math.min(from + CELL, (y + 1) * width); x++) {
          const i = x * step;
          sum += 0.299 * values[i]! + 0.587 * values[i + channel]! + 0.114 * values[i + 2 * channel]!;
        }
        cells[row + column]! += weight * sum;
      }
    }
    return cells;
  }

  #moving(now: Float32Array, before: Float32Array | undefined): Float32Array {
    const rows = Math.ceil(this.#height / BLOCK);
    const columns = Math.ceil(this.#width / BLOCK);
    const moving = new Float32Array(rows * columns);
    if (!before) return moving.fill(1);
    const changed = this.#changed(now, before);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        moving[row * columns + column] = smoothStep(largestAround(changed, rows, columns, row, column), CHANGE);
      }
    }
    return moving;
  }

  /** @returns [height / 8, width / 8] the largest change of brightness of a block's cells */
  #changed(now: Float32Array, before: Float32Array): Float32Array {
    const columns = Math.ceil(this.#width / BLOCK);
    const cellColumns = Math.ceil(this.#width / CELL);
    const changed = new Float32Array(columns * Math.ceil(this.#height / BLOCK));
    for (let i = 0; i < now.length; i++) {
      const [y, x] = [Math.floor(i / cellColumns), i % cellColumns];
      const block = (y >> 1) * columns + (x >> 1);
      changed[block] = Math.max(changed[block]!, Math.abs(now[i]! - before[i]!));
    }
    return changed;
  }
}

/** 0 below the first limit, 1 above the second, without a kink between. */
export function smoothStep(value: number, [low, high]: readonly [number, number]): number {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
}

/** The largest value of a block and the blocks beside it. */
function largestAround(values: Float32Array, rows: number, columns: number, row: number, column: number): number {
  let largest = 0;
  for (let y = Math.max(0, row - 1); y < Math.min(rows, row + 2); y++) {
    for (let x = Math.max(0, column - 1); x < Math.min(columns, column + 2); x++) {
      largest = Math.max(largest, values[y * columns + x]!);
    }
  }
  return largest;
}
