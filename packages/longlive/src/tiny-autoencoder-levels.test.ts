import { expect, it } from "vitest";
import { type Frame, pixelsOf } from "./preprocess.ts";
import { LevelMemory, levelsOf, PATCH, picturesOf } from "./tiny-autoencoder-levels.ts";

const grid = { width: 3, height: 2 };
const pictures: Frame[] = Array.from({ length: 5 }, (_, frame) => {
  const data = new Uint8Array(24 * 16 * 4).map((_, i) => (i % 4 === 3 ? 255 : (i * 7919 + 31 * frame) & 255));
  return { width: 24, height: 16, data };
});
/** One frame four times, then the others: two groups. */
const indices = [0, 0, 0, 0, 1, 2, 3, 4];

it("puts frame, channel, row and column of a square of pixels in this order, and takes them back", () => {
  const levels = levelsOf(pixelsOf(pictures), indices, grid, "u8");
  // Group 1, latent (1, 2), its frame 3 of 4, blue, pixel (5, 6) of the square.
  const at = ((1 * 2 + 1) * 3 + 2) * PATCH + ((3 * 3 + 2) * 8 + 5) * 8 + 6;
  expect(levels[at]).toBe(pictures[4]!.data[4 * ((8 + 5) * 24 + 2 * 8 + 6) + 2]);
  expect(picturesOf(levels, 2, grid)).toEqual(indices.map((i) => pictures[i]));
});

it("reads floats as it reads bytes, and gives floats where they are wanted", () => {
  const { frames, data } = pixelsOf(pictures);
  const bytes = levelsOf(pixelsOf(pictures), indices, grid, "u8");
  expect(levelsOf({ frames, data }, indices, grid, "u8")).toEqual(bytes);
  const floats = levelsOf({ frames, data }, indices, grid, "f32");
  expect(floats).toBeInstanceOf(Float32Array);
  expect(Math.max(...floats.map((level, i) => Math.abs(level - bytes[i]!)))).toBeLessThan(1e-4);
});

it("reads pictures that begin in the middle of a word, and writes them from floats", () => {
  const shifted = pictures.map((picture) => {
    const data = new Uint8Array(picture.data.length + 1).subarray(1);
    data.set(picture.data);
    return { ...picture, data };
  });
  const levels = levelsOf(pixelsOf(shifted), indices, grid, "f32");
  expect(picturesOf(levels, 2, grid)).toEqual(indices.map((i) => pictures[i]));
});

it("reads the same frames of a video once", () => {
  const pixels = pixelsOf(pictures);
  const levels = levelsOf(pixels, indices, grid, "u8");
  expect(levelsOf(pixels, [...indices], grid, "u8")).toBe(levels);
  expect(levelsOf(pixels, indices, grid, "f32")).toBeInstanceOf(Float32Array);
  const others = [1, 2, 3, 4];
  expect(levelsOf(pixels, others, grid, "u8")).toEqual(levelsOf(pixelsOf(pictures), others, grid, "u8"));
});

it("reads a video's next pictures to the same memory, and those before them anew when they are asked for again", () => {
  const memory = new LevelMemory();
  const [before, next] = [pixelsOf(pictures), pixelsOf([...pictures].reverse())];
  const levels = levelsOf(before, indices, grid, "u8", memory);
  const expected = levels.slice();
  expect(levelsOf(next, indices, grid, "u8", memory)).toBe(levels);
  expect(levels).not.toEqual(expected);
  expect(levelsOf(before, indices, grid, "u8")).toEqual(expected);
});
