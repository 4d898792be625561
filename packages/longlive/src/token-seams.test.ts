import { describe, expect, it } from "vitest";
import { type SeamVectors, TokenSeams } from "./token-seams.ts";

const GRID = { height: 4, width: 8 };
const PLANE = GRID.height * GRID.width;
/** Colours of the latents below: channel 3c + 0 is a colour's mean, 3c + 1 its slope along x, 3c + 2 along y. */
const CHANNELS = 9;

/** Vectors of an autoencoder whose latents are drawn as planes: mean + slope * x, x from -1 to 1 across a latent. */
function planes(): SeamVectors {
  const [edges, ramps] = [new Float32Array(2 * 2 * 3 * CHANNELS), new Float32Array(2 * 2 * 2 * 3 * CHANNELS)];
  for (const axis of [0, 1]) {
    for (const colour of [0, 1, 2]) {
      for (const side of [0, 1]) {
        const row = ((axis * 2 + side) * 3 + colour) * CHANNELS;
        edges[row + 3 * colour] = 1;
        edges[row + 3 * colour + 1 + axis] = side === 0 ? -1 : 1;
        for (const border of [0, 1]) {
          const at = (((axis * 2 + side) * 2 + border) * 3 + colour) * CHANNELS;
          // A ramp over two latents from 1/2 at the border to 0: its means are 3/8 and 1/8, its slope -1/8.
          ramps[at + 3 * colour] = (border === 0 ? -1 : 1) * (side === border ? 3 / 8 : 1 / 8);
          ramps[at + 3 * colour + 1 + axis] = 1 / 8;
        }
      }
    }
  }
  return { edges, ramps };
}

/** One frame whose red mean is `level(column, row)`. */
function reds(level: (column: number, row: number) => number) {
  const data = new Float32Array(CHANNELS * PLANE);
  for (let i = 0; i < PLANE; i++) data[i] = level(i % GRID.width, Math.floor(i / GRID.width));
  return { frames: 1, data };
}

const seams = new TokenSeams(planes(), GRID);
const red = (data: Float32Array, column: number, row = 0) => data[row * GRID.width + column]!;
const slope = (data: Float32Array, column: number, row = 0) => data[PLANE + row * GRID.width + column]!;

describe("seams of tokens", () => {
  it("become ramps without a jump at the border, the same mean on both sides of it", () => {
    const tiles = reds((column) => (column < 4 ? 0.05 : 0));
    const { data } = seams.smooth(tiles);
    const left = red(data, 3) + slope(data, 3);
    const right = red(data, 4) - slope(data, 4);
    expect(left).toBeCloseTo(0.025, 6);
    expect(right).toBeCloseTo(0.025, 6);
    expect(red(data, 2) + slope(data, 2)).toBeCloseTo(red(data, 3) - slope(data, 3), 6);
    expect(red(data, 0)).toBeCloseTo(0.05, 6);
    expect(red(data, 7)).toBe(0);
    expect(slope(data, 0)).toBe(0);
  });

  it("are found along both axes", () => {
    const { data } = seams.smooth(reds((_, row) => (row < 2 ? 0.05 : 0)));
    expect(red(data, 0, 1)).toBeCloseTo(0.05 - 0.05 * (3 / 8), 6);
    expect(red(data, 0, 2)).toBeCloseTo(0.05 * (3 / 8), 6);
  });

  it("stay where the jump is large enough to be an edge of the picture", () => {
    const edge = reds((column) => (column < 4 ? 0.4 : 0));
    expect(seams.smooth(edge).data).toEqual(edge.data);
  });

  it("stay where the picture jumps as much within the tokens", () => {
    const checks = reds((column, row) => ((column + Math.floor(row / 2)) % 2 === 0 ? 0.05 : 0));
    const { data } = seams.smooth(checks);
    for (const [i, value] of checks.data.entries()) expect(Math.abs(data[i]! - value)).toBeLessThan(0.05 / 100);
  });

  it("leave a flat picture and what it was given alone", () => {
    const flat = reds(() => 0.3);
    expect(seams.smooth(flat).data).toEqual(flat.data);
    const tiles = reds((column) => (column < 4 ? 0.05 : 0));
    const before = tiles.data.slice();
    seams.smooth(tiles);
    expect(tiles.data).toEqual(before);
  });
});
