/**
 * The body of POST /api/v1/pipeline/load, in the three dialects that clients
 * speak: `pipeline_id`, the list `pipeline_ids`, and the list `pipelines` of
 * nodes with their own `load_params`. The first of a list is loaded.
 */
import { z } from "zod";
import { type CompatName, compatName } from "./compat.ts";
import { ApiError } from "./errors.ts";
import { type Described, describe, type ParameterDescription } from "./parameter-description.ts";
import { parseRequest } from "./validation.ts";

const MIN_SIDE = 16;
const MAX_SIDE = 2048;
const SIDE_STEP = 16;

/** Numbers may come as text ("320"), as they may in the server that clients know. */
function numberLike<T extends z.ZodType>(schema: T) {
  return z.preprocess(
    (value) =>
      typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : value,
    schema,
  );
}

const SIDE_ALLOWED = `a multiple of ${SIDE_STEP} from ${MIN_SIDE} to ${MAX_SIDE}`;

// The range is checked for both sides together, to name a size that works; here it is for the documents.
const side = numberLike(z.int().meta({ minimum: MIN_SIDE, maximum: MAX_SIDE, multipleOf: SIDE_STEP }).nullish());
const seed = numberLike(z.int().min(0).nullish());

const lora = z.object({
  path: z.string().min(1),
  scale: z.number().min(-10).max(10).default(1),
  merge_mode: z.enum(["permanent_merge", "runtime_peft"]).nullish(),
});

/** What a load takes, by the names on the wire; each may be left out or null. */
const LOAD_TABLE = {
  height: {
    schema: side,
    allowed: SIDE_ALLOWED,
    control: "number",
    step: SIDE_STEP,
    help: "Height of the picture in pixels.",
    whenAbsent: "the model's own",
  },
  width: {
    schema: side,
    allowed: SIDE_ALLOWED,
    control: "number",
    step: SIDE_STEP,
    help: "Width of the picture in pixels.",
    whenAbsent: "the model's own",
  },
  seed: {
    schema: seed,
    allowed: "a whole number from 0",
    control: "number",
    step: 1,
    default: 42,
    help: "The noise: the same seed, prompts and input give the same video.",
  },
  base_seed: {
    schema: seed,
    allowed: "a whole number from 0",
    control: "number",
    step: 1,
    help: "Another name of seed.",
    whenAbsent: "seed holds",
  },
  vace_enabled: {
    schema: z.boolean().nullish(),
    allowed: "true or false",
    control: "switch",
    default: true,
    help: "Load the branch for conditions: input video as guidance, and reference images.",
  },
  vace_context_scale: {
    schema: numberLike(z.number().min(0).max(2).nullish()),
    allowed: "a number from 0 to 2",
    control: "slider",
    step: 0.05,
    help: "How strongly conditions guide the picture until a session says otherwise.",
    whenAbsent: "1",
  },
  compat: {
    schema: compatName.nullish(),
    allowed: '"everframe" or "original"',
    control: "choice",
    default: "everframe",
    help: "Behave with all repairs, or as the original does with its faults, for comparison.",
  },
  vae_type: {
    schema: z.enum(["wan", "lightvae", "tae", "lighttae"]).nullish(),
    allowed: '"wan", "lightvae", "tae" or "lighttae"',
    control: "choice",
    default: "wan",
    help: "Which autoencoder: wan looks best, the others are faster. A model that has only its own uses that.",
  },
  quantization: {
    schema: z.enum(["fp8_e4m3fn"]).nullish(),
    allowed: '"fp8_e4m3fn" or null',
    control: "choice",
    help: "Accepted so that existing clients work; the weights are used as they are.",
    whenAbsent: "the weights as they are",
  },
  loras: {
    schema: z.array(lora).nullish(),
    allowed: "a list of {path, scale from -10 to 10, merge_mode}",
    control: "loras",
    step: 0.1,
    help: "LoRA files below the LoRA folder.",
    whenAbsent: "none",
  },
  lora_merge_mode: {
    schema: z.enum(["permanent_merge", "runtime_peft"]).nullish(),
    allowed: '"permanent_merge" or "runtime_peft"',
    control: "choice",
    default: "permanent_merge",
    help: "For LoRAs that name none: merge them into the weights (fast), or keep their scales changeable while it runs.",
  },
} as const satisfies Record<string, Described & { schema: z.ZodType; default?: unknown }>;

type LoadTable = typeof LOAD_TABLE;
type LoadShape = { [Name in keyof LoadTable]: LoadTable[Name]["schema"] };

const loadParams = z.object(
  Object.fromEntries(Object.entries(LOAD_TABLE).map(([name, { schema }]) => [name, schema])) as LoadShape,
);

/** Every load parameter as clients and pages show it. */
export function describeLoadParameters(): ParameterDescription[] {
  return Object.entries(LOAD_TABLE).map(([name, entry]) => describe(name, entry, "load"));
}

const pipelineId = z.string().min(1);
const node = z.object({ pipeline_id: pipelineId, load_params: loadParams.nullish() });

/** Body of POST /api/v1/pipeline/load. */
export const loadRequest = z
  .object({
    pipeline_id: pipelineId.nullish(),
    pipeline_ids: z.array(pipelineId).nullish(),
    pipelines: z.array(node).nullish(),
    load_params: loadParams.nullish(),
  })
  .superRefine((body, context) => {
    if (chosenId(body) === undefined) {
      context.addIssue({
        code: "custom",
        path: ["pipeline_id"],
        message: 'Name the pipeline to load, for example "longlive"',
      });
    }
  });

export type Lora = { path: string; scale: number; mergeMode: "permanent_merge" | "runtime_peft" };

/** How to load a pipeline, with the defaults of the table. Without a size the model's own is used. */
export type LoadParams = {
  /** Pixels, a multiple of 16. */
  height?: number;
  /** Pixels, a multiple of 16. */
  width?: number;
  seed: number;
  vaceEnabled: boolean;
  /** Start value of the condition's scale, 0 to 2. */
  vaceContextScale?: number;
  compat: CompatName;
  vaeType: "wan" | "lightvae" | "tae" | "lighttae";
  quantization: "fp8_e4m3fn" | null;
  loras: Lora[];
  loraMergeMode: "permanent_merge" | "runtime_peft";
};

export type LoadRequest = { pipelineId: string; loadParams: LoadParams };

/** The load parameters as GET /api/v1/pipeline/status shows them. */
export const wireLoadParams = z.object({
  height: z.int().nullable().describe("Pixels of the picture sent; null where it is as large as the client's own"),
  width: z.int().nullable(),
  seed: z.int(),
  vace_enabled: z.boolean(),
  compat: z.string().exactOptional().describe("Present when it is not the default"),
  vae_type: z.string(),
  quantization: z.string().nullable(),
  loras: z.array(z.object({ path: z.string(), scale: z.number(), merge_mode: z.string() })).nullable(),
  lora_merge_mode: z.string(),
});
export type WireLoadParams = z.infer<typeof wireLoadParams>;

/**
 * Reads a load request.
 *
 * Throws `ApiError("invalid_request")` for fields of a wrong type or range and
 * `ApiError("invalid_resolution")`, naming the nearest size that works.
 */
export function parseLoadRequest(body: unknown): LoadRequest {
  const request = parseRequest(loadRequest, body);
  const wire = request.pipelines?.[0]?.load_params ?? request.load_params ?? {};
  checkSize(wire.width ?? undefined, wire.height ?? undefined);
  const loraMergeMode = wire.lora_merge_mode ?? LOAD_TABLE.lora_merge_mode.default;
  return {
    pipelineId: chosenId(request)!,
    loadParams: {
      ...(wire.height == null ? {} : { height: wire.height }),
      ...(wire.width == null ? {} : { width: wire.width }),
      seed: wire.seed ?? wire.base_seed ?? LOAD_TABLE.seed.default,
      vaceEnabled: wire.vace_enabled ?? LOAD_TABLE.vace_enabled.default,
      ...(wire.vace_context_scale == null ? {} : { vaceContextScale: wire.vace_context_scale }),
      compat: wire.compat ?? LOAD_TABLE.compat.default,
      vaeType: wire.vae_type ?? LOAD_TABLE.vae_type.default,
      quantization: wire.quantization ?? null,
      loras: (wire.loras ?? []).map((one) => ({
        path: one.path,
        scale: one.scale,
        mergeMode: one.merge_mode ?? loraMergeMode,
      })),
      loraMergeMode,
    },
  };
}

/** The load parameters on the wire; `size` is the one really loaded, absent where it follows the input. */
export function toWireLoadParams(params: LoadParams, size?: { width: number; height: number }): WireLoadParams {
  return {
    height: size?.height ?? null,
    width: size?.width ?? null,
    seed: params.seed,
    vace_enabled: params.vaceEnabled,
    ...(params.compat === LOAD_TABLE.compat.default ? {} : { compat: params.compat }),
    vae_type: params.vaeType,
    quantization: params.quantization,
    loras:
      params.loras.length === 0
        ? null
        : params.loras.map((one) => ({ path: one.path, scale: one.scale, merge_mode: one.mergeMode })),
    lora_merge_mode: params.loraMergeMode,
  };
}

function chosenId(body: {
  pipeline_id?: string | null | undefined;
  pipeline_ids?: string[] | null | undefined;
  pipelines?: { pipeline_id: string }[] | null | undefined;
}): string | undefined {
  return body.pipeline_id ?? body.pipeline_ids?.[0] ?? body.pipelines?.[0]?.pipeline_id;
}

function checkSize(width: number | undefined, height: number | undefined): void {
  if (isGoodSide(width) && isGoodSide(height)) return;
  const shown = { width: width ?? 576, height: height ?? 320 };
  throw new ApiError("invalid_resolution", {
    ...shown,
    nearestWidth: nearestSide(shown.width),
    nearestHeight: nearestSide(shown.height),
  });
}

function isGoodSide(side: number | undefined): boolean {
  return side === undefined || (side >= MIN_SIDE && side <= MAX_SIDE && side % SIDE_STEP === 0);
}

function nearestSide(side: number): number {
  return Math.min(MAX_SIDE, Math.max(MIN_SIDE, Math.round(side / SIDE_STEP) * SIDE_STEP));
}
