/**
 * Noise of a stream whose noise is fixed: all frames of a draw have the same,
 * so what stands still in a video stays still under it. The first step's may
 * be smooth in its last channels, from which a model can read what it is to
 * invent; taken in pairs as complex fields they are all the noise there is
 * without a video, and turn slowly, so that the picture moves for ever
 * (`training/dream.py`).
 */
import type { NoiseSource } from "./noise.ts";

export type SmoothNoise = {
  /** Binomial order, an even number, of the low-pass of each of the last channels; its deviation is half the root of it, in latents. */
  readonly orders: readonly number[];
  /** Radians by which each field turns from frame to frame; its parts are channels i and i + n of the last 2n. */
  readonly turn: readonly number[];
};

export type FixedNoiseOptions = {
  /** Standard deviation, default 1. */
  readonly gain?: number;
  /** What is smooth in the first draw, default nothing. */
  readonly smooth?: SmoothNoise | undefined;
  /** Position of the first draw's first frame, from which on the fields turn and all else is silent; without one they rest. */
  readonly turnFrom?: number | undefined;
};

/** @param grid of a frame; every draw is a whole number of frames */
export function fixedNoise(
  source: NoiseSource,
  grid: { readonly channels: number; readonly height: number; readonly width: number },
  { gain = 1, smooth, turnFrom }: FixedNoiseOptions = {},
): NoiseSource {
  const frameSize = grid.channels * grid.height * grid.width;
  let isFirst = true;
  return {
    normal(count) {
      const frame = scaled(source.normal(frameSize), gain);
      const shape = isFirst ? smooth : undefined;
      isFirst = false;
      if (shape) smoothChannels(frame, grid, shape.orders);
      const draw = new Float32Array(count);
      for (let at = 0; at < count; at += frameSize) {
        draw.set(frame, at);
        if (shape && turnFrom !== undefined)
          turnFields(draw.subarray(at, at + frameSize), frame, grid, shape.turn, turnFrom + at / frameSize);
      }
      return draw;
    },
  };
}

/** In memory of its own. */
function scaled(values: Float32Array, gain: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < result.length; i++) result[i] = gain * values[i]!;
  return result;
}

/** Low-passes the last channels of a frame [channels, height, width] in place; their variance stays. */
function smoothChannels(
  frame: Float32Array,
  { channels, height, width }: { channels: number; height: number; width: number },
  orders: readonly number[],
): void {
  const plane = height * width;
  for (const [i, order] of orders.entries()) {
    const begin = (channels - orders.length + i) * plane;
    const values = frame.subarray(begin, begin + plane);
    const [across, down] = [lowPassOf(order, width), lowPassOf(order, height)];
    for (let y = 0; y < height; y++) lowPass(values, y * width, 1, across);
    for (let x = 0; x < width; x++) lowPass(values, x, width, down);
  }
}

/** Of rows or columns of one length. */
type LowPass = {
  readonly taps: readonly number[];
  /** By place: the root of the sum of the squares of the weights that do not lie outside. */
  readonly strengths: Float64Array;
};

function lowPassOf(order: number, size: number): LowPass {
  const taps = binomial(order);
  const strengths = Float64Array.from({ length: size }, (_, i) => {
    let power = 0;
    for (let k = Math.max(0, order / 2 - i); k <= Math.min(order, size - 1 + order / 2 - i); k++) {
      power += taps[k]! * taps[k]!;
    }
    return Math.sqrt(power);
  });
  return { taps, strengths };
}

/** One row or column: weights are cut at the borders, and their squares add up to one everywhere. */
function lowPass(values: Float32Array, begin: number, stride: number, { taps, strengths }: LowPass): void {
  const size = strengths.length;
  const half = (taps.length - 1) / 2;
  const before = new Float32Array(size);
  for (let i = 0; i < size; i++) before[i] = values[begin + i * stride]!;
  for (let i = 0; i < size; i++) {
    const first = Math.max(0, i - half);
    const last = Math.min(size - 1, i + half);
    let sum = 0;
    for (let j = first; j <= last; j++) sum += taps[j - i + half]! * before[j]!;
    values[begin + i * stride] = sum / strengths[i]!;
  }
}

/** Binomial coefficients of an order, over their sum. */
function binomial(order: number): number[] {
  const taps = [1 / 2 ** order];
  for (let k = 1; k <= order; k++) taps.push((taps[k - 1]! * (order - k + 1)) / k);
  return taps;
}

/** Fills `to` with the fields of `frame`, turned by the angle of their position, and with zeros in the other channels. */
function turnFields(
  to: Float32Array,
  frame: Float32Array,
  { channels, height, width }: { channels: number; height: number; width: number },
  turn: readonly number[],
  position: number,
): void {
  const plane = height * width;
  to.fill(0);
  for (const [i, angle] of turn.entries()) {
    const [cos, sin] = [Math.cos(angle * position), Math.sin(angle * position)];
    const real = (channels - 2 * turn.length + i) * plane;
    const imaginary = real + turn.length * plane;
    for (let k = 0; k < plane; k++) {
      const [re, im] = [frame[real + k]!, frame[imaginary + k]!];
      to[real + k] = cos * re - sin * im;
      to[imaginary + k] = sin * re + cos * im;
    }
  }
}
