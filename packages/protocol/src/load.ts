/**
 * The body of POST /api/v1/pipeline/load, in the three dialects that clients
 * speak: `pipeline_id`, the list `pipeline_ids`, and the list `pipelines` of
 * nodes with their own `load_params`. The first of a list is loaded.
 */
import { z } from "zod";
import { type CompatName, compatName } from "./compat.ts";
import { ApiError } from "./errors.ts";
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

const side = numberLike(z.int().nullish());
const seed = numberLike(z.int().min(0).nullish());

const lora = z.object({
  path: z.string().min(1),
  scale: z.number().min(-10).max(10).default(1),
  merge_mode: z.enum(["permanent_merge", "runtime_peft"]).nullish(),
});

const loadParams = z.object({
  height: side,
  width: side,
  seed,
  base_seed: seed,
  vace_enabled: z.boolean().nullish(),
  vace_context_scale: numberLike(z.number().min(0).max(2).nullish()),
  compat: compatName.nullish(),
  vae_type: z.enum(["wan", "lightvae", "tae", "lighttae"]).nullish(),
  quantization: z.enum(["fp8_e4m3fn"]).nullish(),
  loras: z.array(lora).nullish(),
  lora_merge_mode: z.enum(["permanent_merge", "runtime_peft"]).nullish(),
});

const pipelineId = z.string().min(1);
const node = z.object({ pipeline_id: pipelineId, load_params: loadParams.nullish() });

const loadRequest = z
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

/** How to load a pipeline. Without a size the model's own is used. */
export type LoadParams = {
  /** Pixels, a multiple of 16. */
  height?: number;
  /** Pixels, a multiple of 16. */
  width?: number;
  /** Default 42. */
  seed: number;
  /** Default true. */
  vaceEnabled: boolean;
  /** Start value of the condition's scale, 0 to 2. */
  vaceContextScale?: number;
  /** Default "everframe". */
  compat: CompatName;
  vaeType: "wan" | "lightvae" | "tae" | "lighttae";
  quantization: "fp8_e4m3fn" | null;
  loras: Lora[];
  loraMergeMode: "permanent_merge" | "runtime_peft";
};

export type LoadRequest = { pipelineId: string; loadParams: LoadParams };

/** The load parameters as GET /api/v1/pipeline/status shows them. */
export type WireLoadParams = {
  /** Pixels of the picture sent; null where it is as large as the client's own (passthrough). */
  height: number | null;
  width: number | null;
  seed: number;
  vace_enabled: boolean;
  /** Present when it is not the default. */
  compat?: string;
  vae_type: string;
  quantization: string | null;
  loras: { path: string; scale: number; merge_mode: string }[] | null;
  lora_merge_mode: string;
};

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
  const loraMergeMode = wire.lora_merge_mode ?? "permanent_merge";
  return {
    pipelineId: chosenId(request)!,
    loadParams: {
      ...(wire.height == null ? {} : { height: wire.height }),
      ...(wire.width == null ? {} : { width: wire.width }),
      seed: wire.seed ?? wire.base_seed ?? 42,
      vaceEnabled: wire.vace_enabled ?? true,
      ...(wire.vace_context_scale == null ? {} : { vaceContextScale: wire.vace_context_scale }),
      compat: wire.compat ?? "everframe",
      vaeType: wire.vae_type ?? "wan",
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
    ...(params.compat === "everframe" ? {} : { compat: params.compat }),
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
