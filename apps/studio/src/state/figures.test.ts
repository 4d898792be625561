import { expect, test } from "vitest";
import { bytesText, clockText, durationText, rounded, sizeText, stageText, UNKNOWN } from "./figures.ts";

test("what is not known is a dash", () => {
  expect([rounded(undefined), durationText(undefined)]).toEqual([UNKNOWN, UNKNOWN]);
  expect(sizeText(undefined)).toBe("");
  expect(stageText(undefined)).toBeUndefined();
});

test("figures are as short as they can be", () => {
  expect([rounded(0), rounded(0.44), rounded(9.96), rounded(27.6)]).toEqual(["0", "0.4", "10", "28"]);
  expect([durationText(849.6), durationText(1930)]).toEqual(["850 ms", "1.9 s"]);
  expect([bytesText(6.4e8), bytesText(1.62e10), bytesText(2100)]).toEqual(["640 MB", "16.2 GB", "2 kB"]);
  expect([clockText(65.9), clockText(0)]).toEqual(["1:05", "0:00"]);
  expect(sizeText({ width: 384, height: 224 })).toBe("384 × 224");
});
