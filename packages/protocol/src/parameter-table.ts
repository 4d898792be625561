/**
 * The parameters that a client may change while video runs, in one table: the
 * name on the wire, the type and range, the default, when it acts, and what a
 * client needs to draw its control. Validation, types, the schemas endpoint
 * and docs/parameters.md all come from here. Ranges follow what clients of
 * Daydream Scope's LongLive pipeline send.
 */
import { z } from "zod";
import type { Described } from "./parameter-description.ts";

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

export type Acts =
  /** From the next chunk that starts, until changed. */
  | "next chunk"
  /** In the next chunk that starts, once. */
  | "once"
  /** At once, without waiting for a chunk. */
  | "at once"
  /** Accepted, so that existing clients work, and without effect. */
  | "never";

export type Entry = Described & { wire: string; schema: z.ZodType; acts: Acts; default?: unknown };

const PROMPTS_ALLOWED = `a text, or a list of up to ${MAX_PROMPTS} texts or {text, weight >= 0}`;
const IMAGE_ALLOWED = "the path of an uploaded image";
const SWITCH = { schema: z.boolean(), allowed: "true or false", control: "switch" } as const;

/** Every live parameter by its name in code. An entry without `default` stays absent until it is sent. */
export const PARAMETER_TABLE = {
  inputMode: {
    wire: "input_mode",
    schema: z.enum(["text", "video"]),
    allowed: '"text" or "video"',
    acts: "next chunk",
    default: "text",
    control: "choice",
    help: "Make video from the prompts alone, or from the client's own video.",
  },
  prompts: {
    wire: "prompts",
    schema: prompts,
    allowed: PROMPTS_ALLOWED,
    acts: "next chunk",
    default: [],
    control: "prompts",
    help: "What the picture should be. Several prompts are blended by their weights.",
  },
  promptInterpolationMethod: {
    wire: "prompt_interpolation_method",
    schema: interpolation,
    allowed: '"linear" or "slerp"',
    acts: "next chunk",
    default: "linear",
    control: "choice",
    help: 'How several prompts are blended. "slerp" takes exactly two.',
  },
  transition: {
    wire: "transition",
    schema: transition,
    allowed: "{target_prompts, num_steps >= 0, temporal_interpolation_method}",
    acts: "next chunk",
    control: "transition",
    help: "A slow change to other prompts over num_steps chunks (default 4). New prompts without a transition end it.",
    whenAbsent: "prompts change at once",
  },
  noiseScale: {
    wire: "noise_scale",
    schema: z.number().min(0).max(1),
    allowed: "a number from 0 to 1",
    acts: "next chunk",
    default: 0.7,
    control: "slider",
    step: 0.01,
    modes: ["video"],
    help: "How much of the input is replaced by noise: low keeps the input, high follows the prompt. Without VACE only.",
  },
  noiseController: {
    wire: "noise_controller",
    ...SWITCH,
    acts: "next chunk",
    modes: ["video"],
    help: "Adjust the noise to how much the input moves.",
    whenAbsent: "false",
  },
  denoisingStepList: {
    wire: "denoising_step_list",
    schema: z.array(z.int().min(0).max(1000)).min(1).max(10),
    allowed: "1 to 10 whole numbers from 0 to 1000",
    acts: "next chunk",
    control: "steps",
    step: 10,
    help: "The noise levels of the denoising passes, falling. More are slower and may look better.",
    whenAbsent: "[700, 500] with input video, [1000, 750, 500, 250] without",
  },
  manageCache: {
    wire: "manage_cache",
    ...SWITCH,
    acts: "next chunk",
    default: true,
    help: "Start the model's memory anew by itself where a change needs it.",
  },
  resetCache: {
    wire: "reset_cache",
    schema: z.boolean(),
    allowed: "true or false",
    acts: "once",
    control: "button",
    help: "Start the model's memory anew, as a hard cut.",
    whenAbsent: "nothing happens",
  },
  kvCacheAttentionBias: {
    wire: "kv_cache_attention_bias",
    schema: z.number().min(0.01).max(1),
    allowed: "a number from 0.01 to 1",
    acts: "never",
    default: 1,
    control: "slider",
    step: 0.01,
    help: "Accepted so that existing clients work; LongLive does not read it.",
  },
  loraScales: {
    wire: "lora_scales",
    schema: z.array(z.object({ path, scale: z.number().min(-10).max(10) })).max(64),
    allowed: "a list of {path, scale from -10 to 10}",
    acts: "once",
    control: "loras",
    step: 0.1,
    needs: "loras",
    help: 'New scales for LoRAs that were loaded with merge mode "runtime_peft", by the paths of the load.',
    whenAbsent: "the scales stay",
  },
  vaceEnabled: {
    wire: "vace_enabled",
    ...SWITCH,
    acts: "next chunk",
    needs: "vace",
    help: "Guide the picture by conditions: the input video, reference images, or both.",
    whenAbsent: "the value of the load",
  },
  vaceUseInputVideo: {
    wire: "vace_use_input_video",
    ...SWITCH,
    acts: "next chunk",
    default: true,
    modes: ["video"],
    needs: "vace",
    help: "Use the input video as the condition. Otherwise it is what noise is added to, as without VACE.",
  },
  vaceContextScale: {
    wire: "vace_context_scale",
    schema: z.number().min(0).max(2),
    allowed: "a number from 0 to 2",
    acts: "next chunk",
    control: "slider",
    step: 0.05,
    needs: "vace",
    help: "How strongly the conditions guide the picture.",
    whenAbsent: "the value of the load, else 1",
  },
  vaceRefImages: {
    wire: "vace_ref_images",
    schema: z.array(path).max(16),
    allowed: "a list of up to 16 paths of uploaded images",
    acts: "next chunk",
    control: "images",
    needs: "vace",
    help: "Images whose look or character the picture takes. They act until others come; an empty list clears them.",
    whenAbsent: "no reference images",
  },
  firstFrameImage: {
    wire: "first_frame_image",
    schema: path,
    allowed: IMAGE_ALLOWED,
    acts: "once",
    control: "image",
    needs: "vace",
    help: "The picture that the next chunk starts from.",
    whenAbsent: "the chunk goes on from the one before",
  },
  lastFrameImage: {
    wire: "last_frame_image",
    schema: path,
    allowed: IMAGE_ALLOWED,
    acts: "once",
    control: "image",
    needs: "vace",
    help: "The picture that the next chunk leads to.",
    whenAbsent: "the chunk ends where it ends",
  },
  paused: {
    wire: "paused",
    ...SWITCH,
    acts: "at once",
    default: false,
    help: "Hold the picture and make nothing.",
  },
  baseSeed: {
    wire: "base_seed",
    schema: z.int().min(0),
    allowed: "a whole number from 0",
    acts: "next chunk",
    control: "number",
    step: 1,
    help: "The noise: the same seed, prompts and input give the same video.",
    whenAbsent: "the seed of the load",
  },
} as const satisfies Record<string, Entry>;

function weighted(text: string): Prompt {
  return { text, weight: 1 };
}
