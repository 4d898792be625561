/**
 * What a pipeline can do and takes, for clients that draw its controls: the
 * answer of GET /api/v1/pipelines/schemas. Field names that clients of
 * Daydream Scope read are kept.
 */
import {
  describeLoadParameters,
  describeParameters,
  type ParameterDescription,
  type PipelineSchema,
} from "@everframe/protocol";
import type { PipelineDefinition } from "./pipeline.ts";

/** What differs from one pipeline to another. */
export type PipelineAbout = {
  name: string;
  description: string;
  /** Where one can read more. */
  docsUrl?: string;
  /** Whether its pictures are made by a model, from prompts and parameters. */
  isModel: boolean;
  /** Whether files have to be downloaded for it. */
  requiresModels?: boolean;
  estimatedVramGb?: number;
};

const LOADED_BY_ALL = ["height", "width"];
const MODE_DEFAULTS = {
  text: { input_mode: "text", denoising_step_list: [1000, 750, 500, 250] },
  video: { input_mode: "video", denoising_step_list: [700, 500], noise_scale: 0.7, noise_controller: false },
};

export function describePipeline({ id, about }: PipelineDefinition, version: string): PipelineSchema {
  const { name = id, description = "", docsUrl, isModel = true, requiresModels = false, estimatedVramGb } = about ?? {};
  const parameters = describeParameters().filter((one) => isModel || one.name === "paused");
  const loadParameters = describeLoadParameters().filter((one) => isModel || LOADED_BY_ALL.includes(one.name));
  return {
    id,
    name,
    description,
    version,
    docs_url: docsUrl ?? null,
    supported_modes: isModel ? ["text", "video"] : ["video"],
    default_mode: isModel ? "text" : "video",
    supports_prompts: isModel,
    supports_lora: isModel,
    supports_vace: isModel,
    supports_cache_management: isModel,
    supports_kv_cache_bias: false,
    supports_quantization: false,
    requires_models: requiresModels,
    produces_video: true,
    produces_audio: false,
    default_temporal_interpolation_method: isModel ? "linear" : null,
    default_temporal_interpolation_steps: isModel ? 4 : null,
    estimated_vram_gb: estimatedVramGb ?? null,
    recommended_quantization_vram_threshold: null,
    min_dimension: 16,
    modified: true,
    parameters,
    load_parameters: loadParameters,
    config_schema: { type: "object", properties: propertiesOf([...loadParameters, ...parameters]) },
    mode_defaults: isModel ? MODE_DEFAULTS : {},
  };
}

/** JSON Schema's properties, as form builders read them. */
function propertiesOf(parameters: readonly ParameterDescription[]): Record<string, unknown> {
  return Object.fromEntries(
    parameters.map(({ name, help, schema, default: value }) => [
      name,
      { ...schema, description: help, ...(value === null ? {} : { default: value }) },
    ]),
  );
}
