/**
 * Two arrays in turn, for what a stream computes again and again: the last
 * result stays while the next one is written. New arrays instead would cost a
 * large share of a chunk's time, in pages to clear and garbage to collect.
 */
export class AlternatingMemory {
  readonly #arrays: [Float32Array, Float32Array] = [new Float32Array(0), new Float32Array(0)];

  /**
   * @param inUse what was given before and is still to be read; without it the same array is given each time
   * @returns an array to be written; what was there before is still in it
   */
  take(length: number, inUse?: Float32Array): Float32Array {
    const turn = this.#arrays[0] === inUse ? 1 : 0;
    if (this.#arrays[turn].length !== length) this.#arrays[turn] = new Float32Array(length);
    return this.#arrays[turn];
  }
}
