import { describe, expect, it } from "vitest";
import { PictureFilter } from "./picture-filter.ts";
import { type Frame, type Pixels, toPixels } from "./preprocess.ts";

const WIDTH = 48;
const HEIGHT = 32;

/** Grey pictures, `value` of 255 by frame, column and row. */
function pictures(count: number, value: (frame: number, x: number, y: number) => number): Frame[] {
  return Array.from({ length: count }, (_, frame) => {
    const data = new Uint8Array(WIDTH * HEIGHT * 4).fill(255);
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) data.fill(value(frame, x, y), 4 * (y * WIDTH + x), 4 * (y * WIDTH + x) + 3);
    }
    return { width: WIDTH, height: HEIGHT, data };
  });
}

/** The same as an input video. */
function input(count: number, value: (frame: number, x: number, y: number) => number): Pixels {
  const plane = WIDTH * HEIGHT;
  const data = new Float32Array(count * 3 * plane);
  for (const [frame, picture] of pictures(count, value).entries()) {
    for (let i = 0; i < 3 * plane; i++) data[frame * 3 * plane + i] = picture.data[4 * (i % plane)]! / 127.5 - 1;
  }
  return { frames: count, data };
}

const level = (frame: Frame | undefined, x = 8, y = 8) => frame!.data[4 * (y * WIDTH + x)]!;
const grain = (frame: number, x: number, y: number) => ((frame * 7919 + x * 104729 + y * 1299709) % 13) - 6;

describe("PictureFilter", () => {
  it("halves the jump between two latent frames, within a chunk and across chunks, and no even change", () => {
    const filter = new PictureFilter(WIDTH, HEIGHT);
    const stairs = (frame: number) => 100 + 2 * frame + 12 * Math.floor((frame + 3) / 4);
    const first = pictures(13, stairs);
    filter.apply(first, undefined);
    const second = pictures(12, (frame) => stairs(frame + 13));
    filter.apply(second, undefined);
    const shown = [...first, ...second].map((frame) => level(frame));
    const jumps = shown.slice(2).map((value, i) => value - shown[i + 1]!);
    expect(Math.max(...jumps)).toBeLessThanOrEqual(8);
    const ramp = pictures(12, (frame) => 60 + 5 * frame);
    new PictureFilter(WIDTH, HEIGHT).apply(ramp, undefined);
    expect(ramp.map((frame) => level(frame))).toEqual(Array.from({ length: 12 }, (_, frame) => 60 + 5 * frame));
  });

  it("shows a cut at once", () => {
    const filter = new PictureFilter(WIDTH, HEIGHT);
    filter.apply(
      pictures(12, () => 40),
      input(12, () => 40),
    );
    const next = pictures(12, () => 200);
    filter.apply(
      next,
      input(12, () => 220),
    );
    expect(next.map((frame) => level(frame))).toEqual(Array.from({ length: 12 }, () => 200));
  });

  it("shows another look of a still input at once", () => {
    const filter = new PictureFilter(WIDTH, HEIGHT);
    const still = input(12, (_, x) => 60 + 2 * x);
    filter.apply(
      pictures(12, () => 40),
      still,
    );
    const next = pictures(12, () => 160);
    filter.apply(next, still);
    expect(next.map((frame) => level(frame))).toEqual(Array.from({ length: 12 }, () => 160));
  });

  it("stills what boils over a still input, under a camera's noise too, and nothing over a moving one", () => {
    const boiling = (frame: number, x: number, y: number) => 120 + 3 * grain(frame % 4, x, y);
    const flicker = (video: Pixels | undefined) => {
      const filter = new PictureFilter(WIDTH, HEIGHT);
      filter.apply(pictures(12, boiling), video);
      const made = pictures(12, boiling);
      filter.apply(made, video);
      let sum = 0;
      for (const [i, { data }] of made.entries()) {
        for (let at = 0; i > 0 && at < data.length; at++) sum += Math.abs(data[at]! - made[i - 1]!.data[at]!);
      }
      return sum;
    };
    const still = flicker(input(12, (frame, x, y) => 90 + grain(frame, x, y) / 2));
    const moving = flicker(input(12, (frame, x) => 90 + 80 * Math.sin((x + 3 * frame) / 4)));
    expect(still).toBeLessThan(0.35 * moving);
    expect(moving).toBeGreaterThan(0.8 * flicker(undefined));
  });

  it("sees the same in an input of bytes as in one of floats", () => {
    const noisy = (frame: number, x: number, y: number) =>
      90 + grain(frame, x, y) / 2 + (x < 20 ? 40 * (frame % 2) : 0);
    const { frames, data } = toPixels(pictures(12, noisy), { width: WIDTH, height: HEIGHT });
    const shown = [toPixels(pictures(12, noisy), { width: WIDTH, height: HEIGHT }), { frames, data }].map((video) => {
      const filter = new PictureFilter(WIDTH, HEIGHT);
      const made = pictures(12, (frame, x, y) => 120 + 3 * grain(frame % 4, x, y));
      filter.apply(made, video);
      return made;
    });
    expect(shown[0]).toEqual(shown[1]);
  });

  it("keeps what moves sharp while the rest stands still", () => {
    const filter = new PictureFilter(WIDTH, HEIGHT);
    const ball = (frame: number, x: number) => (x >= (4 * frame) % 24 && x < ((4 * frame) % 24) + 4 ? 220 : 60);
    const video = input(12, (frame, x) => (x < 24 ? ball(frame, x) : 60));
    const made = pictures(12, (frame, x) => (x < 24 ? ball(frame, x) : 60 + 8 * (frame % 2)));
    filter.apply(made, video);
    expect(level(made[10], ((4 * 10) % 24) + 1)).toBeGreaterThan(190);
    expect(Math.abs(level(made[11], 44) - level(made[10], 44))).toBeLessThan(3);
  });
});
