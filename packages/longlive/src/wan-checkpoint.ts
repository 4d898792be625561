/**
 * The published checkpoint of LongLive on Wan2.1-T2V-1.3B with VACE as a
 * model: which files it is made of, and its description. Windows and schedule
 * are LongLive's; sizes of the transformer come from the checkpoint's own
 * `config.json`, those of the other networks from their tensors.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type WeightFile, WeightFileError } from "@everframe/graph";
import { ApiError, errorText } from "@everframe/protocol";
import { type AutoencoderConfig, WAN_AUTOENCODERS } from "./autoencoder-config.ts";
import {
  checkModelConfig,
  type ModelConfig,
  type TextEncoderConfig,
  type TransformerConfig,
  WAN_1_3B,
} from "./config.ts";
import { Fields } from "./config-fields.ts";
import { WAN_1_3B_FILES } from "./find-model.ts";
import { type ModelPlace, type ModelSource, openFile, toLoadError } from "./model-source.ts";

const CONFIG = "Wan2.1-T2V-1.3B/config.json";
const TOKENIZER = "Wan2.1-T2V-1.3B/google/umt5-xxl/tokenizer.json";
const ADVICE = 'Fetch it again: "npm start -- download longlive" (delete a damaged file first).';

/** Whether a folder holds files of the checkpoint rather than a model of ours. */
export function isCheckpoint(folder: string): boolean {
  return !existsSync(join(folder, "config.json")) && WAN_1_3B_FILES.some((file) => existsSync(join(folder, file)));
}

/**
 * @param folder in Daydream Scope's layout
 * @param files paths of files that are elsewhere, by `<repository name>/<file>`
 * @throws ApiError model_missing, model_corrupt
 */
export function openWanCheckpoint(folder: string, files: Readonly<Record<string, string>>): ModelSource {
  const pathOf = (name: string) => files[name] ?? join(folder, ...name.split("/"));
  const place = { folder, pathOf, advice: ADVICE };
  const config = readConfig(place);
  return { ...place, config, tokenizerPath: pathOf(TOKENIZER), sized: sizedAutoencoder };
}

function readConfig(place: ModelPlace): ModelConfig {
  const { folder, advice } = place;
  try {
    const textEncoder = textEncoderOf(openFile(place, WAN_1_3B.textEncoder.weights));
    const transformer = transformerOf(place, textEncoder.dim);
    const layers = Array.from({ length: Math.ceil(transformer.layers / 2) }, (_, i) => 2 * i);
    const { wan, ...others } = WAN_AUTOENCODERS;
    const config: ModelConfig = {
      ...WAN_1_3B,
      transformer,
      textEncoder,
      vace: { ...WAN_1_3B.vace!, layers },
      autoencoder: wan,
      otherAutoencoders: Object.values(others),
    };
    checkModelConfig(config);
    return config;
  } catch (cause) {
    if (cause instanceof ApiError || cause instanceof WeightFileError) throw toLoadError(place, cause);
    throw new ApiError("model_corrupt", { folder, reason: `${CONFIG}: ${errorText(cause)}`, advice }, { cause });
  }
}

function transformerOf({ folder, pathOf, advice }: ModelPlace, textDim: number): TransformerConfig {
  let json: string;
  try {
    json = readFileSync(pathOf(CONFIG), "utf8");
  } catch (cause) {
    throw new ApiError("model_missing", { folder, reason: `${CONFIG} cannot be opened`, advice }, { cause });
  }
  const fields = new Fields("", JSON.parse(json));
  const { freqDim, inChannels, outChannels, textLength, eps } = WAN_1_3B.transformer;
  return {
    ...WAN_1_3B.transformer,
    dim: fields.count("dim"),
    ffnDim: fields.count("ffn_dim"),
    heads: fields.count("num_heads"),
    layers: fields.count("num_layers"),
    freqDim: fields.count("freq_dim", { otherwise: freqDim }),
    inChannels: fields.count("in_dim", { otherwise: inChannels }),
    outChannels: fields.count("out_dim", { otherwise: outChannels }),
    textLength: fields.count("text_len", { otherwise: textLength }),
    eps: fields.has("eps") ? fields.number("eps") : eps,
    textDim,
  };
}

/** Sizes of a umT5 encoder by its tensors. @throws WeightFileError when it is none. */
function textEncoderOf(file: WeightFile): TextEncoderConfig {
  const matrix = (name: string): readonly [number, number] => {
    const { shape } = file.info(name);
    if (shape.length !== 2) throw new WeightFileError(file.path, `"${name}" has ${shape.length} axes instead of 2`);
    return shape as unknown as [number, number];
  };
  const [vocabSize, dim] = matrix("token_embedding.weight");
  const [attentionDim] = matrix("blocks.0.attn.q.weight");
  const [ffnDim] = matrix("blocks.0.ffn.fc1.weight");
  const [buckets, heads] = matrix("blocks.0.pos_embedding.embedding.weight");
  const layers = file.names().filter((name) => /^blocks\.\d+\.norm1\.weight$/.test(name)).length;
  return { ...WAN_1_3B.textEncoder, vocabSize, dim, attentionDim, ffnDim, buckets, heads, layers };
}

/** Only Wan's own kind has its width in the description; the others' are all taken from the file. */
function sizedAutoencoder(config: AutoencoderConfig, file: WeightFile): AutoencoderConfig {
  const [width] = file.has("encoder.conv1.weight") ? file.info("encoder.conv1.weight").shape : [];
  if (width === undefined || (config.type !== "wan" && config.type !== "lightvae")) return config;
  return { ...config, dim: config.type === "lightvae" ? 4 * width : width };
}
