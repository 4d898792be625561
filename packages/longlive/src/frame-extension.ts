/**
 * First and last pictures that a chunk is to start from or lead to: they take
 * the place of four frames at its beginning or end, and the mask there says
 * that they are kept (VACE's extension of a clip, arXiv:2503.07598).
 */
import { type Masks, type Pixels, RGB_CHANNELS, type Size } from "./preprocess.ts";

/** Pictures in the model's size, one frame each. */
export type FrameImages = { readonly first?: Pixels | undefined; readonly last?: Pixels | undefined };

const IMAGE_FRAMES = 4;

/**
 * The condition of a chunk with the pictures put into it.
 * @param frames of the result; surplus frames are cut off, a short clip repeats its last one
 * @param base frames and masks so far; without frames mid grey, without masks all painted anew
 */
export function extendFrames(
  images: FrameImages,
  frames: number,
  base: { readonly pixels?: Pixels | undefined; readonly masks?: Masks | undefined },
  size: Size,
): { pixels: Pixels; masks: Masks } {
  const plane = size.width * size.height;
  const pixels = { frames, data: fitted(base.pixels, frames, RGB_CHANNELS * plane, 0) };
  const masks = { frames, data: fitted(base.masks, frames, plane, 1) };
  const place = (image: Pixels | undefined, start: number) => {
    if (!image) return;
    for (let f = start; f < start + IMAGE_FRAMES; f++) {
      for (let i = 0; i < plane; i++) {
        // A given mask has the say where its own frames are kept.
        if (base.masks && masks.data[f * plane + i]! <= 0.5) continue;
        for (let c = 0; c < RGB_CHANNELS; c++) {
          pixels.data[(f * RGB_CHANNELS + c) * plane + i] = image.data[c * plane + i]!;
        }
        masks.data[f * plane + i] = 0;
      }
    }
  };
  place(images.first, 0);
  place(images.last, frames - IMAGE_FRAMES);
  return { pixels, masks };
}

function fitted(clip: Pixels | Masks | undefined, frames: number, frameSize: number, filler: number): Float32Array {
  const data = new Float32Array(frames * frameSize);
  if (!clip) return data.fill(filler);
  for (let f = 0; f < frames; f++) {
    const from = Math.min(f, clip.frames - 1) * frameSize;
    data.set(clip.data.subarray(from, from + frameSize), f * frameSize);
  }
  return data;
}
