/**
 * Where the published pipeline is at fault or leaves room, behaviour can be
 * chosen: a record of named repairs, each on or off. `original` has none of
 * them, so that recorded numbers of that pipeline can be met; `everframe` has
 * all, and is what users get. docs/compat.md says what each repair changes.
 */
import type { CompatName } from "@everframe/protocol";
import type { SinusoidPrecision } from "./time-sinusoid.ts";

/** True: repaired. False: as the original does it. */
export type Compat = {
  /** The noise controller acts only when it was asked for, not by default. */
  readonly controllerOnRequest: boolean;
  /** A change of mode goes on without a cut: only the encoders that begin anew restart. */
  readonly smoothModeChange: boolean;
  /** Input video and both parts of a condition are encoded as three videos, not as one. */
  readonly separateEncoderCaches: boolean;
  /** A restart also restarts the encoders of the condition where these have caches of their own. */
  readonly conditionCachesRestart: boolean;
  /** The condition branch attends to its tokens only, not also to zero keys. */
  readonly noZeroKeys: boolean;
  /** Condition frames that are no longer sent no longer act. */
  readonly absentConditionCleared: boolean;
  /** Each of several reference images acts. */
  readonly everyReference: boolean;
  /** A reference image of any size fills the picture; the original's rounding leaves some a row short, and fails. */
  readonly wholeReferences: boolean;
  /** Slerp takes equal directions in a straight line, row by row. */
  readonly slerpRowFallback: boolean;
  /** The live parameter for the interpolation of prompts acts. */
  readonly interpolationMethodActs: boolean;
  /** The timestep's sinusoid is exact with a condition branch, too. */
  readonly exactSinusoid: boolean;
  /** A first step that follows from the noise scale is at least 0. */
  readonly firstStepNotNegative: boolean;
  /** A pass may have any number of tokens. */
  readonly noTokenLimit: boolean;
  /** Without condition branch an input video is noised instead of being passed over. */
  readonly conditionNeedsBranch: boolean;
  /** At scale 0 the condition branch is not run. */
  readonly scaleZeroSkipsBranch: boolean;
  /** The condition's scale given at load is the start value. */
  readonly loadScaleActs: boolean;
  /** A reference image that cannot be used is reported once, and the stream goes on without it. */
  readonly badReferenceReportedOnce: boolean;
  /** A restart within a session keeps the prompts that a transition has led to. */
  readonly restartKeepsPrompts: boolean;
  /** After a chunk that failed half-way the stream starts anew. */
  readonly failureRestarts: boolean;
  /** Positions are counted within the window, so that a stream never runs out of them. */
  readonly endlessPositions: boolean;
  /** Reference images act until they are changed or cleared, not on one chunk. */
  readonly referencesPersist: boolean;
  /** Reference images do not push frames of the video out of the condition. */
  readonly noVideoFrameLost: boolean;
  /** Noise does not repeat after a restart. */
  readonly freshNoise: boolean;
  /** What acts once waits until a chunk starts. */
  readonly oneShotsWait: boolean;
  /** Noise scale 0 gives the input back, 1 starts from pure noise. */
  readonly noiseScaleEnds: boolean;
  /** A new prompt over an input video acts without a restart. */
  readonly promptChangeWithoutCut: boolean;
  /** Live scales of adapters that were merged for good are passed over instead of restarting the stream. */
  readonly mergedScalesIgnored: boolean;
};

export type Repair = keyof Compat;

const REPAIRS: Compat = {
  controllerOnRequest: true,
  smoothModeChange: true,
  separateEncoderCaches: true,
  conditionCachesRestart: true,
  noZeroKeys: true,
  absentConditionCleared: true,
  everyReference: true,
  wholeReferences: true,
  slerpRowFallback: true,
  interpolationMethodActs: true,
  exactSinusoid: true,
  firstStepNotNegative: true,
  noTokenLimit: true,
  conditionNeedsBranch: true,
  scaleZeroSkipsBranch: true,
  loadScaleActs: true,
  badReferenceReportedOnce: true,
  restartKeepsPrompts: true,
  failureRestarts: true,
  endlessPositions: true,
  referencesPersist: true,
  noVideoFrameLost: true,
  freshNoise: true,
  oneShotsWait: true,
  noiseScaleEnds: true,
  promptChangeWithoutCut: true,
  mergedScalesIgnored: true,
};

function all(repaired: boolean): Compat {
  return Object.fromEntries(Object.keys(REPAIRS).map((name) => [name, repaired])) as Compat;
}

/** The two presets. Others are made of them: `{ ...COMPAT.original, everyReference: true }`. */
export const COMPAT: Readonly<Record<CompatName, Compat>> = { original: all(false), everframe: all(true) };

/** The record that a preset's name stands for; a record stands for itself. */
export function compatOf(compat: Compat | CompatName): Compat {
  return typeof compat === "string" ? COMPAT[compat] : compat;
}

/** Tokens of a whole number of these are attended to by the original's condition branch. */
const ATTENTION_BLOCK = 128;
const MOST_TOKENS = 32760;

/** What the repairs mean for the network's arithmetic. @param hasBranch whether a condition branch is loaded */
export function numericsOf(
  compat: Compat,
  hasBranch: boolean,
): { sinusoid: SinusoidPrecision; vaceKeyMultiple: number; maxTokens: number } {
  return {
    sinusoid: hasBranch && !compat.exactSinusoid ? "float32" : "float64",
    vaceKeyMultiple: compat.noZeroKeys ? 1 : ATTENTION_BLOCK,
    maxTokens: compat.noTokenLimit ? Number.POSITIVE_INFINITY : MOST_TOKENS,
  };
}
