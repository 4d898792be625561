/**
 * What the condition branch of VACE (arXiv:2503.07598) reads, frame by frame:
 * latents of what is kept of the picture (inactive), latents of what is
 * painted anew (reactive), and the mask that tells them apart, its 8x8 pixels
 * of a latent position as 64 channels. Reference images are frames in front,
 * with the image as the inactive part and nothing else.
 */
import { AlternatingMemory } from "./alternating-memory.ts";
import { type Latents, SPACE_FACTOR, TIME_FACTOR } from "./autoencoder.ts";
import type { VaceConfig } from "./config.ts";
import { type Masks, type Pixels, RGB_CHANNELS, type Size } from "./preprocess.ts";

/** Condition of a chunk. [frames, contextChannels, height, width] */
export type VaceContext = Latents & {
  /** How strongly the hints act: 0 not at all, 1 as trained. */
  readonly scale: number;
  /** Leading frames that the chunk's own latents have no counterpart of; the branch runs over them in addition. */
  readonly lead?: Lead;
};

export type Lead = {
  /** What the branch takes for noisy latents there, before noise. [frames, C, height, width] */
  readonly latents: Latents;
  /** As many values. */
  readonly noise: Float32Array;
};

const PAINTED = 0.5;

/** True where nothing is kept of any frame. */
export function paintsAll({ data }: Masks): boolean {
  return data.every((value) => value > PAINTED);
}

/** Frames with mid grey (0) wherever the mask says that they are not `part`. */
export function maskedPixels(pixels: Pixels, masks: Masks, part: "inactive" | "reactive"): Pixels {
  const plane = masks.data.length / masks.frames;
  const data = pixels.data.map((value, i) => {
    const frame = Math.floor(i / plane / RGB_CHANNELS);
    const painted = masks.data[frame * plane + (i % plane)]! > PAINTED;
    return painted === (part === "reactive") ? value : 0;
  });
  return { frames: pixels.frames, data };
}

/**
 * Masks as channels of latent frames: channel `8 * (y % 8) + x % 8` holds a pixel of each 8x8 square, in time the
 * nearest frame counts.
 * @returns [latent frames, 64, height / 8, width / 8]
 */
export function maskChannels(masks: Masks, size: Size): Latents {
  const frames = Math.floor((masks.frames + TIME_FACTOR - 1) / TIME_FACTOR);
  const [width, height] = [size.width / SPACE_FACTOR, size.height / SPACE_FACTOR];
  const plane = size.width * size.height;
  const data = new Float32Array(frames * plane);
  for (let f = 0; f < frames; f++) {
    const source = Math.floor(((f + 0.5) * masks.frames) / frames) * plane;
    for (let y = 0; y < size.height; y++) {
      for (let x = 0; x < size.width; x++) {
        const channel = (y % SPACE_FACTOR) * SPACE_FACTOR + (x % SPACE_FACTOR);
        const row = channel * height + Math.floor(y / SPACE_FACTOR);
        data[f * plane + row * width + Math.floor(x / SPACE_FACTOR)] = masks.data[source + y * size.width + x]!;
      }
    }
  }
  return { frames, data };
}

/**
 * Condition that shows video frames. Without `mask` all of the picture is painted anew.
 * @param inactive, reactive of one number of frames [frames, C, height, width]
 * @param mask channels of at least as many frames
 * @param memory where it is written, default a new array
 * @returns [frames, contextChannels, height, width]
 */
export function videoContext(
  inactive: Latents,
  reactive: Latents,
  vace: VaceConfig,
  plane: number,
  mask?: Latents,
  memory = new AlternatingMemory(),
): Latents {
  const { frames } = reactive;
  if (inactive.frames !== frames || (mask && mask.frames < frames)) {
    throw new Error(
      `internal: a condition of ${inactive.frames}, ${frames} and ${mask?.frames} frames was put together.`,
    );
  }
  const latentSize = reactive.data.length / frames;
  const frameSize = vace.inChannels * plane;
  const maskSize = frameSize - 2 * latentSize;
  const data = memory.take(frames * frameSize);
  for (let f = 0; f < frames; f++) {
    data.set(inactive.data.subarray(f * latentSize, (f + 1) * latentSize), f * frameSize);
    data.set(reactive.data.subarray(f * latentSize, (f + 1) * latentSize), f * frameSize + latentSize);
    const masks = data.subarray(f * frameSize + 2 * latentSize, (f + 1) * frameSize);
    if (mask) masks.set(mask.data.subarray(f * maskSize, (f + 1) * maskSize));
    else masks.fill(1);
  }
  return { frames, data };
}

/** Condition that shows reference images. @param images [frames, C, height, width] */
export function referenceContext(images: Latents, vace: VaceConfig, plane: number): Latents {
  const { frames } = images;
  const latentSize = images.data.length / frames;
  const data = new Float32Array(frames * vace.inChannels * plane);
  for (let f = 0; f < frames; f++) {
    data.set(images.data.subarray(f * latentSize, (f + 1) * latentSize), f * vace.inChannels * plane);
  }
  return { frames, data };
}

/** Frames one after the other. All of one frame size. */
export function joinFrames(parts: readonly Latents[]): Latents {
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { frames: parts.reduce((sum, part) => sum + part.frames, 0), data };
}
