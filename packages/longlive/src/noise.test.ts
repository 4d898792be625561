import { describe, expect, it } from "vitest";
import { naturalLog, normalQuantile, philox4x32, seededNoise } from "./noise.ts";

const bitsOf = (values: Float32Array) => Array.from(new Uint32Array(values.buffer), (word) => word.toString(16));

describe("philox4x32", () => {
  it("gives the known answers of the Random123 library", () => {
    const answer = (counter: number[], keyLow: number, keyHigh: number) => {
      const block = Uint32Array.from(counter);
      philox4x32(block, keyLow, keyHigh);
      return [...block];
    };
    const ones = 0xffffffff;
    expect(answer([0, 0, 0, 0], 0, 0)).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    expect(answer([ones, ones, ones, ones], ones, ones)).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
    expect(answer([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], 0xa4093822, 0x299f31d0)).toEqual([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ]);
  });
});

describe("normalQuantile", () => {
  it("gives the published values of the normal distribution", () => {
    expect(normalQuantile(0.25)).toBeCloseTo(-0.6744897501960817, 14);
    expect(normalQuantile(0.001)).toBeCloseTo(-3.090232306167813, 13);
    expect(normalQuantile(1 - 1e-10)).toBeCloseTo(6.361340889697422, 5);
    expect(normalQuantile(1e-20)).toBeCloseTo(-9.262340089798409, 12);
    expect(normalQuantile(0.5)).toBe(0);
  });

  it("rests on a logarithm that agrees with the platform's", () => {
    for (const x of [1e-20, 0.003, 0.0749, 0.5, 0.9, 1, 1.5, 12345.678]) {
      expect(Math.abs(naturalLog(x) - Math.log(x))).toBeLessThan(1e-14 * Math.max(1, Math.abs(Math.log(x))));
    }
  });
});

describe("seededNoise", () => {
  it("gives these bits on every platform", () => {
    expect(bitsOf(seededNoise(42).normal(8))).toEqual([
      "3e92f728",
      "bda16e33",
      "bfb9dfa1",
      "bed1fa53",
      "400fe2b3",
      "bee5650f",
      "3d0ece30",
      "bdeb0a09",
    ]);
    expect(bitsOf(seededNoise(2 ** 40 + 5).normal(4))).toEqual(["beabd289", "bf8c74da", "bf6030d5", "bfdc188c"]);
  });

  it("does not depend on how the draws are grouped", () => {
    const grouped = seededNoise(7);
    const parts = [...grouped.normal(3), ...grouped.normal(6), ...grouped.normal(2)];
    expect(parts).toEqual([...seededNoise(7).normal(11)]);
  });

  it("has the moments of a normal distribution and differs between seeds", () => {
    const values = seededNoise(1).normal(100_000);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    const kurtosis = values.reduce((a, b) => a + (b - mean) ** 4, 0) / values.length / variance ** 2;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.02);
    expect(Math.abs(kurtosis - 3)).toBeLessThan(0.1);
    expect(seededNoise(2).normal(4)).not.toEqual(seededNoise(1).normal(4));
  });

  it("refuses a seed that is not a whole number from 0", () => {
    for (const seed of [-1, 0.5, Number.NaN]) expect(() => seededNoise(seed)).toThrow(RangeError);
  });
});
