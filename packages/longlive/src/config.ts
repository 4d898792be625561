/**
 * What a model is: sizes, windows and files, read from the `config.json` of a
 * model folder. Nothing else in this package knows a model by its sizes. The
 * terms follow Wan2.1 (transformer, umT5 text encoder, causal autoencoder),
 * VACE (condition branch) and LongLive (chunks, attention window, sink).
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ApiError } from "@everframe/protocol";

export type TransformerConfig = {
  readonly dim: number;
  readonly ffnDim: number;
  readonly heads: number;
  readonly layers: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** Latents per token: time, height, width. */
  readonly patch: readonly [1, number, number];
  /** Length of the timestep's sinusoid. */
  readonly freqDim: number;
  readonly textDim: number;
  /** Rows of a prompt's embedding, padding included. */
  readonly textLength: number;
  readonly eps: number;
  readonly weights: string;
};

export type VaceConfig = {
  /** Main layers that receive a hint after them, ascending; one branch block each. */
  readonly layers: readonly number[];
  readonly inChannels: number;
  readonly weights: string;
};

export type TextEncoderConfig = {
  readonly vocabSize: number;
  readonly dim: number;
  readonly attentionDim: number;
  readonly ffnDim: number;
  readonly heads: number;
  readonly layers: number;
  readonly buckets: number;
  readonly maxDistance: number;
  readonly weights: string;
};

export type TinyAutoencoderConfig = {
  readonly type: "tiny";
  readonly latentChannels: number;
  readonly dim: number;
  readonly encoderBlocks: number;
  readonly decoderBlocks: number;
  readonly mlpRatio: number;
  /** Per latent channel: what encoded latents are centred and scaled by. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly weights: string;
};

/** What the transformer and the text encoder need to know; the autoencoder is described apart. */
export type NetworkConfig = {
  readonly name: string;
  readonly defaultSize: { readonly width: number; readonly height: number };
  /** What the transformer's head gives: the flow (noise minus clean) or the clean latents themselves. */
  readonly predictionType: "flow" | "sample";
  /** Latent frames of a chunk. */
  readonly framesPerBlock: number;
  /** Latent frames that a query sees, sink and own chunk included. */
  readonly windowFrames: number;
  /** First latent frames that never leave the window. */
  readonly sinkFrames: number;
  readonly timestepShift: number;
  /** Latent frames after which positions run out and the stream restarts. */
  readonly maxFrames: number;
  readonly transformer: TransformerConfig;
  readonly vace?: VaceConfig;
  readonly textEncoder: TextEncoderConfig;
};

export type ModelConfig = NetworkConfig & { readonly autoencoder: TinyAutoencoderConfig };

/** LongLive's checkpoint on Wan2.1-T2V-1.3B, with VACE. */
export const WAN_1_3B: NetworkConfig = {
  name: "longlive-1.3b",
  defaultSize: { width: 576, height: 320 },
  predictionType: "flow",
  framesPerBlock: 3,
  windowFrames: 12,
  sinkFrames: 3,
  timestepShift: 5,
  maxFrames: 1024,
  transformer: {
    dim: 1536,
    ffnDim: 8960,
    heads: 12,
    layers: 30,
    inChannels: 16,
    outChannels: 16,
    patch: [1, 2, 2],
    freqDim: 256,
    textDim: 4096,
    textLength: 512,
    eps: 1e-6,
    weights: "models/longlive_base.pt",
  },
  vace: {
    layers: Array.from({ length: 15 }, (_, i) => 2 * i),
    inChannels: 96,
    weights: "Wan2_1-VACE_module_1_3B_bf16.safetensors",
  },
  textEncoder: {
    vocabSize: 256384,
    dim: 4096,
    attentionDim: 4096,
    ffnDim: 10240,
    heads: 64,
    layers: 24,
    buckets: 32,
    maxDistance: 128,
    weights: "umt5-xxl-enc-fp8_e4m3fn.safetensors",
  },
};

/**
 * Reads `<folder>/config.json`.
 * @throws ApiError model_missing when there is none, model_corrupt (naming the field) when it does not fit.
 */
export function readModelConfig(folder: string): ModelConfig {
  const path = join(folder, "config.json");
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new ApiError("model_missing", { folder, reason: "config.json cannot be opened" }, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ApiError("model_corrupt", { folder, reason: "config.json is not JSON" }, { cause });
  }
  try {
    return parseModelConfig(json);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new ApiError("model_corrupt", { folder, reason: `config.json: ${cause.message}` }, { cause });
  }
}

class ConfigError extends Error {}

/** @throws an error that names the first field that does not fit. */
export function parseModelConfig(json: unknown): ModelConfig {
  const root = new Fields("", json);
  const size = root.object("default_size");
  const config: ModelConfig = {
    name: root.text("name"),
    defaultSize: { width: size.count("width"), height: size.count("height") },
    predictionType: root.oneOf("prediction_type", ["flow", "sample"]),
    framesPerBlock: root.count("num_frame_per_block"),
    windowFrames: root.count("local_attn_size"),
    sinkFrames: root.count("sink_size", { least: 0 }),
    timestepShift: root.number("timestep_shift"),
    maxFrames: root.count("max_rope_freq_table_seq_len", { otherwise: 1024 }),
    transformer: parseTransformer(root.object("transformer")),
    textEncoder: parseTextEncoder(root.object("text_encoder")),
    autoencoder: parseAutoencoder(root.object("vae")),
    ...(root.has("vace") ? { vace: parseVace(root.object("vace")) } : {}),
  };
  checkModelConfig(config);
  return config;
}

/** @throws an error that names the sizes that do not go together. */
export function checkModelConfig(config: ModelConfig): void {
  const { transformer, vace, windowFrames, sinkFrames, framesPerBlock, textEncoder, autoencoder } = config;
  const demand = (holds: boolean, reason: string) => {
    if (!holds) throw new ConfigError(reason);
  };
  demand(transformer.dim % transformer.heads === 0, "transformer.dim must be a multiple of num_heads");
  demand((transformer.dim / transformer.heads) % 2 === 0, "transformer.dim / num_heads must be even");
  demand(transformer.freqDim % 2 === 0, "transformer.freq_dim must be even");
  demand(textEncoder.dim === transformer.textDim, "text_encoder.dim must equal transformer.text_dim");
  demand(textEncoder.attentionDim % textEncoder.heads === 0, "text_encoder.dim_attn must be a multiple of num_heads");
  demand(autoencoder.latentChannels === transformer.inChannels, "vae.z_dim must equal transformer.in_dim");
  // The first chunk of a video has one frame more than the others.
  demand(
    windowFrames >= sinkFrames + framesPerBlock + 1,
    "local_attn_size must hold sink_size + num_frame_per_block + 1 frames",
  );
  for (const layer of vace?.layers ?? []) {
    demand(layer < transformer.layers, `vace.layers names layer ${layer} of ${transformer.layers}`);
  }
}

function parseTransformer(fields: Fields): TransformerConfig {
  const patch = fields.numbers("patch_size");
  const [time, height, width] = patch;
  if (patch.length !== 3 || time !== 1 || !height || !width) fields.fail("patch_size", "must be [1, height, width]");
  return {
    dim: fields.count("dim"),
    ffnDim: fields.count("ffn_dim"),
    heads: fields.count("num_heads"),
    layers: fields.count("num_layers"),
    inChannels: fields.count("in_dim"),
    outChannels: fields.count("out_dim"),
    patch: [1, height!, width!],
    freqDim: fields.count("freq_dim"),
    textDim: fields.count("text_dim"),
    textLength: fields.count("text_len"),
    eps: fields.number("eps"),
    weights: fields.text("weights"),
  };
}

function parseVace(fields: Fields): VaceConfig {
  return { layers: fields.numbers("layers"), inChannels: fields.count("in_dim"), weights: fields.text("weights") };
}

function parseTextEncoder(fields: Fields): TextEncoderConfig {
  return {
    vocabSize: fields.count("vocab_size"),
    dim: fields.count("dim"),
    attentionDim: fields.count("dim_attn"),
    ffnDim: fields.count("dim_ffn"),
    heads: fields.count("num_heads"),
    layers: fields.count("num_layers"),
    buckets: fields.count("num_buckets", { otherwise: 32 }),
    maxDistance: fields.count("max_distance", { otherwise: 128 }),
    weights: fields.text("weights"),
  };
}

function parseAutoencoder(fields: Fields): TinyAutoencoderConfig {
  const latentChannels = fields.count("z_dim");
  const perChannel = (name: string) => {
    const values = fields.numbers(name);
    return values.length === latentChannels ? values : fields.fail(name, `must have ${latentChannels} numbers`);
  };
  return {
    type: fields.oneOf("type", ["tiny"]),
    latentChannels,
    dim: fields.count("dim"),
    encoderBlocks: fields.count("encoder_blocks"),
    decoderBlocks: fields.count("decoder_blocks"),
    mlpRatio: fields.count("mlp_ratio"),
    mean: perChannel("mean"),
    std: perChannel("std"),
    weights: fields.text("weights"),
  };
}

/** Reads the fields of a JSON object; every complaint names the field by its path. */
class Fields {
  readonly #path: string;
  readonly #values: Record<string, unknown>;

  constructor(path: string, value: unknown) {
    this.#path = path;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new ConfigError(`${path || "the file"} must be an object`);
    }
    this.#values = value as Record<string, unknown>;
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null;
  }

  fail(name: string, problem: string): never {
    throw new ConfigError(`${this.#name(name)} ${problem}`);
  }

  object(name: string): Fields {
    return new Fields(this.#name(name), this.#values[name]);
  }

  text(name: string): string {
    const value = this.#values[name];
    return typeof value === "string" && value !== "" ? value : this.fail(name, "must be a text");
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const found = allowed.find((value) => value === this.#values[name]);
    return found ?? this.fail(name, `must be one of ${allowed.join(", ")}`);
  }

  number(name: string): number {
    const value = this.#values[name];
    return typeof value === "number" && Number.isFinite(value) ? value : this.fail(name, "must be a number");
  }

  count(name: string, options: { least?: number; otherwise?: number } = {}): number {
    const { least = 1, otherwise } = options;
    if (otherwise !== undefined && !this.has(name)) return otherwise;
    const value = this.#values[name];
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
    return this.fail(name, `must be a whole number from ${least}`);
  }

  numbers(name: string): number[] {
    const value = this.#values[name];
    if (Array.isArray(value) && value.every((item) => typeof item === "number" && Number.isFinite(item))) return value;
    return this.fail(name, "must be a list of numbers");
  }

  #name(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }
}
