/**
 * Bilinear stretch of I420 pictures, each plane on its own: pixel centres
 * align, edges repeat.
 */
import { type I420Frame, i420Length } from "../webrtc/media-peer.ts";
import type { Size } from "./pipeline.ts";

/** The picture at another size; the same object when it has that size. */
export function resizeI420(frame: I420Frame, size: Size): I420Frame {
  if (frame.width === size.width && frame.height === size.height) return frame;
  const data = new Uint8Array(i420Length(size.width, size.height));
  const from = planes(frame.width, frame.height);
  const to = planes(size.width, size.height);
  for (let p = 0; p < to.length; p++) resizePlane(frame.data, from[p]!, data, to[p]!);
  return { ...size, data };
}

type Plane = { offset: number; width: number; height: number };

function planes(width: number, height: number): Plane[] {
  const half = { width: Math.ceil(width / 2), height: Math.ceil(height / 2) };
  const chroma = width * height;
  return [
    { offset: 0, width, height },
    { offset: chroma, ...half },
    { offset: chroma + half.width * half.height, ...half },
  ];
}

function resizePlane(source: Uint8Array, from: Plane, target: Uint8Array, to: Plane): void {
  const columns = positions(from.width, to.width);
  const rows = positions(from.height, to.height);
  for (let y = 0; y < to.height; y++) {
    const { low: top, high: bottom, part: down } = rows[y]!;
    const topRow = from.offset + top * from.width;
    const bottomRow = from.offset + bottom * from.width;
    const out = to.offset + y * to.width;
    for (let x = 0; x < to.width; x++) {
      const { low, high, part } = columns[x]!;
      const above = source[topRow + low]! * (1 - part) + source[topRow + high]! * part;
      const below = source[bottomRow + low]! * (1 - part) + source[bottomRow + high]! * part;
      target[out + x] = above * (1 - down) + below * down + 0.5;
    }
  }
}

/** For each of `to` pixels the two of `from` that it lies between, and how far along. */
function positions(from: number, to: number): { low: number; high: number; part: number }[] {
  return Array.from({ length: to }, (_, i) => {
    const at = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
    const low = Math.floor(at);
    return { low, high: Math.min(from - 1, low + 1), part: at - low };
  });
}
