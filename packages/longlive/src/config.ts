/**
 * What a model is: sizes, windows and files, read from the `config.json` of a
 * model folder. Nothing else in this package knows a model by its sizes. The
 * terms follow Wan2.1 (transformer, umT5 text encoder, causal autoencoder),
 * VACE (condition branch) and LongLive (chunks, attention window, sink).
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ApiError } from "@everframe/protocol";
import { type AutoencoderConfig, parseAutoencoder } from "./autoencoder-config.ts";
import { ConfigError, Fields } from "./config-fields.ts";
import type { SmoothNoise } from "./fixed-noise.ts";

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
  /** Self attention of large pictures. Absent: every query sees all tokens, whatever the size. */
  readonly attentionWindow?: AttentionWindow;
  /** How the blocks' linear layers are computed on a CPU: "int8" is faster and rounds. Default "f32". */
  readonly linears?: "f32" | "int8";
  readonly eps: number;
  readonly weights: string;
};

export type AttentionWindow = {
  /** Rows and columns of tokens that a query sees around it, in every frame of the window in time. */
  readonly size: readonly [number, number];
  /** Rows and columns of the largest picture whose queries see all of it. */
  readonly whole: readonly [number, number];
};

export type VaceConfig = {
  /** Main layers that receive a hint after them, ascending; one branch block each. */
  readonly layers: readonly number[];
  readonly inChannels: number;
  /** How often a chunk's hints are computed. Those of the first step serve all steps of a model that bears it. */
  readonly hints: "each_step" | "first_step";
  readonly weights: string;
};

export type LoraConfig = {
  readonly rank: number;
  readonly alpha: number;
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
  /** Where the keys that later chunks attend to come from: a pass of their own over the clean latents, or the last denoising step. */
  readonly context: "clean_pass" | "last_step";
  /**
   * "fresh": every frame has noise of its own. "fixed": all frames of a chunk have the same, and over video input all
   * chunks, which keeps a still picture still.
   */
  readonly noise: "fresh" | "fixed";
  /** Standard deviation of fixed noise over video input. */
  readonly noiseGain: number;
  /** What is smooth in the fixed noise of first steps. */
  readonly smoothNoise?: SmoothNoise;
  /**
   * Timesteps that the model knows from pictures of its own which are half done: at them it takes an input video for
   * such a picture, and leaves it as it is.
   */
  readonly laterSteps?: readonly number[];
  /**
   * What a chunk's steps give: the last one's prediction, or, of a model whose predictions do not get better from step to
   * step, the mean of all of them, whose errors partly cancel out.
   */
  readonly result: "last_step" | "mean_of_steps";
  /** Whether pictures are evened out in time (`PictureFilter`) and across tokens (`TokenSeams`), which a small model needs. */
  readonly evenPictures: boolean;
  readonly transformer: TransformerConfig;
  /** Adapter that belongs to the transformer and is always merged into it. */
  readonly lora?: LoraConfig;
  readonly vace?: VaceConfig;
  readonly textEncoder: TextEncoderConfig;
};

export type ModelConfig = NetworkConfig & {
  /** The autoencoder that is used unless another is asked for. */
  readonly autoencoder: AutoencoderConfig;
  /** Others for the same latents. */
  readonly otherAutoencoders: readonly AutoencoderConfig[];
};

/** LongLive's checkpoint on Wan2.1-T2V-1.3B, with VACE; weight files as Daydream Scope lays them out. */
export const WAN_1_3B: NetworkConfig = {
  name: "longlive-1.3b",
  defaultSize: { width: 576, height: 320 },
  predictionType: "flow",
  framesPerBlock: 3,
  windowFrames: 12,
  sinkFrames: 3,
  timestepShift: 5,
  maxFrames: 1024,
  context: "clean_pass",
  noise: "fresh",
  noiseGain: 1,
  result: "last_step",
  evenPictures: false,
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
    weights: "LongLive-1.3B/models/longlive_base.pt",
  },
  lora: { rank: 256, alpha: 256, weights: "LongLive-1.3B/models/lora.pt" },
  vace: {
    layers: Array.from({ length: 15 }, (_, i) => 2 * i),
    inChannels: 96,
    hints: "each_step",
    weights: "WanVideo_comfy/Wan2_1-VACE_module_1_3B_bf16.safetensors",
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
    weights: "WanVideo_comfy/umt5-xxl-enc-fp8_e4m3fn.safetensors",
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
    context: root.has("context") ? root.oneOf("context", ["clean_pass", "last_step"]) : "clean_pass",
    noise: root.has("noise") ? root.oneOf("noise", ["fresh", "fixed"]) : "fresh",
    noiseGain: root.has("noise_gain") ? root.number("noise_gain") : 1,
    ...(root.has("smooth_noise") ? { smoothNoise: parseSmoothNoise(root.object("smooth_noise")) } : {}),
    ...(root.has("later_steps") ? { laterSteps: root.numbers("later_steps") } : {}),
    result: root.has("result") ? root.oneOf("result", ["last_step", "mean_of_steps"]) : "last_step",
    evenPictures: root.flag("even_pictures"),
    transformer: parseTransformer(root.object("transformer")),
    textEncoder: parseTextEncoder(root.object("text_encoder")),
    autoencoder: parseAutoencoder(root.object("vae")),
    otherAutoencoders: root.objects("other_vaes").map(parseAutoencoder),
    ...(root.has("lora") ? { lora: parseLora(root.object("lora")) } : {}),
    ...(root.has("vace") ? { vace: parseVace(root.object("vace")) } : {}),
  };
  checkModelConfig(config);
  return config;
}

/** @throws an error that names the sizes that do not go together. */
export function checkModelConfig(config: ModelConfig): void {
  const { transformer, vace, windowFrames, sinkFrames, framesPerBlock, textEncoder } = config;
  const demand = (holds: boolean, reason: string) => {
    if (!holds) throw new ConfigError(reason);
  };
  demand(transformer.dim % transformer.heads === 0, "transformer.dim must be a multiple of num_heads");
  demand((transformer.dim / transformer.heads) % 2 === 0, "transformer.dim / num_heads must be even");
  demand(transformer.freqDim % 2 === 0, "transformer.freq_dim must be even");
  demand(textEncoder.dim === transformer.textDim, "text_encoder.dim must equal transformer.text_dim");
  demand(textEncoder.attentionDim % textEncoder.heads === 0, "text_encoder.dim_attn must be a multiple of num_heads");
  for (const { latentChannels } of [config.autoencoder, ...config.otherAutoencoders]) {
    demand(latentChannels === transformer.inChannels, "vae.z_dim must equal transformer.in_dim");
  }
  // The first chunk of a video has one frame more than the others.
  demand(
    windowFrames >= sinkFrames + framesPerBlock + 1,
    "local_attn_size must hold sink_size + num_frame_per_block + 1 frames",
  );
  for (const layer of vace?.layers ?? []) {
    demand(layer < transformer.layers, `vace.layers names layer ${layer} of ${transformer.layers}`);
  }
}

function parseSmoothNoise(fields: Fields): SmoothNoise {
  const [orders, turn] = [fields.numbers("orders"), fields.numbers("turn")];
  if (!orders.every((order) => order >= 0 && order % 2 === 0 && order <= 64))
    fields.fail("orders", "must be even numbers from 0 to 64");
  if (2 * turn.length > orders.length) fields.fail("turn", "must have at most one angle for two of the orders");
  return { orders, turn };
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
    ...parseAttentionWindow(fields),
    ...(fields.has("linears") ? { linears: fields.oneOf("linears", ["f32", "int8"]) } : {}),
    eps: fields.number("eps"),
    weights: fields.text("weights"),
  };
}

function parseAttentionWindow(fields: Fields): { attentionWindow?: AttentionWindow } {
  const [window, whole] = ["attention_window", "attention_whole"] as const;
  if (!fields.has(window) && fields.has(whole)) fields.fail(whole, `needs ${window} beside it`);
  if (!fields.has(window)) return {};
  const size = parseSides(fields, window);
  return { attentionWindow: { size, whole: fields.has(whole) ? parseSides(fields, whole) : size } };
}

function parseSides(fields: Fields, name: string): [number, number] {
  const [rows, columns, ...others] = fields.numbers(name);
  const fits = [rows, columns].every((size) => Number.isSafeInteger(size) && size! > 0);
  if (!fits || others.length > 0) fields.fail(name, "must be [rows, columns]");
  return [rows!, columns!];
}

function parseLora(fields: Fields): LoraConfig {
  return { rank: fields.count("rank"), alpha: fields.number("alpha"), weights: fields.text("weights") };
}

function parseVace(fields: Fields): VaceConfig {
  return {
    layers: fields.numbers("layers"),
    inChannels: fields.count("in_dim"),
    hints: fields.has("hints") ? fields.oneOf("hints", ["each_step", "first_step"]) : "each_step",
    weights: fields.text("weights"),
  };
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
