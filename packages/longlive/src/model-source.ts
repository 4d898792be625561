/**
 * Where the parts of a model come from: a folder with a `config.json` of ours
 * (model-folder.ts), or the files of the published 1.3B checkpoint
 * (wan-checkpoint.ts). Everything behind it sees a description and weight
 * files with the model's own tensor names.
 */
import { existsSync } from "node:fs";
import { type OpenWeightsOptions, openWeights, ShapeError, type WeightFile, WeightFileError } from "@everframe/graph";
import { ApiError, errorText, type Lora } from "@everframe/protocol";
import type { Loras } from "./adapters.ts";
import type { AutoencoderConfig } from "./autoencoder-config.ts";
import { adapterLayers, textEncoderTensors, transformerTensors, vaceTensors } from "./checkpoint-tensors.ts";
import type { ModelConfig } from "./config.ts";
import { modelLora, openLora } from "./lora-file.ts";
import { checkTensors, listed, type TensorShapes } from "./tensor-shapes.ts";

export type ModelPlace = {
  /** The folder that was asked for, for messages. */
  readonly folder: string;
  /** Path of a file by the name that the description gives it. */
  readonly pathOf: (name: string) => string;
  /** What to do about a missing or damaged file. */
  readonly advice: string;
};

export type ModelSource = ModelPlace & {
  readonly config: ModelConfig;
  readonly tokenizerPath: string;
  /** An autoencoder's description with the sizes of its file, where the description does not say them. */
  readonly sized: (config: AutoencoderConfig, file: WeightFile) => AutoencoderConfig;
};

export type Part = "transformer" | "vace" | "textEncoder";

/** How files that training or converters leave behind wrap their tensors. */
const WRAPPINGS: Readonly<Record<Part, OpenWeightsOptions>> = {
  transformer: { entry: "generator", optionalEntry: true, stripPrefix: "model." },
  vace: {},
  textEncoder: {},
};

/**
 * Opens the file of a part and sees that its tensors are those of the description. Further tensors do no harm.
 * @throws ApiError model_missing; WeightFileError
 */
export function openPart(source: ModelSource, part: Part): WeightFile {
  const { name, shapes } = partOf(source.config, part);
  const file = openFile(source, name, WRAPPINGS[part]);
  checkTensors(file, shapes, { what: `the ${PART_NAMES[part]} of ${source.config.name}`, onUnknown: () => {} });
  return file;
}

const PART_NAMES: Readonly<Record<Part, string>> = {
  transformer: "transformer",
  vace: "condition branch (VACE)",
  textEncoder: "text encoder",
};

function partOf(config: ModelConfig, part: Part): { name: string; shapes: TensorShapes } {
  const { transformer, vace, textEncoder } = config;
  switch (part) {
    case "transformer":
      return { name: transformer.weights, shapes: transformerTensors(transformer) };
    case "vace":
      if (!vace) throw new Error("internal: this model has no condition branch.");
      return { name: vace.weights, shapes: vaceTensors(transformer, vace) };
    case "textEncoder":
      return { name: textEncoder.weights, shapes: textEncoderTensors(textEncoder) };
  }
}

/** The autoencoder's file and the description with its sizes. @throws ApiError model_missing; WeightFileError */
export function openAutoencoderFile(source: ModelSource, config: AutoencoderConfig) {
  const file = openFile(source, config.weights);
  return { file, config: source.sized(config, file) };
}

/**
 * The model's own adapter and the user's.
 * @throws ApiError model_missing, lora_unusable (the user's); WeightFileError (the model's own)
 */
export function openLoras(
  source: ModelSource,
  { loras = [], log }: { loras?: readonly Lora[]; log?: (line: string) => void },
): Loras {
  const scaled = (mode: Lora["mergeMode"]) =>
    loras
      .filter(({ mergeMode }) => mergeMode === mode)
      .map(({ path, scale }) => ({ lora: openLora(path, log), scale }));
  const merged = scaled("permanent_merge");
  const live = scaled("runtime_peft");
  const { lora: own, transformer } = source.config;
  if (!own) return { merged, live };
  const file = openFile(source, own.weights, { entry: "generator_lora", optionalEntry: true });
  const lora = modelLora(file.path, file, own.alpha / own.rank);
  const absent = adapterLayers(transformer).filter((layer) => !lora.layers.has(layer));
  if (absent.length > 0) throw new WeightFileError(file.path, `it has no adapter for ${listed(absent)}`);
  return { merged: [{ lora, scale: 1 }, ...merged], live };
}

/** @throws ApiError model_missing; WeightFileError */
export function openFile(source: ModelPlace, name: string, options: OpenWeightsOptions = {}): WeightFile {
  const { folder, advice } = source;
  const path = source.pathOf(name);
  if (!existsSync(path)) throw new ApiError("model_missing", { folder, reason: `${name} is not there`, advice });
  return openWeights(path, options);
}

/** A file that cannot be read, or tensors that are missing or of other shapes, are a corrupt model. */
export function toLoadError({ folder, advice }: ModelPlace, cause: unknown): unknown {
  if (!(cause instanceof WeightFileError || cause instanceof ShapeError)) return cause;
  return new ApiError("model_corrupt", { folder, reason: errorText(cause), advice }, { cause });
}
