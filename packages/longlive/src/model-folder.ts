/** A model folder of ours: `config.json` with the files that it names beside it. */
import { join } from "node:path";
import { readModelConfig } from "./config.ts";
import type { ModelSource } from "./model-source.ts";

/** @throws ApiError model_missing, model_corrupt */
export function openModelFolder(folder: string): ModelSource {
  return {
    folder,
    config: readModelConfig(folder),
    tokenizerPath: join(folder, "tokenizer.json"),
    pathOf: (name) => join(folder, name),
    sized: (config) => config,
    advice: "Install it again.",
  };
}
