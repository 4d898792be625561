import { describe, expect, it } from "vitest";
import { fixedNoise } from "./fixed-noise.ts";
import { seededNoise } from "./noise.ts";

const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
const product = (a: Float32Array, b: Float32Array) => mean(a.map((value, i) => value * b[i]!));

describe("fixedNoise", () => {
  it("gives every frame of a draw the same values, and the next draw others", () => {
    const noise = fixedNoise(seededNoise(3), { channels: 1, height: 2, width: 2 });
    const plain = seededNoise(3);
    const [first, second] = [[...plain.normal(4)], [...plain.normal(4)]];
    expect([...noise.normal(12)]).toEqual([...first, ...first, ...first]);
    expect([...noise.normal(8)]).toEqual([...second, ...second]);
  });

  it("is as strong as asked for, and leaves what it comes from as it is", () => {
    const drawn = Float32Array.of(1, -2, 4);
    const noise = fixedNoise({ normal: () => drawn }, { channels: 3, height: 1, width: 1 }, { gain: 0.5 });
    expect([...noise.normal(3)]).toEqual([0.5, -1, 2]);
    expect([...noise.normal(6)]).toEqual([0.5, -1, 2, 0.5, -1, 2]);
  });
});

describe("smooth fixed noise", () => {
  const grid = { channels: 6, height: 64, width: 64 };
  const plane = grid.height * grid.width;
  const smooth = { orders: [8, 2, 8, 2], turn: [0.3, -0.2] };
  const channel = (draw: Float32Array, frame: number, i: number) =>
    draw.subarray((frame * grid.channels + i) * plane, (frame * grid.channels + i + 1) * plane);
  const beside = (values: Float32Array) =>
    product(
      values.filter((_, i) => i % grid.width < grid.width - 1),
      values.filter((_, i) => i % grid.width > 0),
    );

  it("is alike at neighbouring places, by the order of its channel, and as strong as other noise", () => {
    const draw = fixedNoise(seededNoise(5), grid, { smooth }).normal(grid.channels * plane);
    for (const i of [0, 1, 2, 3, 4, 5]) {
      const values = channel(draw, 0, i);
      const strength = product(values, values);
      // The tolerance of a field of these lengths is some three deviations.
      expect(strength).toBeGreaterThan(0.75);
      expect(strength).toBeLessThan(1.25);
      // The autocorrelation of a binomial kernel of order n at distance 1 is n / (n + 1).
      const order = i < 2 ? 0 : smooth.orders[i - 2]!;
      expect(Math.abs(beside(values) / strength - order / (order + 1))).toBeLessThan(0.06);
    }
  });

  it("keeps its strength at the borders", () => {
    const corners = Array.from({ length: 400 }, (_, seed) => {
      const small = { channels: 1, height: 4, width: 4 };
      return fixedNoise(seededNoise(seed), small, { smooth: { orders: [8], turn: [] } }).normal(16)[0]!;
    });
    const values = Float32Array.from(corners);
    expect(Math.abs(product(values, values) - 1)).toBeLessThan(0.25);
  });

  it("rests over a video; where there is none each field turns at its own speed, and all else is silent", () => {
    const draw = (options: { turnFrom?: number }) =>
      fixedNoise(seededNoise(5), grid, { smooth, ...options }).normal(3 * grid.channels * plane);
    const resting = draw({});
    expect([...channel(resting, 2, 2)]).toEqual([...channel(resting, 0, 2)]);
    const turning = draw({ turnFrom: 0 });
    expect(channel(turning, 0, 2)).toEqual(channel(resting, 0, 2));
    expect(channel(resting, 0, 0).some((value) => value !== 0)).toBe(true);
    expect(channel(turning, 2, 0).every((value) => value === 0)).toBe(true);
    for (const [i, angle] of smooth.turn.entries()) {
      const [real, imaginary] = [channel(resting, 0, 2 + i), channel(resting, 0, 4 + i)];
      const at = 1000;
      const expected = Math.cos(2 * angle) * real[at]! - Math.sin(2 * angle) * imaginary[at]!;
      expect(channel(turning, 2, 2 + i)[at]).toBeCloseTo(expected, 5);
    }
    // A later chunk goes on where the one before ended.
    expect([...channel(draw({ turnFrom: 2 }), 0, 3)]).toEqual([...channel(turning, 2, 3)]);
  });

  it("is smooth in the first draw alone", () => {
    const noise = fixedNoise(seededNoise(5), grid, { smooth });
    noise.normal(grid.channels * plane);
    expect(Math.abs(beside(channel(noise.normal(grid.channels * plane), 0, 2)))).toBeLessThan(0.06);
  });
});
