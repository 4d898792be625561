import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { i420Length } from "../webrtc/media-peer.ts";
import { encodeJpeg, toRgb } from "./snapshot.ts";

/** One colour, of an odd size. */
function plain(y: number, u: number, v: number) {
  const [width, height] = [5, 3];
  const data = new Uint8Array(i420Length(width, height));
  data.fill(y, 0, 15).fill(u, 15, 21).fill(v, 21);
  return { width, height, data };
}

describe("encodeJpeg", () => {
  it("keeps size and colours", async () => {
    // The colour bars' values at 100 % (ITU-R BT.601).
    const bars: [number, number, number, number[]][] = [
      [235, 128, 128, [255, 255, 255]],
      [16, 128, 128, [0, 0, 0]],
      [81, 90, 240, [255, 0, 0]],
      [145, 54, 34, [0, 255, 0]],
      [41, 240, 110, [0, 0, 255]],
    ];
    for (const [y, u, v, colour] of bars) {
      const frame = plain(y, u, v);
      for (const [i, value] of toRgb(frame).entries()) expect(Math.abs(value - colour[i % 3]!)).toBeLessThan(4);
      const jpeg = await encodeJpeg(frame, 90);
      const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
      expect([info.width, info.height]).toEqual([5, 3]);
      for (const [i, value] of data.entries()) expect(Math.abs(value - colour[i % 3]!)).toBeLessThan(12);
    }
  });
});
