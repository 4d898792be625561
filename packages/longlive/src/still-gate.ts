/**
 * Where a video stands still: blocks of 8 x 8 pixels whose brightness, averaged
 * over 4 x 4 pixels so that a sensor's noise hardly counts, did not change from
 * picture to picture, neither there nor right beside.
 */
import type { Pixels } from "./preprocess.ts";

/** Changes of brightness, of 255, below which a block is still and above which it moves. */
const CHANGE = [3, 7] as const;
const CELL = 4;
const BLOCK = 2 * CELL;
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

  /**
   * @param pixels [frames, 3, height, width] in -1 to 1
   * @returns for each frame [height / 8, width / 8] how much it moves, 0 to 1; a video's first picture moves
   */
  next({ frames, data }: Pixels): Float32Array[] {
    const size = data.length / frames;
    return Array.from({ length: frames }, (_, f) => {
      const before = this.#cells;
      this.#cells = this.#brightness(data.subarray(f * size, (f + 1) * size));
      return this.#moving(this.#cells, before);
    });
  }

  /** @returns [height / 4, width / 4] */
  #brightness(planes: Float32Array): Float32Array {
    const [width, height] = [this.#width, this.#height];
    const columns = Math.ceil(width / CELL);
    const cells = new Float32Array(columns * Math.ceil(height / CELL));
    const plane = width * height;
    for (let y = 0; y < height; y += ROW_STEP) {
      const row = Math.floor(y / CELL) * columns;
      for (let x = 0, i = y * width; x < width; x++, i++) {
        cells[row + Math.floor(x / CELL)]! +=
          0.299 * planes[i]! + 0.587 * planes[plane + i]! + 0.114 * planes[2 * plane + i]!;
      }
    }
    return cells.map((sum) => (sum * 127.5 * ROW_STEP) / CELL ** 2);
  }

  #moving(now: Float32Array, before: Float32Array | undefined): Float32Array {
    const rows = Math.ceil(this.#height / BLOCK);
    const columns = Math.ceil(this.#width / BLOCK);
    const moving = new Float32Array(rows * columns);
    if (!before) return moving.fill(1);
    const changed = this.#changed(now, before);
    const [low, high] = CHANGE;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const largest = largestAround(changed, rows, columns, row, column);
        const t = Math.min(1, Math.max(0, (largest - low) / (high - low)));
        moving[row * columns + column] = t * t * (3 - 2 * t);
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
