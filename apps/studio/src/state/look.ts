// What is played: prompts and their weights, the values of live parameters, reference images. Pure; the session is told
// only what differs from one look to the next.
import type { LiveParameters } from "@everframe/client";
import { toLoraScales } from "./loras.ts";
import { listOf, numberIn, recordOf } from "./records.ts";

export const MAX_PROMPTS = 4;
export const MAX_REFERENCES = 4;
export const MAX_TRANSITION_CHUNKS = 24;
const MAX_PROMPT_CHARS = 1000;

export type MixPrompt = { text: string /** 0..1 */; weight: number };

/** An uploaded image: `path` is the server's name of it. */
export type Reference = { path: string; name: string };

/** How the input video acts: as the start of each picture, or as its guide. */
export type Mode = "normal" | "vace";

/** Live parameters by their names in code, without those that a look has fields for. Sparse: what is absent is the server's default. */
export type Values = Readonly<Record<string, unknown>>;

export type Look = {
  /** One to four. */
  prompts: readonly MixPrompt[];
  /** Chunks of twelve frames that a change of prompts takes; 0 is a cut. */
  transitionChunks: number;
  mode: Mode;
  values: Values;
  references: readonly Reference[];
};

/** A change of a look: only the fields that are there. */
export type LookPatch = Partial<Look>;

export const DEFAULT_LOOK: Look = {
  prompts: [{ text: "pencil sketch", weight: 1 }],
  transitionChunks: 0,
  mode: "normal",
  values: { noiseScale: 0.7, vaceContextScale: 1, baseSeed: 42 },
  references: [],
};

/** The look after a change; `values` are merged, the rest is replaced. */
export function patchLook(look: Look, patch: LookPatch): Look {
  return { ...look, ...patch, values: patch.values === undefined ? look.values : { ...look.values, ...patch.values } };
}

/** One prompt alone. */
export function withPrompt(look: Look, text: string): Look {
  const trimmed = text.trim().slice(0, MAX_PROMPT_CHARS);
  return trimmed === "" ? look : { ...look, prompts: [{ text: trimmed, weight: 1 }] };
}

/** Adds a prompt to the mix at the weight of the strongest; four at most. */
export function addPrompt(look: Look, text: string): Look {
  const trimmed = text.trim().slice(0, MAX_PROMPT_CHARS);
  if (trimmed === "" || look.prompts.length >= MAX_PROMPTS) return look;
  const weight = Math.max(...look.prompts.map((prompt) => prompt.weight));
  return { ...look, prompts: [...look.prompts, { text: trimmed, weight }] };
}

export function changePrompt(look: Look, index: number, patch: Partial<MixPrompt>): Look {
  return { ...look, prompts: look.prompts.map((prompt, i) => (i === index ? { ...prompt, ...patch } : prompt)) };
}

/** Takes a prompt out of the mix; the last one stays. */
export function removePrompt(look: Look, index: number): Look {
  if (look.prompts.length <= 1) return look;
  return { ...look, prompts: look.prompts.filter((_, i) => i !== index) };
}

/** Share of each prompt in the picture, adding up to 1; equal shares where all weights are 0. */
export function shares(prompts: readonly MixPrompt[]): number[] {
  const sum = prompts.reduce((total, { weight }) => total + weight, 0);
  return prompts.map(({ weight }) => (sum > 0 ? weight / sum : 1 / prompts.length));
}

/** The prompts in a few words. */
export function promptText(prompts: readonly MixPrompt[]): string {
  if (prompts.length === 1) return prompts[0]?.text ?? "";
  const parts = shares(prompts);
  return prompts.map(({ text }, i) => `${text} ${Math.round((parts[i] ?? 0) * 100)}%`).join(" + ");
}

/** The live parameters that a look stands for. */
export function toParameters(look: Look): LiveParameters {
  return {
    ...(look.values as LiveParameters),
    prompts: look.prompts.map(({ text, weight }) => ({ text, weight })),
    vaceEnabled: look.mode === "vace",
    vaceRefImages: look.references.map(({ path }) => path),
  };
}

/** What live parameters that somebody else has set mean for the look. What acts only once leaves no trace in it. */
export function fromParameters(parameters: LiveParameters): LookPatch {
  const { prompts, transition, vaceEnabled, vaceRefImages, ...rest } = parameters;
  const { inputMode: _, paused: __, resetCache: ___, firstFrameImage: ____, lastFrameImage: _____, ...values } = rest;
  const texts = transition?.targetPrompts ?? prompts;
  const mix = (texts === undefined ? [] : [texts])
    .flat()
    .map((prompt) => (typeof prompt === "string" ? { text: prompt, weight: 1 } : { weight: 1, ...prompt }));
  // Elsewhere weights may be any; here 1 is the most.
  const most = Math.max(1, ...mix.map(({ weight }) => weight));
  return toLookPatch({
    prompts: mix.map(({ text, weight }) => ({ text, weight: weight / most })),
    values,
    ...(vaceEnabled === undefined ? {} : { mode: vaceEnabled ? "vace" : "normal" }),
    ...(vaceRefImages === undefined
      ? {}
      : { references: vaceRefImages.map((path) => ({ path, name: path.replace(/^.*[\\/]/, "") })) }),
  });
}

/** The live parameters in which `after` differs from `before`; undefined when the stream need not be told. */
export function changedParameters(before: Look, after: Look): LiveParameters | undefined {
  const old = toParameters(before);
  const changed: LiveParameters = Object.fromEntries(
    Object.entries(toParameters(after)).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(old[name as keyof LiveParameters]),
    ),
  );
  if (Object.keys(changed).length === 0) return undefined;
  // Weights alone follow the hand at once; another text takes the time that was asked for.
  const isOtherText =
    after.prompts.map(({ text }) => text).join("\n") !== before.prompts.map(({ text }) => text).join("\n");
  if (changed.prompts === undefined || after.transitionChunks === 0 || !isOtherText) return changed;
  const { prompts, ...rest } = changed;
  return { ...rest, transition: { targetPrompts: prompts, numSteps: after.transitionChunks } };
}

/** What `after` has that `before` has not, as a patch; undefined when they are the same. */
export function differenceOf(before: Look, after: Look): LookPatch | undefined {
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const patch: LookPatch = {};
  if (!same(before.prompts, after.prompts)) {
    patch.prompts = after.prompts;
    patch.transitionChunks = after.transitionChunks;
  }
  if (before.mode !== after.mode) patch.mode = after.mode;
  if (!same(before.references, after.references)) patch.references = after.references;
  const values = Object.entries(after.values).filter(([name, value]) => !same(value, before.values[name]));
  if (values.length > 0) patch.values = Object.fromEntries(values);
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** A look from data of unknown origin (storage, a link, a file): what is wrong or missing is the default's. */
export function toLook(data: unknown, fallback: Look = DEFAULT_LOOK): Look {
  return patchLook(fallback, toLookPatch(data));
}

/** The usable fields of data of unknown origin. */
export function toLookPatch(data: unknown): LookPatch {
  const given = recordOf(data);
  const patch: LookPatch = {};
  const prompts = listOf(given["prompts"])
    .map(recordOf)
    .flatMap(({ text, weight }) =>
      typeof text === "string" && text.trim() !== ""
        ? [{ text: text.slice(0, MAX_PROMPT_CHARS), weight: numberIn(weight, 0, 1) ?? 1 }]
        : [],
    )
    .slice(0, MAX_PROMPTS);
  if (prompts.length > 0) patch.prompts = prompts;
  const transitionChunks = numberIn(given["transitionChunks"], 0, MAX_TRANSITION_CHUNKS);
  if (transitionChunks !== undefined) patch.transitionChunks = Math.round(transitionChunks);
  if (given["mode"] === "normal" || given["mode"] === "vace") patch.mode = given["mode"];
  const references = listOf(given["references"])
    .map(recordOf)
    .flatMap(({ path, name }) => (typeof path === "string" && typeof name === "string" ? [{ path, name }] : []))
    .slice(0, MAX_REFERENCES);
  if (Array.isArray(given["references"])) patch.references = references;
  const values = Object.entries(recordOf(given["values"])).filter(([name, value]) => isValue(name, value));
  if (values.length > 0) patch.values = Object.fromEntries(values);
  return patch;
}

/** Ranges are the server's to check; here only the kind of thing. */
function isValue(name: string, value: unknown): boolean {
  if (!/^[a-z][A-Za-z]{1,40}$/.test(name)) return false;
  if (name === "loraScales") return toLoraScales(value).length > 0;
  if (Array.isArray(value)) return value.length <= 16 && value.every((one) => typeof one === "number");
  return (
    typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value)) || typeof value === "string"
  );
}
