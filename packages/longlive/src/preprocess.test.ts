import { describe, expect, it } from "vitest";
import { type Frame, resampleFrames, resampleIndices, toFrames, toMasks, toPixels } from "./preprocess.ts";

function frame(width: number, height: number, rgb: (x: number, y: number) => [number, number, number]): Frame {
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set([...rgb(x, y), 255], 4 * (y * width + x));
  }
  return { width, height, data };
}

describe("toPixels", () => {
  it("maps bytes to -1..1, channel by channel", () => {
    const { frames, data } = toPixels([frame(2, 1, (x) => (x === 0 ? [0, 255, 51] : [255, 0, 102]))], {
      width: 2,
      height: 1,
    });
    expect(frames).toBe(1);
    expect([...data].map((value) => Math.round(value * 1000) / 1000)).toEqual([-1, 1, 1, -1, -0.6, -0.2]);
  });

  it("resizes by linear interpolation between pixel centres", () => {
    const ramp = frame(4, 1, (x) => [x * 40, 0, 0]);
    const red = (width: number) => [...toPixels([ramp], { width, height: 1 }).data.subarray(0, width)];
    const bytes = (values: number[]) => values.map((value) => Math.round(((value + 1) / 2) * 255 * 1000) / 1000);
    expect(bytes(red(8))).toEqual([0, 10, 30, 50, 70, 90, 110, 120]);
    expect(bytes(red(2))).toEqual([20, 100]);
  });

  it.each([
    { width: 13, height: 4 },
    { width: 3, height: 9 },
    { width: 16, height: 11 },
  ])("interpolates along both axes for $width x $height, of pictures and of masks", (size) => {
    const [width, height] = [7, 5];
    const picture = frame(width, height, (x, y) => [(37 * x + 91 * y) & 255, (61 * x * y) & 255, 255 * ((x + y) % 2)]);
    const mix = (a: number, b: number, share: number) => a + Math.fround(share) * (b - a);
    const sampleAt = (to: number, length: number, from: number) => {
      const place = Math.max(0, ((to + 0.5) * from) / length - 0.5);
      const first = Math.min(Math.floor(place), from - 1);
      return [first, Math.min(first + 1, from - 1), place - first] as const;
    };
    const levels = [0, 1, 2].flatMap((c) =>
      Array.from({ length: size.width * size.height }, (_, i) => {
        const [left, right, across] = sampleAt(i % size.width, size.width, width);
        const [top, bottom, down] = sampleAt(Math.floor(i / size.width), size.height, height);
        const row = (y: number) => [left, right].map((x) => picture.data[4 * (y * width + x) + c]!);
        const [upper, lower] = [row(top), row(bottom)].map(([a, b]) => mix(a!, b!, across));
        return mix(upper!, lower!, down);
      }),
    );
    const masks = levels.slice(0, size.width * size.height);
    expect(toPixels([picture], size).data).toEqual(Float32Array.from(levels, (value) => (value / 255) * 2 - 1));
    expect(toMasks([picture], size).data).toEqual(Float32Array.from(masks, (value) => value / 255));
  });

  it("takes frames of several sizes at once", () => {
    const grey = (size: number): Frame => frame(size, size, () => [128, 128, 128]);
    const { data } = toPixels([grey(5), grey(8), grey(16)], { width: 8, height: 8 });
    expect(data).toHaveLength(3 * 3 * 64);
    for (const value of data) expect(value).toBeCloseTo((128 / 255) * 2 - 1, 6);
  });

  it("keeps pictures of the wanted size as they are, and resized ones as floats", () => {
    const pictures = [frame(8, 8, (x, y) => [x, y, 9])];
    expect(toPixels(pictures, { width: 8, height: 8 }).pictures).toEqual(pictures);
    expect(toPixels(pictures, { width: 4, height: 4 }).pictures).toBeUndefined();
  });

  it("refuses a frame whose bytes do not fit its size", () => {
    const broken = { width: 4, height: 4, data: new Uint8Array(4) };
    expect(() => toPixels([broken], { width: 4, height: 4 })).toThrow(RangeError);
  });
});

describe("toFrames", () => {
  it("gives back the bytes that came in, and clamps what lies outside", () => {
    const size = { width: 16, height: 16 };
    const picture = frame(16, 16, (x, y) => [16 * y + x, 255 - 16 * y, x]);
    const [made] = toFrames(toPixels([picture], size), size);
    const difference = made!.data.map((value, i) => Math.abs(value - picture.data[i]!));
    expect(Math.max(...difference)).toBeLessThanOrEqual(1);
    const outside = toFrames({ frames: 1, data: Float32Array.of(-1.5, 1.5, 0) }, { width: 1, height: 1 });
    expect([...outside[0]!.data]).toEqual([0, 255, 127, 255]);
  });
});

describe("resampling", () => {
  it("repeats frame 6 to make 13 of 12, and leaves 12 alone", () => {
    expect(resampleIndices(12, 13)).toEqual([0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10, 11]);
    expect(resampleIndices(12, 12)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it("keeps both ends, whatever the numbers", () => {
    for (const count of [2, 5, 24, 31]) {
      const frames = resampleFrames(
        Array.from({ length: count }, (_, i) => i),
        12,
      );
      expect([frames.length, frames[0], frames.at(-1)]).toEqual([12, 0, count - 1]);
    }
    expect(resampleFrames(["only"], 3)).toEqual(["only", "only", "only"]);
    expect(() => resampleFrames([], 12)).toThrow(RangeError);
  });
});
