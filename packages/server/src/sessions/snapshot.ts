/**
 * A picture as JPEG. The planes are brought to RGB here and not by the WebRTC
 * library, so that a picture can be taken without it.
 */
import type { I420Frame } from "../webrtc/media-peer.ts";

/** `quality` from 1 to 100. */
export async function encodeJpeg(frame: I420Frame, quality: number): Promise<Buffer<ArrayBuffer>> {
  const { width, height } = frame;
  // Imported at the first picture: it is a native library that many servers never need.
  const { default: sharp } = await import("sharp");
  const jpeg = await sharp(toRgb(frame), { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
  return jpeg as Buffer<ArrayBuffer>;
}

/** BT.601 limited range to full-range RGB (ITU-R BT.601-7, section 2.5). */
export function toRgb({ width, height, data }: I420Frame): Uint8Array {
  const rgb = new Uint8ClampedArray(width * height * 3); // [height, width, 3]
  const half = Math.ceil(width / 2);
  const u = width * height;
  const v = u + half * Math.ceil(height / 2);
  for (let y = 0, out = 0; y < height; y++) {
    for (let x = 0; x < width; x++, out += 3) {
      const at = (y >> 1) * half + (x >> 1);
      const luma = 1.164_384 * (data[y * width + x]! - 16);
      const blue = data[u + at]! - 128;
      const red = data[v + at]! - 128;
      rgb[out] = luma + 1.596_027 * red;
      rgb[out + 1] = luma - 0.391_762 * blue - 0.812_968 * red;
      rgb[out + 2] = luma + 2.017_232 * blue;
    }
  }
  return new Uint8Array(rgb.buffer);
}
