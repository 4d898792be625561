import { expect, it } from "vitest";
import { keptNoise } from "./kept-noise.ts";
import { seededNoise } from "./noise.ts";

it("gives the bits of its factory, whatever is drawn in whatever order", () => {
  const kept = keptNoise(seededNoise);
  const chunks = [
    [7, [5, 3]],
    [7, [5, 3, 4]],
    [7, [5, 6]],
    [7, [5, 6, 1]],
    [8, [2]],
    [7, [5, 3, 4, 1, 2, 3]],
    [7, [5, 3, 4, 1, 2, 3]],
  ] as const;
  for (const [seed, counts] of chunks) {
    const [plain, source] = [seededNoise(seed), kept(seed)];
    for (const count of counts) expect(source.normal(count)).toEqual(plain.normal(count));
  }
});

it("draws once for chunks of one seed", () => {
  let drawn = 0;
  const kept = keptNoise((seed) => ({
    normal(count) {
      drawn++;
      return seededNoise(seed).normal(count);
    },
  }));
  const first = kept(1).normal(4);
  expect(kept(1).normal(4)).toBe(first);
  expect(drawn).toBe(1);
});
