/**
 * Where the published pipeline is at fault or leaves room, behaviour can be
 * chosen: `original` repeats it, so that its recorded numbers can be met;
 * `everframe` is what users get. One named switch for each difference.
 */
import type { SinusoidPrecision } from "./time-sinusoid.ts";

export type Compat = {
  /** Fill the condition branch's attention with zero keys up to a multiple of so many tokens; 1 adds none. */
  readonly vaceKeyMultiple: number;
  /** Precision of the timestep's sinusoid when a condition branch is loaded; without one it is float64. */
  readonly vaceSinusoid: SinusoidPrecision;
  /** Whether a restart of the stream also forgets which prompts a transition has led to. */
  readonly restartForgetsPrompts: boolean;
  /** One memory for all videos that a stream encodes, so that they run into each other. */
  readonly sharedEncoder: boolean;
  /** Least timestep of a first step that follows from the noise scale. */
  readonly leastFirstStep: number;
};

export const COMPAT = {
  original: {
    vaceKeyMultiple: 128,
    vaceSinusoid: "float32",
    restartForgetsPrompts: true,
    sharedEncoder: true,
    leastFirstStep: Number.NEGATIVE_INFINITY,
  },
  everframe: {
    vaceKeyMultiple: 1,
    vaceSinusoid: "float64",
    restartForgetsPrompts: false,
    sharedEncoder: false,
    leastFirstStep: 0,
  },
} as const satisfies Record<string, Compat>;
