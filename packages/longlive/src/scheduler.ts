/**
 * Flow-matching schedule of Wan2.1 with a shift, as LongLive uses it: a table
 * of 1000 noise levels from 1 down to almost 0, looked up by timestep. Step
 * lists are used as they are given; the shift bends only the table's density.
 */
import type { Compat } from "./compat.ts";

const LEVELS = 1000;

/** The timestep of pure noise. */
export const PURE_NOISE_STEP = 1000;

/** Steps where a client names none: with an input video, and without. */
export const VIDEO_STEPS: readonly number[] = [700, 500];
export const TEXT_STEPS: readonly number[] = [1000, 750, 500, 250];

export type Scheduler = {
  /** Noise levels, descending. [1000] */
  readonly sigmas: Float32Array;
  /** Their timesteps, 1000 times the level. [1000] */
  readonly timesteps: Float32Array;
  /** Index of the table entry nearest to `timestep`, the smaller index on a tie. */
  indexOf(timestep: number): number;
  /** Noise level of the table entry nearest to `timestep`, 0 to 1. */
  sigmaOf(timestep: number): number;
};

/** @param shift 1 leaves the levels evenly spaced; above 1 more of them lie near 1. */
export function createScheduler(shift: number): Scheduler {
  const sigmas = new Float32Array(LEVELS);
  const timesteps = new Float32Array(LEVELS);
  const { fround } = Math;
  for (let i = 0; i < LEVELS; i++) {
    const even = evenLevel(i);
    sigmas[i] = fround(shift * even) / fround(1 + fround((shift - 1) * even));
    timesteps[i] = sigmas[i]! * LEVELS;
  }
  const indexOf = (timestep: number) => {
    let best = 0;
    for (let i = 1; i < LEVELS; i++) {
      if (Math.abs(timesteps[i]! - timestep) < Math.abs(timesteps[best]! - timestep)) best = i;
    }
    return best;
  };
  return { sigmas, timesteps, indexOf, sigmaOf: (timestep) => sigmas[indexOf(timestep)]! };
}

/**
 * 1 - i / 1000 with the float32 roundings of the reference, which counts eight levels at a time, from the nearer end.
 * A table rounded otherwise finds the same entries, but differs from the recorded one by two units in the last place.
 */
function evenLevel(i: number): number {
  const { fround } = Math;
  const step = fround(-1 / LEVELS);
  const lane = i % 8;
  const first = i - lane;
  const base = first < LEVELS / 2 ? fround(1 + step * first) : fround(-step * (LEVELS - first));
  return fround(base + fround(lane * step));
}

/**
 * `(1 - sigma) * clean + sigma * noise`, in float32. All of one length.
 * @param into where it is written, default a new array
 */
export function addNoise(
  clean: Float32Array,
  noise: Float32Array,
  sigma: number,
  into: Float32Array = new Float32Array(clean.length),
): Float32Array {
  return mix(clean, Math.fround(1 - sigma), noise, Math.fround(sigma), into);
}

/** Input video for Normal mode: `noiseScale * noise + (1 - noiseScale) * clean`, whatever the timestep. */
export function noisedInput(clean: Float32Array, noise: Float32Array, noiseScale: number): Float32Array {
  const into = new Float32Array(clean.length);
  return mix(noise, Math.fround(noiseScale), clean, Math.fround(1 - noiseScale), into);
}

/** `share * a + otherShare * b`, each product and the sum rounded to float32; the shares are float32 numbers. */
function mix(a: Float32Array, share: number, b: Float32Array, otherShare: number, into: Float32Array): Float32Array {
  for (let i = 0; i < into.length; i++) into[i] = Math.fround(share * a[i]!) + Math.fround(otherShare * b[i]!);
  return into;
}

/** The clean latents behind `noisy`, given the predicted flow (noise minus clean): `noisy - sigma * flow`. */
export function cleanFromFlow(noisy: Float32Array, flow: Float32Array, sigma: number): Float32Array {
  return noisy.map((value, i) => value - sigma * flow[i]!);
}

/** Inverse of `cleanFromFlow`: `(noisy - clean) / sigma`. */
export function flowFromClean(noisy: Float32Array, clean: Float32Array, sigma: number): Float32Array {
  return noisy.map((value, i) => (value - clean[i]!) / sigma);
}

/**
 * The timesteps of a chunk that starts from noised video: the first step is
 * replaced by the one that fits `noiseScale` (0 to 1), the rest stay as given,
 * even where that makes the list rise.
 */
export function videoSteps(steps: readonly number[], noiseScale: number): number[] {
  return [Math.trunc(1000 * noiseScale) - 100, ...steps.slice(1)];
}

/**
 * The steps of a chunk whose latents are noised video; none: they stay as they came.
 * @param laterSteps see `NetworkConfig`
 */
export function stepsOverVideo(
  listed: readonly number[],
  noiseScale: number,
  compat: Pick<Compat, "noiseScaleEnds" | "firstStepNotNegative">,
  laterSteps: readonly number[] = [],
): readonly number[] {
  if (compat.noiseScaleEnds && noiseScale === 0) return [];
  const [first, ...rest] = videoSteps(listed, noiseScale);
  if (compat.noiseScaleEnds && noiseScale === 1) return [PURE_NOISE_STEP, ...rest];
  const start = compat.firstStepNotNegative ? Math.max(0, first!) : first!;
  return [besideLaterSteps(start, laterSteps), ...rest];
}

/** How far from a later step the first one has to be so that a model does not take it for that. */
const APART = 7;

/** The step itself, or one close by where it is too near to one of `laterSteps`. */
function besideLaterSteps(step: number, laterSteps: readonly number[]): number {
  const later = laterSteps.find((other) => Math.abs(step - other) < APART);
  return later === undefined ? step : later + APART;
}
