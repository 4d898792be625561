import { describe, expect, it } from "vitest";
import { extendFrames } from "./frame-extension.ts";
import { joinFrames, maskChannels, maskedPixels, paintsAll, referenceContext, videoContext } from "./vace-context.ts";

const SIZE = { width: 16, height: 8 };
const PLANE = SIZE.width * SIZE.height;
const VACE = { layers: [0], inChannels: 2 * 1 + 64, hints: "each_step" as const, weights: "" };

/** Masks of one value a frame. */
const masks = (...values: number[]) => ({
  frames: values.length,
  data: Float32Array.from(values.flatMap((value) => Array<number>(PLANE).fill(value))),
});
/** Pixels of one value a frame. */
const pixels = (...values: number[]) => ({
  frames: values.length,
  data: Float32Array.from(values.flatMap((value) => Array<number>(3 * PLANE).fill(value))),
});
/** Latents of one channel, one value a frame. */
const latents = (...values: number[]) => ({
  frames: values.length,
  data: Float32Array.from(values.flatMap((value) => [value, value])),
});
const framesOf = ({ frames, data }: { frames: number; data: Float32Array }) =>
  Array.from({ length: frames }, (_, f) => data[(f * data.length) / frames]);

describe("maskChannels", () => {
  it("puts the pixels of each 8x8 square into channels, row by row", () => {
    const one = masks(0);
    one.data[3 * SIZE.width + 8 + 5] = 1; // row 3, column 5 of the second square
    const { frames, data } = maskChannels(one, SIZE);
    expect(frames).toBe(1);
    expect([...data.entries()].filter(([, value]) => value !== 0)).toEqual([[(3 * 8 + 5) * 2 + 1, 1]]);
  });

  it("takes the nearest frame for each latent", () => {
    const numbered = (count: number) => masks(...Array.from({ length: count }, (_, i) => i / 100));
    const taken = (count: number) => framesOf(maskChannels(numbered(count), SIZE)).map((x) => Math.round(100 * x!));
    expect(taken(12)).toEqual([2, 6, 10]);
    expect(taken(13)).toEqual([1, 4, 8, 11]);
  });
});

describe("maskedPixels", () => {
  it("splits frames in what is kept and what is painted, grey elsewhere", () => {
    const mixed = masks(0.5, 0.51);
    expect(framesOf(maskedPixels(pixels(0.3, 0.7), mixed, "inactive"))).toEqual([expect.closeTo(0.3), 0]);
    expect(framesOf(maskedPixels(pixels(0.3, 0.7), mixed, "reactive"))).toEqual([0, expect.closeTo(0.7)]);
    expect([paintsAll(mixed), paintsAll(masks(0.51, 1))]).toEqual([false, true]);
  });
});

describe("contexts", () => {
  it("hold inactive part, reactive part and mask in this order, the mask all ones unless given", () => {
    const whole = videoContext(latents(1, 2), latents(3, 4), VACE, 2);
    const frame = (data: Float32Array, f: number) =>
      data.subarray(f * VACE.inChannels * 2, (f + 1) * VACE.inChannels * 2);
    expect([...frame(whole.data, 1).subarray(0, 6)]).toEqual([2, 2, 4, 4, 1, 1]);
    const mask = maskChannels(masks(0, 0, 0, 0, 0), SIZE);
    expect([...frame(videoContext(latents(1, 2), latents(3, 4), VACE, 2, mask).data, 0)]).toEqual([
      1,
      1,
      3,
      3,
      ...Array<number>(128).fill(0),
    ]);
    expect(() => videoContext(latents(1), latents(3, 4), VACE, 2)).toThrow("internal");
  });

  it("show a reference as the inactive part alone", () => {
    const { frames, data } = referenceContext(latents(5, 6), VACE, 2);
    expect(frames).toBe(2);
    expect([...data.entries()].filter(([, value]) => value !== 0).map(([at]) => at)).toEqual([0, 1, 132, 133]);
    expect(framesOf(joinFrames([latents(1), latents(2, 3)]))).toEqual([1, 2, 3]);
  });
});

describe("extendFrames", () => {
  const [first, last] = [pixels(0.5), pixels(-0.5)];

  it("puts pictures at both ends of a grey clip that is painted anew between them", () => {
    const made = extendFrames({ first, last }, 12, {}, SIZE);
    expect(framesOf(made.pixels)).toEqual([0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0, -0.5, -0.5, -0.5, -0.5]);
    expect(framesOf(made.masks)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]);
  });

  it("puts a picture over given frames, a short clip's last frame repeated, surplus frames cut off", () => {
    const short = extendFrames({ first }, 6, { pixels: pixels(1, 1, 1, 1, 0.25) }, SIZE);
    expect(framesOf(short.pixels)).toEqual([0.5, 0.5, 0.5, 0.5, 0.25, 0.25]);
    const long = extendFrames({ last }, 5, { pixels: pixels(1, 1, 1, 1, 1, 1, 1) }, SIZE);
    expect(framesOf(long.pixels)).toEqual([1, -0.5, -0.5, -0.5, -0.5]);
  });

  it("leaves what a given mask keeps", () => {
    const base = { pixels: pixels(1, 1, 1, 1, 1), masks: masks(0, 1, 0.4, 0.6, 1) };
    const made = extendFrames({ first }, 5, base, SIZE);
    expect(framesOf(made.pixels)).toEqual([1, 0.5, 1, 0.5, 1]);
    expect(framesOf(made.masks)).toEqual([0, 0, expect.closeTo(0.4), 0, 1]);
  });
});
