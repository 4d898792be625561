// What the person chose, kept in the browser between visits. Whatever is stored is checked field by field: an older or
// broken entry costs one field, not the page.
import type { LiveParameters, LoadOptions } from "@everframe/client";

/** How the input video acts: as the start of each picture, or as its guide. */
export type Mode = "normal" | "vace";
/** Size of the generated picture. */
export type SizeChoice = "default" | "576x320";
export type StepCount = 1 | 2 | 3 | 4;

export type Settings = {
  prompt: string;
  mode: Mode;
  /** 0..1, acts in normal mode. */
  noiseScale: number;
  /** 0..2, acts in VACE mode. */
  contextScale: number;
  steps: StepCount;
  size: SizeChoice;
  /** The input comes back unchanged: for testing a camera. */
  passthrough: boolean;
  mirror: boolean;
  seed: number;
};

export const DEFAULT_SETTINGS: Settings = {
  prompt: "pencil sketch",
  mode: "normal",
  noiseScale: 0.7,
  contextScale: 1,
  steps: 2,
  size: "default",
  passthrough: false,
  mirror: true,
  seed: 42,
};

/** Noise levels of the denoising passes, by their number. */
export const STEP_LISTS: Record<StepCount, readonly number[]> = {
  1: [700],
  2: [700, 500],
  3: [800, 600, 400],
  4: [1000, 750, 500, 250],
};

/** Width and height of a size choice, pixels; undefined for the model's own. */
export const SIZES: Record<SizeChoice, { width: number; height: number } | undefined> = {
  default: undefined,
  "576x320": { width: 576, height: 320 },
};

const KEY = "everframe.settings";

type Store = Pick<Storage, "getItem" | "setItem">;

/** The stored settings; defaults for all that is missing, broken or out of range. */
export function readSettings(store: Store | undefined = localStore()): Settings {
  let stored: unknown;
  try {
    stored = JSON.parse(store?.getItem(KEY) ?? "{}");
  } catch {
    // Not ours, or cut off: begin anew.
    stored = {};
  }
  const given: Partial<Record<keyof Settings, unknown>> = typeof stored === "object" && stored !== null ? stored : {};
  const number = (name: "noiseScale" | "contextScale" | "seed", max: number) => {
    const value = given[name];
    return typeof value === "number" && value >= 0 && value <= max ? value : DEFAULT_SETTINGS[name];
  };
  const flag = (name: "passthrough" | "mirror") =>
    typeof given[name] === "boolean" ? given[name] : DEFAULT_SETTINGS[name];
  return {
    prompt: typeof given.prompt === "string" ? given.prompt.slice(0, 1000) : DEFAULT_SETTINGS.prompt,
    mode: given.mode === "vace" || given.mode === "normal" ? given.mode : DEFAULT_SETTINGS.mode,
    noiseScale: number("noiseScale", 1),
    contextScale: number("contextScale", 2),
    steps: isStepCount(given.steps) ? given.steps : DEFAULT_SETTINGS.steps,
    size: given.size === "576x320" ? "576x320" : "default",
    passthrough: flag("passthrough"),
    mirror: flag("mirror"),
    seed: Math.floor(number("seed", Number.MAX_SAFE_INTEGER)),
  };
}

/** Stores the settings, where the browser allows it. */
export function writeSettings(settings: Settings, store: Store | undefined = localStore()): void {
  try {
    store?.setItem(KEY, JSON.stringify(settings));
  } catch (error) {
    console.warn("The settings could not be stored; they last until this page closes.", error);
  }
}

export function isStepCount(value: unknown): value is StepCount {
  return value === 1 || value === 2 || value === 3 || value === 4;
}

/** The live parameters that settings stand for. */
export function toParameters(settings: Settings): LiveParameters {
  return {
    prompts: settings.prompt,
    vaceEnabled: settings.mode === "vace",
    vaceUseInputVideo: true,
    noiseScale: settings.noiseScale,
    vaceContextScale: settings.contextScale,
    denoisingStepList: [...STEP_LISTS[settings.steps]],
    baseSeed: settings.seed,
  };
}

/** The live parameters in which `after` differs from `before`; undefined when the stream need not be told. */
export function changedParameters(before: Settings, after: Settings): LiveParameters | undefined {
  const old = toParameters(before);
  const changed = Object.entries(toParameters(after)).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(old[name as keyof LiveParameters]),
  );
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}

/** How to load the pipeline for these settings. VACE is always loaded, so that the mode can change while video runs. */
export function toLoadOptions(settings: Settings): LoadOptions {
  return {
    pipeline: settings.passthrough ? "passthrough" : "longlive",
    vaceEnabled: true,
    seed: settings.seed,
    ...SIZES[settings.size],
  };
}

function localStore(): Store | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    // Reading the property throws where the person has blocked storage.
    return undefined;
  }
}
