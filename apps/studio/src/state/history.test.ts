import { expect, test } from "vitest";
import { addSample, linePath, MAX_SAMPLES, niceTop, type Sample } from "./history.ts";

test("two minutes are kept", () => {
  const stats = { roundTripMs: 5 } as Parameters<typeof addSample>[1];
  const history = Array.from({ length: 200 }).reduce<readonly Sample[]>((all) => addSample(all, stats), []);
  expect(history).toHaveLength(MAX_SAMPLES);
  expect(history.at(-1)).toMatchObject({ roundTripMs: 5, fpsOut: undefined });
});

test("a line breaks where nothing is known and ends at the right edge", () => {
  expect(linePath([1, undefined, 2], 119, 10, 2)).toBe("M117.0 5.0M119.0 0.0");
});

test("the scale's end is round and high enough", () => {
  expect(niceTop([3, 41], 10)).toBe(50);
  expect(niceTop([undefined], 10)).toBe(10);
  expect(niceTop([1200], 10)).toBe(2000);
});
