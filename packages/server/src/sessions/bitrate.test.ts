import { expect, it } from "vitest";
import { maxBitrateBps } from "./bitrate.ts";

const MBIT = 1_000_000;

it("[STR12] allows a bitrate by the size of the picture, and never more than the operator does", () => {
  expect(maxBitrateBps(undefined, undefined)).toBe(1.5 * MBIT);
  expect(maxBitrateBps({ width: 64, height: 48 }, undefined)).toBe(1.5 * MBIT);
  expect(maxBitrateBps({ width: 832, height: 480 }, undefined)).toBe(832 * 480 * 8);
  expect(maxBitrateBps({ width: 2048, height: 2048 }, undefined)).toBe(12 * MBIT);
  expect(maxBitrateBps({ width: 2048, height: 2048 }, 3 * MBIT)).toBe(3 * MBIT);
  expect(maxBitrateBps({ width: 64, height: 48 }, 0.4 * MBIT)).toBe(0.4 * MBIT);
  expect(maxBitrateBps({ width: 64, height: 48 }, 20 * MBIT)).toBe(1.5 * MBIT);
});
