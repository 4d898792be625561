/**
 * Camera frames to the pixels that the model works on, and back: bilinear
 * resize, values to [-1, 1], and the number of frames that a chunk needs.
 * Plain loops over typed arrays: a few milliseconds a chunk.
 */

/** One picture as it comes and goes. */
export type Frame = {
  readonly width: number;
  readonly height: number;
  /** RGBA, 8 bits each. [height, width, 4] */
  readonly data: Uint8Array;
};

export type Size = { readonly width: number; readonly height: number };

/** Frames in the model's size, values from -1 to 1. */
export type Pixels = {
  readonly frames: number;
  /** [frames, 3, height, width] */
  readonly data: Float32Array;
  /** The same as opaque pictures of 8 bits, where it is made of such. `data` is then computed when first asked for. */
  readonly pictures?: readonly Frame[];
};

/** Channels of a frame of `Pixels`. */
export const RGB_CHANNELS = 3;

/** Frames resized to `size`, aspect ratio not kept, and scaled to [-1, 1]. Frames may differ in size. */
export function toPixels(frames: readonly Frame[], size: Size): Pixels {
  for (const [i, frame] of frames.entries()) checkFrame(frame, i);
  if (frames.every((frame) => frame.width === size.width && frame.height === size.height)) return pixelsOf(frames);
  const plane = size.width * size.height;
  const data = new Float32Array(frames.length * RGB_CHANNELS * plane);
  for (const [i, frame] of frames.entries()) {
    const target = data.subarray(i * RGB_CHANNELS * plane, (i + 1) * RGB_CHANNELS * plane);
    // Sizes that agree give each pixel itself.
    resizePlanes(frame, target, size, RGB_CHANNELS, (value) => (value / 255) * 2 - 1);
  }
  return { frames: frames.length, data };
}

/** Pictures that have the model's size. */
export function pixelsOf(pictures: readonly Frame[]): Pixels {
  let data: Float32Array | undefined;
  return {
    frames: pictures.length,
    pictures,
    get data() {
      data ??= planesOf(pictures);
      return data;
    },
  };
}

function planesOf(pictures: readonly Frame[]): Float32Array {
  const plane = pictures[0] ? pictures[0].width * pictures[0].height : 0;
  const data = new Float32Array(pictures.length * RGB_CHANNELS * plane);
  for (const [i, picture] of pictures.entries())
    copyPlanes(picture.data, data.subarray(i * RGB_CHANNELS * plane), plane);
  return data;
}

/** How much each pixel is to be painted anew, 0 to 1. */
export type Masks = {
  readonly frames: number;
  /** [frames, height, width] */
  readonly data: Float32Array;
};

/** Masks resized to `size`, aspect ratio not kept; their red channel counts, 255 is 1. Masks may differ in size. */
export function toMasks(frames: readonly Frame[], size: Size): Masks {
  const plane = size.width * size.height;
  const data = new Float32Array(frames.length * plane);
  for (const [i, frame] of frames.entries()) {
    checkFrame(frame, i);
    const target = data.subarray(i * plane, (i + 1) * plane);
    // Sizes that agree give each pixel itself.
    resizePlanes(frame, target, size, 1, (value) => Math.min(1, Math.max(0, value / 255)));
  }
  return { frames: frames.length, data };
}

function checkFrame({ width, height, data }: Frame, index: number): void {
  if (data.length === width * height * 4) return;
  throw new RangeError(`Frame ${index} is ${width}x${height}, but has ${data.length} bytes.`);
}

const LEVELS = Float32Array.from({ length: 256 }, (_, value) => Math.fround(Math.fround(value / 255) * 2) - 1);

function copyPlanes(rgba: Uint8Array, target: Float32Array, plane: number): void {
  for (let i = 0; i < plane; i++) {
    target[i] = LEVELS[rgba[4 * i]!]!;
    target[plane + i] = LEVELS[rgba[4 * i + 1]!]!;
    target[2 * plane + i] = LEVELS[rgba[4 * i + 2]!]!;
  }
}

/** For each target position: the two neighbours and the share of the second. */
type Taps = { readonly first: Int32Array; readonly second: Int32Array; readonly share: Float32Array };

function tapsOf(from: number, to: number): Taps {
  const taps = { first: new Int32Array(to), second: new Int32Array(to), share: new Float32Array(to) };
  for (let i = 0; i < to; i++) {
    const source = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    const first = Math.min(Math.floor(source), from - 1);
    taps.first[i] = first;
    taps.second[i] = Math.min(first + 1, from - 1);
    taps.share[i] = source - first;
  }
  return taps;
}

/** Bilinear, pixel centres aligned at the half, no antialias, results not rounded. */
function resizePlanes(
  frame: Frame,
  target: Float32Array,
  size: Size,
  channels: number,
  toValue: (byte: number) => number,
): void {
  const across = tapsOf(frame.width, size.width);
  const down = tapsOf(frame.height, size.height);
  const plane = size.width * size.height;
  const rgba = frame.data;
  for (let y = 0; y < size.height; y++) {
    const top = down.first[y]! * frame.width;
    const bottom = down.second[y]! * frame.width;
    const bottomShare = down.share[y]!;
    for (let x = 0; x < size.width; x++) {
      const left = across.first[x]!;
      const right = across.second[x]!;
      const rightShare = across.share[x]!;
      const topLeft = 4 * (top + left);
      const topRight = 4 * (top + right);
      const bottomLeft = 4 * (bottom + left);
      const bottomRight = 4 * (bottom + right);
      const at = y * size.width + x;
      for (let c = 0; c < channels; c++) {
        const upper = rgba[topLeft + c]! + rightShare * (rgba[topRight + c]! - rgba[topLeft + c]!);
        const lower = rgba[bottomLeft + c]! + rightShare * (rgba[bottomRight + c]! - rgba[bottomLeft + c]!);
        target[c * plane + at] = toValue(upper + bottomShare * (lower - upper));
      }
    }
  }
}

/** Pixels as opaque pictures: their own, or `trunc(255 * (x / 2 + 1/2))`, clamped. */
export function toFrames(pixels: Pixels, size: Size): Frame[] {
  if (pixels.pictures) return [...pixels.pictures];
  const plane = size.width * size.height;
  return Array.from({ length: pixels.frames }, (_, f) => {
    const planes = pixels.data.subarray(f * RGB_CHANNELS * plane, (f + 1) * RGB_CHANNELS * plane);
    const data = new Uint8Array(4 * plane);
    const words = wordsOf(data);
    for (let i = 0; i < plane; i++) {
      words[i] = opaqueWord(toByte(planes[i]!), toByte(planes[plane + i]!), toByte(planes[2 * plane + i]!));
    }
    return { width: size.width, height: size.height, data };
  });
}

/**
 * Bytes as words of four, the lowest byte first, as the processors that ONNX Runtime knows have it. The same memory
 * where it begins at a whole word, else a copy.
 */
export function wordsOf(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Int32Array(buffer, byteOffset, length / 4);
}

/** The four bytes of a pixel as one word, which takes one store. */
function opaqueWord(red: number, green: number, blue: number): number {
  return 0xff000000 | (blue << 16) | (green << 8) | red;
}

function toByte(value: number): number {
  return Math.fround(toUnit(value) * 255) | 0;
}

/** From -1..1 to 0..1, clamped. */
export function toUnit(value: number): number {
  return Math.min(1, Math.max(0, Math.fround(Math.fround(value / 2) + 0.5)));
}

/**
 * Which of `count` frames stand for `target` evenly spaced ones; both ends are kept. Positions are float32 and
 * round half to even, so 12 to 13 repeats frame 6.
 */
export function resampleIndices(count: number, target: number): number[] {
  const step = target > 1 ? Math.fround((count - 1) / (target - 1)) : 0;
  return Array.from({ length: target }, (_, i) => {
    const fromStart = i < Math.floor(target / 2) || target === 1;
    const position = fromStart ? Math.fround(step * i) : Math.fround(count - 1 - Math.fround(step * (target - 1 - i)));
    return roundHalfEven(position);
  });
}

function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}

/** Exactly `target` frames out of however many there are. */
export function resampleFrames<T>(frames: readonly T[], target: number): T[] {
  if (frames.length === 0) throw new RangeError("There is no frame to sample from.");
  return resampleIndices(frames.length, target).map((index) => frames[index]!);
}
