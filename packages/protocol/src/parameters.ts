/**
 * The parameters that a client may change while video runs, in one table: the
 * name on the wire, the type and range, the default, and when it acts. The
 * offer's `initialParameters` and every data-channel message are read by the
 * same schemas. Ranges follow what clients of Daydream Scope's LongLive
 * pipeline send.
 */
import { z } from "zod";
import { reasonOf } from "./validation.ts";

/** A prompt and its weight in the blend; weights are normalised by the model. */
export type Prompt = { text: string; weight: number };

export type Transition = {
  targetPrompts: Prompt[];
  /** Chunks from the current prompts to the target; 0 snaps. */
  numSteps: number;
  temporalInterpolationMethod: "linear" | "slerp";
};

export type LoraScale = { path: string; scale: number };

const MAX_PROMPTS = 16;
const MAX_PROMPT_CHARS = 4096;

const promptText = z.string().max(MAX_PROMPT_CHARS);
const prompt = z.object({ text: promptText, weight: z.number().min(0).default(1) });
const promptList = z.array(z.union([prompt, promptText.transform(weighted)])).max(MAX_PROMPTS);
const prompts = z.union([promptList, promptText.transform((text): Prompt[] => [weighted(text)])]);
const interpolation = z.enum(["linear", "slerp"]);
const path = z.string().min(1).max(1024);

const transition = z
  .object({
    target_prompts: prompts,
    num_steps: z.int().min(0).max(10_000).default(4),
    temporal_interpolation_method: interpolation.default("linear"),
  })
  .transform(
    (wire): Transition => ({
      targetPrompts: wire.target_prompts,
      numSteps: wire.num_steps,
      temporalInterpolationMethod: wire.temporal_interpolation_method,
    }),
  );

type Acts =
  /** From the next chunk that starts, until changed. */
  | "next chunk"
  /** In the next chunk that starts, once. */
  | "once"
  /** At once, without waiting for a chunk. */
  | "at once"
  /** Accepted, so that existing clients work, and without effect. */
  | "never";

type Entry = { wire: string; schema: z.ZodType; allowed: string; acts: Acts; default?: unknown };

const PROMPTS_ALLOWED = `a text, or a list of up to ${MAX_PROMPTS} texts or {text, weight >= 0}`;
const IMAGE_ALLOWED = "the path of an uploaded image";

/** Every live parameter by its name in code. An entry without `default` stays absent until it is sent. */
export const PARAMETER_TABLE = {
  inputMode: {
    wire: "input_mode",
    schema: z.enum(["text", "video"]),
    allowed: '"text" or "video"',
    acts: "next chunk",
    default: "text",
  },
  prompts: { wire: "prompts", schema: prompts, allowed: PROMPTS_ALLOWED, acts: "next chunk", default: [] },
  promptInterpolationMethod: {
    wire: "prompt_interpolation_method",
    schema: interpolation,
    allowed: '"linear" or "slerp"',
    acts: "next chunk",
    default: "linear",
  },
  transition: {
    wire: "transition",
    schema: transition,
    allowed: "{target_prompts, num_steps >= 0, temporal_interpolation_method}",
    acts: "next chunk",
  },
  noiseScale: {
    wire: "noise_scale",
    schema: z.number().min(0).max(1),
    allowed: "a number from 0 to 1",
    acts: "next chunk",
    default: 0.7,
  },
  noiseController: {
    wire: "noise_controller",
    schema: z.boolean(),
    allowed: "true or false",
    acts: "next chunk",
  },
  denoisingStepList: {
    wire: "denoising_step_list",
    schema: z.array(z.int().min(0).max(1000)).min(1).max(10),
    allowed: "1 to 10 whole numbers from 0 to 1000",
    acts: "next chunk",
  },
  manageCache: {
    wire: "manage_cache",
    schema: z.boolean(),
    allowed: "true or false",
    acts: "next chunk",
    default: true,
  },
  resetCache: { wire: "reset_cache", schema: z.boolean(), allowed: "true or false", acts: "once" },
  kvCacheAttentionBias: {
    wire: "kv_cache_attention_bias",
    schema: z.number().min(0.01).max(1),
    allowed: "a number from 0.01 to 1",
    acts: "never",
    default: 1,
  },
  loraScales: {
    wire: "lora_scales",
    schema: z.array(z.object({ path, scale: z.number().min(-10).max(10) })).max(64),
    allowed: "a list of {path, scale from -10 to 10}",
    acts: "once",
  },
  vaceEnabled: { wire: "vace_enabled", schema: z.boolean(), allowed: "true or false", acts: "next chunk" },
  vaceUseInputVideo: {
    wire: "vace_use_input_video",
    schema: z.boolean(),
    allowed: "true or false",
    acts: "next chunk",
    default: true,
  },
  vaceContextScale: {
    wire: "vace_context_scale",
    schema: z.number().min(0).max(2),
    allowed: "a number from 0 to 2",
    acts: "next chunk",
  },
  vaceRefImages: {
    wire: "vace_ref_images",
    schema: z.array(path).max(16),
    allowed: "a list of up to 16 paths of uploaded images",
    acts: "next chunk",
  },
  firstFrameImage: { wire: "first_frame_image", schema: path, allowed: IMAGE_ALLOWED, acts: "once" },
  lastFrameImage: { wire: "last_frame_image", schema: path, allowed: IMAGE_ALLOWED, acts: "once" },
  paused: { wire: "paused", schema: z.boolean(), allowed: "true or false", acts: "at once", default: false },
  baseSeed: { wire: "base_seed", schema: z.int().min(0), allowed: "a whole number from 0", acts: "next chunk" },
} as const satisfies Record<string, Entry>;

type Table = typeof PARAMETER_TABLE;
export type ParameterName = keyof Table;
type Defaulted = { [K in ParameterName]: Table[K] extends { default: unknown } ? K : never }[ParameterName];
type Value<K extends ParameterName> = z.output<Table[K]["schema"]>;

/** All live parameters of a session: those with a default are always there. */
export type Parameters = { [K in Defaulted]: Value<K> } & { [K in Exclude<ParameterName, Defaulted>]?: Value<K> };

/** Some parameters, as one message sets them. */
export type ParameterUpdate = { [K in ParameterName]?: Value<K> };

/** The same on the wire, for clients. */
export type WireParameters = { [K in ParameterName as Table[K]["wire"]]?: z.input<Table[K]["schema"]> | null };

/** A field that could not be used: its wire name, what is wrong, and what would be right. */
export type RejectedParameter = { field: string; reason: string; allowed: string };

export type ParsedParameters = {
  accepted: ParameterUpdate;
  rejected: RejectedParameter[];
  /** Keys that this server does not know; newer clients may send them. */
  ignored: string[];
};

const NAME_OF_WIRE = new Map<string, ParameterName>(
  (Object.keys(PARAMETER_TABLE) as ParameterName[]).map((name) => [PARAMETER_TABLE[name].wire, name]),
);

/**
 * Reads a parameters object as sent by a client.
 *
 * A bad field does not spoil its neighbours; a `null` means "not given". A
 * value that is no object at all gives one rejected entry with field `""`.
 */
export function parseParameters(value: unknown): ParsedParameters {
  const parsed: ParsedParameters = { accepted: {}, rejected: [], ignored: [] };
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    parsed.rejected.push({ field: "", reason: "not an object", allowed: "a JSON object of parameters" });
    return parsed;
  }
  for (const [field, given] of Object.entries(value)) {
    const name = NAME_OF_WIRE.get(field);
    if (name === undefined) {
      parsed.ignored.push(field);
      continue;
    }
    if (given === null) continue;
    const entry: Entry = PARAMETER_TABLE[name];
    const result = entry.schema.safeParse(given);
    if (result.success) Object.assign(parsed.accepted, { [name]: result.data });
    else parsed.rejected.push({ field, reason: reasonOf(result.error), allowed: entry.allowed });
  }
  return parsed;
}

/** What a session has before its client says anything. */
export function defaultParameters(): Parameters {
  const entries = (Object.entries(PARAMETER_TABLE) as [ParameterName, Entry][])
    .filter(([, entry]) => entry.default !== undefined)
    .map(([name, entry]) => [name, structuredClone(entry.default)]);
  return Object.fromEntries(entries) as Parameters;
}

/**
 * The parameters after an update: shallow, the latest value wins.
 *
 * New prompts without a transition cancel a waiting one. One-shots add up, so
 * that none is lost when several messages arrive during one chunk.
 */
export function mergeParameters<P extends ParameterUpdate>(current: P, update: ParameterUpdate): P {
  const merged: P = { ...current, ...update };
  if (update.prompts !== undefined && update.transition === undefined) delete merged.transition;
  if (current.resetCache === true) merged.resetCache = true;
  if (current.loraScales !== undefined && update.loraScales !== undefined) {
    const scales = new Map([...current.loraScales, ...update.loraScales].map((lora) => [lora.path, lora]));
    merged.loraScales = [...scales.values()];
  }
  return merged;
}

/** Splits off what acts once: `now` is for the chunk that starts, `rest` for the ones after it. */
export function takeOneShots(current: Parameters): { now: Parameters; rest: Parameters } {
  const rest = { ...current };
  for (const name of Object.keys(PARAMETER_TABLE) as ParameterName[]) {
    if (PARAMETER_TABLE[name].acts === "once") delete (rest as ParameterUpdate)[name];
  }
  return { now: current, rest };
}

function weighted(text: string): Prompt {
  return { text, weight: 1 };
}
