// The controls that the page draws, from what the server says of its parameters. The page adds friendlier names for
// those that it knows; one that it does not know is drawn all the same, by its kind.
import type { Look } from "./look.ts";

/** What the server says of a parameter, as far as the page reads it. `key` is its name in code. */
export type ParameterInfo = {
  name: string;
  key?: string | undefined;
  help: string;
  control: string;
  default: unknown;
  when_absent: string | null;
  minimum: number | null;
  maximum: number | null;
  step: number | null;
  choices: readonly string[] | null;
  modes: readonly string[];
  acts: string;
  needs: string | null;
};

export type ControlKind = "slider" | "switch" | "choice" | "number" | "steps" | "button" | "image" | "loras";

export type Control = {
  /** Name in code, as `session.set` and a load take it. */
  key: string;
  kind: ControlKind;
  label: string;
  /** What it does. */
  help: string;
  /** When it acts. */
  acts: string;
  min: number;
  max: number;
  step: number;
  choices: readonly string[];
  /** What holds while nothing was chosen; undefined when the server does not say. */
  initial: unknown;
  /** Words for both ends of a slider. */
  ends: readonly [string, string] | undefined;
};

type Words = { label: string; help?: string; ends?: readonly [string, string] };

const WORDS: Readonly<Record<string, Words>> = {
  noiseScale: {
    label: "Noise",
    help: "How much of you is left: low keeps the input, high follows the prompt.",
    ends: ["Mostly you", "Mostly the prompt"],
  },
  noiseController: { label: "Noise follows motion" },
  vaceContextScale: { label: "Guidance", ends: ["Free", "Close to the input"] },
  vaceUseInputVideo: { label: "Guide by the input video" },
  denoisingStepList: { label: "Steps" },
  baseSeed: { label: "Seed" },
  manageCache: { label: "Fresh start on big changes" },
  resetCache: { label: "Start anew" },
  promptInterpolationMethod: { label: "Blend" },
  vaeType: { label: "Autoencoder" },
  loras: { label: "LoRAs" },
  loraScales: { label: "LoRAs", help: "How strongly each LoRA acts; below zero it does the opposite." },
  firstFrameImage: { label: "First frame", help: "Cuts to this picture and goes on from it." },
  lastFrameImage: { label: "Last frame", help: "The next twelve frames lead to this picture." },
  compat: { label: "Behaviour" },
};

const ELSEWHERE_LABELS: Readonly<Record<string, string>> = {
  transition: "Prompts",
  vaceEnabled: "Mode",
  vaceRefImages: "References",
};

const ACTS: Readonly<Record<string, string>> = {
  "at once": "Acts at once.",
  "next chunk": "Acts from the next chunk of 12 frames.",
  once: "Acts once, in the next chunk.",
  load: "Loads the model again.",
};

const KINDS: readonly string[] = [
  "slider",
  "switch",
  "choice",
  "number",
  "steps",
  "button",
  "image",
  "loras",
] satisfies ControlKind[];

/** Drawn elsewhere: the stage, the prompts, the mode, the references, the size, the list of LoRAs. */
const ELSEWHERE = new Set([
  "paused",
  "inputMode",
  "vaceEnabled",
  "promptInterpolationMethod",
  "width",
  "height",
  "seed",
  // Each file of the list says it for itself.
  "loraMergeMode",
]);

/** A control for a parameter; undefined for one that is not drawn as a control. */
export function toControl(info: ParameterInfo): Control | undefined {
  const key = info.key ?? toKey(info.name);
  if (!KINDS.includes(info.control) || info.acts === "never") return undefined;
  const words = WORDS[key];
  return {
    key,
    kind: info.control as ControlKind,
    label: words?.label ?? toLabel(info.name),
    help: words?.help ?? info.help,
    acts: ACTS[info.acts] ?? "",
    min: info.minimum ?? 0,
    max: info.maximum ?? 1,
    step: info.step ?? 0.01,
    choices: info.choices ?? [],
    initial: info.default ?? undefined,
    ends: words?.ends,
  };
}

/** Where the picture comes from: what acts depends on it. */
export type Occasion = { look: Look; hasInput: boolean; hasVace: boolean; hasLoras: boolean };

/** The controls that act now, in the server's order: those of the picture first, those of the model's memory last. */
export function liveControls(
  infos: readonly ParameterInfo[],
  { look, hasInput, hasVace, hasLoras }: Occasion,
): Control[] {
  const isVace = look.mode === "vace" && hasVace;
  const isNoised = hasInput && (!isVace || look.values["vaceUseInputVideo"] === false);
  return infos
    .filter(({ modes }) => modes.includes(hasInput ? "video" : "text"))
    .filter(({ needs }) => needs === null || (needs === "vace" && isVace) || (needs === "loras" && hasLoras))
    .flatMap((info) => toControl(info) ?? [])
    .filter(({ key }) => !ELSEWHERE.has(key))
    .filter(({ key }) => isNoised || (key !== "noiseScale" && key !== "noiseController"));
}

/** The controls of a load, without the size. */
export function loadControls(infos: readonly ParameterInfo[]): Control[] {
  return infos
    .flatMap((info) => toControl(info) ?? [])
    .filter(
      ({ key, choices }) =>
        !ELSEWHERE.has(key) && key !== "baseSeed" && key !== "vaceContextScale" && choices.length !== 1,
    );
}

/** A parameter's name for people, by its name in code. */
export function labelOf(key: string): string {
  const words = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return WORDS[key]?.label ?? ELSEWHERE_LABELS[key] ?? toLabel(words);
}

/** "vace_context_scale" as it is named in code. */
export function toKey(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function toLabel(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Noise levels of the denoising passes, by their number. */
export const STEP_LISTS: readonly (readonly number[])[] = [[700], [700, 500], [800, 600, 400], [1000, 750, 500, 250]];
const TEXT_STEP_LISTS: readonly (readonly number[])[] = [[1000], [1000, 500], [1000, 750, 500], [1000, 750, 500, 250]];

/** The list of a number of steps: without input video the first pass begins from pure noise. */
export function stepList(count: number, hasInput: boolean): readonly number[] {
  return (hasInput ? STEP_LISTS : TEXT_STEP_LISTS)[count - 1] ?? [700, 500];
}

/** "700, 500" as a list; undefined when it is none. Levels fall from one pass to the next. */
export function parseSteps(text: string): number[] | undefined {
  const levels = text.split(/[\s,;]+/).filter((part) => part !== "");
  const list = levels.map(Number).toSorted((a, b) => b - a);
  const isList =
    list.length >= 1 && list.length <= 10 && list.every((one) => Number.isInteger(one) && one >= 0 && one <= 1000);
  return isList ? list : undefined;
}
