import { describe, expect, it } from "vitest";
import type { Frame } from "./preprocess.ts";
import { prepareReference } from "./references.ts";

const SIZE = { width: 4, height: 2 };

/** Red says the column, green the row. */
function picture(width: number, height: number): Frame {
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) data.set([10 * (i % width), 10 * Math.floor(i / width), 0], 4 * i);
  return { width, height, data };
}

const tens = (values: Float32Array) => [...values].map((value) => Math.round((((value + 1) / 2) * 255) / 10));

describe("prepareReference", () => {
  it("cuts the surplus of a picture off at both sides", () => {
    const wide = prepareReference(picture(8, 2), SIZE, true);
    expect(tens(wide.data.subarray(0, 4))).toEqual([2, 3, 4, 5]);
    const high = prepareReference(picture(4, 6), SIZE, true);
    expect(tens(high.data.subarray(8, 16))).toEqual([2, 2, 2, 2, 3, 3, 3, 3]);
  });

  it("leaves a picture of the right size as it is", () => {
    const { frames, data } = prepareReference(picture(4, 2), SIZE, true);
    expect(frames).toBe(1);
    expect(tens(data)).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("refuses a picture without pixels", () => {
    expect(() => prepareReference({ width: 0, height: 0, data: new Uint8Array(0) }, SIZE, true)).toThrow(RangeError);
  });
});
