/**
 * Looks for LongLive's 1.3B checkpoint in a models folder laid out as Daydream
 * Scope keeps it: one folder a Hugging Face repository, without its owner.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";

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

export type FoundCheckpoint = {
  /** "none": no file at all; "partial": some are missing. */
  readonly state: "none" | "partial" | "complete";
  /** Relative to the models folder. */
  readonly missing: readonly string[];
};

/** Looks which of the files are there, by their names alone. */
export function findWan13b(modelsDir: string): FoundCheckpoint {
  const missing = WAN_1_3B_FILES.filter((file) => !existsSync(join(modelsDir, file)));
  const state = missing.length === 0 ? "complete" : missing.length === WAN_1_3B_FILES.length ? "none" : "partial";
  return { state, missing };
}
