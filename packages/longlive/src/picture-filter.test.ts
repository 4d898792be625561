import { describe, expect, it } from "vitest";
import { PictureFilter } from "./picture-filter.ts";
import { type Frame, type Pixels, type Size, toPixels } from "./preprocess.ts";
import { StillGate, smoothStep } from "./still-gate.ts";

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

/** What the filter is to do to chunks of 12, value by value. */
function plainFilter(): (frames: readonly Frame[], video: Pixels, size: Size) => Uint8Array[] {
  let made: Uint8Array[] = [];
  let shown: number[] | undefined;
  let gate: StillGate | undefined;
  return (frames, video, { width, height }) => {
    gate ??= new StillGate(width, height);
    const all = [...made, ...frames.map(({ data }) => data.slice())];
    const evened = all.slice(made.length);
    for (let i = made.length || 4; i < all.length; i += 4) {
      const [twoBefore, before, now, after] = all.slice(i - 2, i + 2);
      for (let at = 0; at < now!.length; at++) {
        const jump = now![at]! - before![at]! - (before![at]! - twoBefore![at]! + after![at]! - now![at]!) / 2;
        const share = Math.min(0.5, Math.max(0, (0.5 * (80 - Math.abs(jump))) / 40));
        evened[i - made.length]![at] = Math.min(255, Math.max(0, now![at]! + Math.floor(0.5 - share * jump)));
      }
    }
    made = evened.slice(-2);
    const moving = gate.next(video);
    return evened.map((picture, f) => {
      const last = shown;
      const next = Array.from(picture, (value) => 256 * value);
      const place = (at: number) => [Math.floor(at / 4) % width, Math.floor(at / 4 / width)] as const;
      const blockOf = (x: number, y: number) => Math.floor(y / 8) * Math.ceil(width / 8) + Math.floor(x / 8);
      const sums = moving[f]!.length;
      const [changes, counts] = [new Float64Array(3 * sums), new Float64Array(3 * sums)];
      for (let at = 0; last && at < next.length; at++) {
        const [x, y] = place(at);
        if (at % 4 === 3 || y % 2 === 1) continue;
        changes[3 * blockOf(x, y) + (at % 4)]! += next[at]! - last[at]!;
        counts[3 * blockOf(x, y) + (at % 4)]!++;
      }
      shown = next.map((value, at) => {
        if (!last || at % 4 === 3) return value;
        const block = blockOf(...place(at));
        const other = [0, 1, 2].map((c) => Math.abs(changes[3 * block + c]!) / counts[3 * block + c]! / 256);
        const changing = Math.max(moving[f]![block]!, Math.fround(smoothStep(Math.max(...other), [8, 20])));
        return last[at]! + Math.floor((Math.round(256 * (0.2 + 0.8 * changing)) * (value - last[at]!)) / 256);
      });
      return Uint8Array.from(shown, (value) => Math.floor((value + 128) / 256));
    });
  };
}

const level = (frame: Frame | undefined, x = 8, y = 8) => frame!.data[4 * (y * WIDTH + x)]!;
const grain = (frame: number, x: number, y: number) => ((frame * 7919 + x * 104729 + y * 1299709) % 13) - 6;

describe("PictureFilter", () => {
  it.each([
    { width: 48, height: 32 },
    { width: 44, height: 27 },
  ])("does to the byte what it is to do, at $width x $height", (size) => {
    const { width, height } = size;
    const coloured = (first: number, value: (frame: number, x: number, y: number, channel: number) => number) =>
      Array.from({ length: 12 }, (_, frame) => {
        const data = Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => {
          const [x, y] = [Math.floor(i / 4) % width, Math.floor(i / 4 / width)];
          return i % 4 === 3 ? 255 : value(first + frame, x, y, i % 4);
        });
        return { ...size, data: new Uint8Array(data.buffer) };
      });
    const [filter, plain] = [new PictureFilter(width, height), plainFilter()];
    for (const first of [0, 12, 24]) {
      const video = toPixels(
        coloured(first, (frame, x, y) => {
          if (x < 24) return 90 + grain(frame, x, y) / 4;
          return x < 32 ? 90 + 6 * (frame % 2) : 90 + ((x * y + 7 * frame) % 60);
        }),
        size,
      );
      const frames = coloured(first, (frame, x, y, channel) => {
        // From frame 20 on another look, above in all colours and below, little, in one of them.
        const other = y < 16 ? 235 : channel === (Math.floor(x / 8) + Math.floor(y / 8)) % 3 ? 13 : 0;
        return (
          12 + (frame < 20 ? 0 : other) + 2 * grain(frame, x, y + channel) + (y < 8 ? 40 * Math.sin(x + frame) : 0)
        );
      });
      const expected = plain(frames, video, size);
      filter.apply(frames, video);
      for (const [i, { data }] of frames.entries()) expect(Buffer.compare(data, expected[i]!), `picture ${i}`).toBe(0);
    }
  });

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
