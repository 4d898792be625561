// Pictures that carry their number, so that one that comes back tells when it was sent. Sixteen squares of black or white
// outlast VP8; what is below them moves, so that the codec has its usual work.

const BITS = 16;
/** A square of 32x32, two of VP8's macroblocks each way. */
const SQUARE = 32;
const [BLACK, WHITE] = [16, 235];
const RANGE = 2 ** BITS;
/** Later than this is no answer but a picture that was misread. */
const MAX_LATENCY_MS = 20_000;

/** Width of a picture for a clock, at least; its height is at least a square. */
export const MIN_WIDTH = BITS * SQUARE;

export class PictureClock {
  readonly #width: number;
  readonly #sentMs = new Float64Array(RANGE).fill(Number.NaN);

  constructor(width: number) {
    this.#width = width;
  }

  /** Fills the luma of a picture with the number `index` and notes the time. @param data I420, of the clock's width */
  draw(data: Uint8Array, index: number): void {
    const width = this.#width;
    const rows = (data.length * 2) / 3 / width;
    for (let y = SQUARE; y < rows; y++) data.fill(64 + ((y + 3 * index) & 127), y * width, (y + 1) * width);
    for (let bit = 0; bit < BITS; bit++) {
      const luma = (index >> bit) & 1 ? WHITE : BLACK;
      for (let y = 0; y < SQUARE; y++) data.fill(luma, y * width + bit * SQUARE, y * width + (bit + 1) * SQUARE);
    }
    this.#sentMs[index % RANGE] = performance.now();
  }

  /** @param data I420, of the clock's width @returns milliseconds since the picture was drawn; undefined for another */
  read(data: Uint8Array): number | undefined {
    let index = 0;
    for (let bit = 0; bit < BITS; bit++) {
      const middle = (SQUARE / 2) * this.#width + bit * SQUARE + SQUARE / 2;
      if ((data[middle] ?? 0) > (BLACK + WHITE) / 2) index |= 1 << bit;
    }
    const latencyMs = performance.now() - (this.#sentMs[index] ?? Number.NaN);
    return latencyMs >= 0 && latencyMs < MAX_LATENCY_MS ? latencyMs : undefined;
  }
}
