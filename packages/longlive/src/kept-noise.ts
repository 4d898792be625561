/**
 * Noise that is drawn once while its seed stays the same: a stream whose noise
 * is fixed would draw the same numbers for each chunk, at some ten
 * milliseconds for a large picture.
 */
import type { NoiseFactory, NoiseSource } from "./noise.ts";

/** Draws of a chunk that are kept; later ones are made each time. */
const MOST_DRAWS = 4;

/** The same bits as `open` gives; what it hands out is not to be written to. */
export function keptNoise(open: NoiseFactory): NoiseFactory {
  let kept: { readonly seed: number; readonly draws: Float32Array[] } | undefined;
  return (seed) => {
    if (kept?.seed !== seed) kept = { seed, draws: [] };
    const { draws } = kept;
    const counts: number[] = [];
    let source: NoiseSource | undefined;
    return {
      normal(count) {
        const known = source ? undefined : draws[counts.length];
        counts.push(count);
        if (known?.length === count) return known;
        // Sources cannot be entered in the middle: it draws again what was read from memory.
        if (!source) {
          source = open(seed);
          for (const before of counts.slice(0, -1)) source.normal(before);
        }
        const drawn = source.normal(count);
        if (counts.length <= MOST_DRAWS) draws[counts.length - 1] = drawn;
        return drawn;
      },
    };
  };
}
