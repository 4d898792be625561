/** How long each station of a chunk took. */

/** Milliseconds by station. */
export type ChunkTimings = {
  resize: number;
  encode: number;
  text: number;
  /** Condition branch, all steps. */
  vace: number;
  /** Main network, by step. */
  denoise: number[];
  /** Clean pass, and the renewal of keys for a new prompt. */
  cache: number;
  decode: number;
  total: number;
};

/** Adds up the work of one chunk. */
export class ChunkTimer {
  readonly #started = performance.now();
  readonly #timings: ChunkTimings = {
    resize: 0,
    encode: 0,
    text: 0,
    vace: 0,
    denoise: [],
    cache: 0,
    decode: 0,
    total: 0,
  };

  async time<T>(station: Exclude<keyof ChunkTimings, "denoise" | "total">, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.#timings[station] += performance.now() - started;
    return result;
  }

  timeSync<T>(station: "resize" | "decode", work: () => T): T {
    const started = performance.now();
    const result = work();
    this.#timings[station] += performance.now() - started;
    return result;
  }

  async step<T>(work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.#timings.denoise.push(performance.now() - started);
    return result;
  }

  finish(): ChunkTimings {
    return { ...this.#timings, total: performance.now() - this.#started };
  }
}
