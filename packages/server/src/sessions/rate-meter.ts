/**
 * Frames a second, from the times of the last frames.
 */

const MAX_SAMPLES = 30;
const MIN_SAMPLES = 5;
/** Older samples say nothing about now: a camera that stopped has no rate. */
const WINDOW_MS = 2000;

export class RateMeter {
  readonly #timesMs: number[] = [];

  /** Counts a frame. */
  add(nowMs: number): void {
    this.#timesMs.push(nowMs);
    if (this.#timesMs.length > MAX_SAMPLES) this.#timesMs.shift();
  }

  /** Frames a second, or undefined while there are too few recent ones to tell. */
  rate(nowMs: number): number | undefined {
    while (this.#timesMs.length > 0 && nowMs - this.#timesMs[0]! > WINDOW_MS) this.#timesMs.shift();
    const first = this.#timesMs[0];
    const last = this.#timesMs.at(-1);
    if (first === undefined || last === undefined || this.#timesMs.length < MIN_SAMPLES || last <= first) {
      return undefined;
    }
    return ((this.#timesMs.length - 1) * 1000) / (last - first);
  }
}
