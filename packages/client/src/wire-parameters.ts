// The parameters' names on the wire. The table is checked by the compiler against the server's own table, so a name that
// is added, removed or spelled otherwise there does not compile here; only types cross, no code of the protocol package.
import type {
  LoadParams,
  PARAMETER_TABLE,
  ParameterName,
  ParameterUpdate,
  RejectedParameter,
  WireParameters,
} from "@everframe/protocol";

/** A prompt: a text alone, or a text with its weight in the blend (default 1). */
export type PromptInput = string | { text: string; weight?: number };

/** Some live parameters, by their names in code. Each keeps its value on the server until it is set again. */
export type LiveParameters = Omit<ParameterUpdate, "prompts" | "transition"> & {
  /** One text, or several that are blended by weight. */
  prompts?: PromptInput | readonly PromptInput[];
  /** A slow change to other prompts, over a number of chunks (default 4). */
  transition?: {
    targetPrompts: PromptInput | readonly PromptInput[];
    numSteps?: number;
    temporalInterpolationMethod?: "linear" | "slerp";
  };
};

type WireTransition = {
  target_prompts: PromptInput[];
  num_steps?: number;
  temporal_interpolation_method?: "linear" | "slerp";
};

type WireNames = { readonly [Name in ParameterName]: (typeof PARAMETER_TABLE)[Name]["wire"] };

/** Wire name of each parameter. */
export const WIRE_NAMES: WireNames = {
  inputMode: "input_mode",
  prompts: "prompts",
  promptInterpolationMethod: "prompt_interpolation_method",
  transition: "transition",
  noiseScale: "noise_scale",
  noiseController: "noise_controller",
  denoisingStepList: "denoising_step_list",
  manageCache: "manage_cache",
  resetCache: "reset_cache",
  kvCacheAttentionBias: "kv_cache_attention_bias",
  loraScales: "lora_scales",
  vaceEnabled: "vace_enabled",
  vaceUseInputVideo: "vace_use_input_video",
  vaceContextScale: "vace_context_scale",
  vaceRefImages: "vace_ref_images",
  firstFrameImage: "first_frame_image",
  lastFrameImage: "last_frame_image",
  paused: "paused",
  baseSeed: "base_seed",
};

/** The name in code of a parameter's name on the wire; undefined for one that this version does not know. */
export function parameterNameOf(wire: string): ParameterName | undefined {
  return (Object.keys(WIRE_NAMES) as ParameterName[]).find((name) => WIRE_NAMES[name] === wire);
}

/** The object that travels: snake_case names, prompts with weights, fields that are `undefined` left out. */
export function toWireParameters(parameters: LiveParameters): WireParameters {
  const wire: Record<string, unknown> = {};
  for (const name of Object.keys(WIRE_NAMES) as ParameterName[]) {
    const value = parameters[name];
    if (value !== undefined) wire[WIRE_NAMES[name]] = value;
  }
  if (parameters.prompts !== undefined) wire["prompts"] = toPrompts(parameters.prompts);
  const { transition } = parameters;
  if (transition !== undefined) {
    wire["transition"] = {
      target_prompts: toPrompts(transition.targetPrompts),
      ...(transition.numSteps === undefined ? {} : { num_steps: transition.numSteps }),
      ...(transition.temporalInterpolationMethod === undefined
        ? {}
        : { temporal_interpolation_method: transition.temporalInterpolationMethod }),
    };
  }
  return wire;
}

/** The way back; names that this version does not know are left out. */
export function fromWireParameters(wire: Readonly<Record<string, unknown>>): LiveParameters {
  const parameters: Record<string, unknown> = {};
  for (const name of Object.keys(WIRE_NAMES) as ParameterName[]) {
    const value = wire[WIRE_NAMES[name]];
    if (value !== undefined && value !== null) parameters[name] = value;
  }
  const transition = wire["transition"] as WireTransition | null | undefined;
  if (transition) {
    parameters["transition"] = {
      targetPrompts: transition.target_prompts,
      ...(transition.num_steps === undefined ? {} : { numSteps: transition.num_steps }),
      ...(transition.temporal_interpolation_method === undefined
        ? {}
        : { temporalInterpolationMethod: transition.temporal_interpolation_method }),
    };
  }
  return parameters;
}

/**
 * Parameters after a further update: shallow, the latest value of a field wins, by the server's own rules. New prompts
 * cancel a transition that waits; what acts once adds up, so that nothing of it is lost.
 */
export function mergeLiveParameters(current: LiveParameters, update: LiveParameters): LiveParameters {
  const merged = { ...current };
  for (const [name, value] of Object.entries(update)) {
    if (value !== undefined) Object.assign(merged, { [name]: value });
  }
  if (update.prompts !== undefined && update.transition === undefined) delete merged.transition;
  if (current.resetCache === true) merged.resetCache = true;
  if (current.loraScales !== undefined && update.loraScales !== undefined) {
    const scales = new Map([...current.loraScales, ...update.loraScales].map((lora) => [lora.path, lora]));
    merged.loraScales = [...scales.values()];
  }
  return merged;
}

/** What lasts of parameters: those that act once are over, and a transition has come to its end. */
export function toLasting(parameters: LiveParameters): LiveParameters {
  const { resetCache: _, firstFrameImage: __, lastFrameImage: ___, transition, ...lasting } = parameters;
  return transition === undefined ? lasting : { ...lasting, prompts: transition.targetPrompts };
}

/** A parameter that the server could not use, and what it would accept. */
export type Rejection = {
  /** The parameter's name in code; undefined when the message as a whole was at fault. */
  name: ParameterName | undefined;
  reason: string;
  allowed: string;
};

/** Rejections by the parameters' names in code. */
export function toRejections(rejected: readonly RejectedParameter[]): Rejection[] {
  return rejected.map(({ field, reason, allowed }) => ({ name: parameterNameOf(field), reason, allowed }));
}

/** How to load a pipeline. A field left out takes the server's default. */
export type LoadOptions = Partial<LoadParams> & {
  /** "longlive" (default) or "passthrough", which gives the input back. */
  pipeline?: string;
};

type WireLoadName<Name extends string> = Name extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${WireLoadName<Tail>}`
  : Name;

const WIRE_LOAD_NAMES: { readonly [Name in keyof LoadParams]-?: WireLoadName<Name> } = {
  height: "height",
  width: "width",
  seed: "seed",
  vaceEnabled: "vace_enabled",
  vaceContextScale: "vace_context_scale",
  compat: "compat",
  vaeType: "vae_type",
  quantization: "quantization",
  loras: "loras",
  loraMergeMode: "lora_merge_mode",
};

/** The same for what a load takes. */
export function loadNameOf(wire: string): keyof LoadOptions | undefined {
  return (Object.keys(WIRE_LOAD_NAMES) as (keyof LoadParams)[]).find((name) => WIRE_LOAD_NAMES[name] === wire);
}

/** The load request's body. */
export function toLoadBody({ pipeline = "longlive", loras, ...options }: LoadOptions): object {
  const params: Record<string, unknown> = {
    loras: loras?.map((lora) => ({ path: lora.path, scale: lora.scale, merge_mode: lora.mergeMode })),
  };
  for (const name of Object.keys(options) as (keyof typeof options)[]) params[WIRE_LOAD_NAMES[name]] = options[name];
  return { pipeline_id: pipeline, load_params: params };
}

function toPrompts(prompts: PromptInput | readonly PromptInput[]): { text: string; weight: number }[] {
  const list = typeof prompts === "string" || "text" in prompts ? [prompts] : prompts;
  return list.map((prompt) =>
    typeof prompt === "string" ? { text: prompt, weight: 1 } : { text: prompt.text, weight: prompt.weight ?? 1 },
  );
}
