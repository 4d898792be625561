/**
 * Looks for LongLive's 1.3B checkpoint in a models folder laid out as Daydream
 * Scope keeps it: one folder a Hugging Face repository, without its owner.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ApiError } from "@everframe/protocol";

/** Files of the checkpoint, relative to the models folder. */
export const WAN_1_3B_FILES = [
  "Wan2.1-T2V-1.3B/config.json",
  "Wan2.1-T2V-1.3B/Wan2.1_VAE.pth",
  "Wan2.1-T2V-1.3B/google/umt5-xxl/tokenizer.json",
  "WanVideo_comfy/umt5-xxl-enc-fp8_e4m3fn.safetensors",
  "WanVideo_comfy/Wan2_1-VACE_module_1_3B_bf16.safetensors",
  "LongLive-1.3B/models/longlive_base.pt",
  "LongLive-1.3B/models/lora.pt",
] as const;

/**
 * Whether this version runs the 1.3B checkpoint. Once it does, `LongLiveModel.load` takes the models folder, and in
 * `files` the paths of those files that lie elsewhere, such as in the hub's cache.
 */
export const RUNS_WAN_1_3B: boolean = false;

export type FoundCheckpoint = {
  /** "none": no file at all; "partial": some are missing. */
  readonly state: "none" | "partial" | "complete";
  /** Relative to the models folder. */
  readonly missing: readonly string[];
};

export function findWan13b(modelsDir: string): FoundCheckpoint {
  const missing = WAN_1_3B_FILES.filter((file) => !existsSync(join(modelsDir, file)));
  const state = missing.length === 0 ? "complete" : missing.length === WAN_1_3B_FILES.length ? "none" : "partial";
  return { state, missing };
}

/**
 * The error for someone who asks for the 1.3B checkpoint by name: which files are missing, or that it is there but
 * cannot be run by this version.
 */
export function wan13bError(modelsDir: string): ApiError {
  const { state, missing } = findWan13b(modelsDir);
  if (state !== "complete") {
    return new ApiError("model_missing", { folder: modelsDir, reason: `without ${missing.join(", ")}` });
  }
  const reason = "the 1.3B checkpoint is installed, but this version runs longlive-tiny only";
  return new ApiError("load_failed", { pipelineId: "longlive", reason });
}
