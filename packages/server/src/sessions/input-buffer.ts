/**
 * The newest frames of a client, from which each chunk takes an even sample.
 *
 * A model slower than the camera skips frames evenly instead of falling
 * behind, so the speed of motion is kept: with `n` frames waiting and `k`
 * wanted, frame `i` of the chunk is the one at `round(i * n / k)`, halves to
 * even, and everything up to the last one taken is forgotten. These are the
 * numbers of Daydream Scope's server, so that the same video gives the same
 * chunks.
 */
import { RateMeter } from "./rate-meter.ts";

const MAX_FRAMES = 30;
/** Bound in bytes for large pictures; below this many frames it does not hold, or no chunk would ever be full. */
const MAX_BYTES = 96 * 1024 * 1024;
const MIN_FRAMES = 12;

export class InputBuffer<F extends { readonly data: Uint8Array }> {
  readonly #meter = new RateMeter();
  #frames: F[] = [];
  #bytes = 0;

  get length(): number {
    return this.#frames.length;
  }

  /** Adds a frame; beyond the bound the oldest is dropped. */
  push(frame: F, nowMs: number): void {
    this.#meter.add(nowMs);
    this.#frames.push(frame);
    this.#bytes += frame.data.byteLength;
    while (this.#frames.length > MAX_FRAMES || (this.#bytes > MAX_BYTES && this.#frames.length > MIN_FRAMES)) {
      this.#bytes -= this.#frames.shift()!.data.byteLength;
    }
  }

  /** Counts a frame that nobody will take, for the rate alone. */
  note(nowMs: number): void {
    this.#meter.add(nowMs);
  }

  /** The frames of the next chunk, oldest first; `count` is at most `length`. */
  take(count: number): F[] {
    const indices = sampleIndices(this.#frames.length, count);
    const taken = indices.map((index) => this.#frames[index]!);
    this.#frames = this.#frames.slice(indices.at(-1)! + 1);
    this.#bytes = this.#frames.reduce((sum, frame) => sum + frame.data.byteLength, 0);
    return taken;
  }

  /** Frames a second received, dropped ones included; undefined while unknown. */
  rate(nowMs: number): number | undefined {
    return this.#meter.rate(nowMs);
  }

  /** Forgets all frames, so that the next chunk is of what comes from now on. */
  clear(): void {
    this.#frames = [];
    this.#bytes = 0;
  }
}

/** Which of `length` frames a chunk of `count` takes; `length >= count`. */
export function sampleIndices(length: number, count: number): number[] {
  const step = length / count;
  return Array.from({ length: count }, (_, i) => roundHalfToEven(i * step));
}

function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  const isHalf = x - floor === 0.5;
  return isHalf ? floor + (floor % 2) : Math.round(x);
}
