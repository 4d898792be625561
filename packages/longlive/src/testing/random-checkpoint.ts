/**
 * Writes LongLive's published checkpoint with random numbers: all files of
 * Daydream Scope's layout with the true names, formats, element types and, by
 * default, sizes. Smaller sizes make it fit a test. The numbers are scaled so
 * that values neither grow nor vanish on their way through the networks; what
 * they show is noise.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { WAN_AUTOENCODERS } from "../autoencoder-config.ts";
import { TAE_WIDTHS, taeTensors, wanTensors } from "../autoencoder-tensors.ts";
import { adapterTensors, textEncoderTensors, transformerTensors, vaceTensors } from "../checkpoint-tensors.ts";
import { WAN_1_3B } from "../config.ts";
import type { TensorShapes } from "../tensor-shapes.ts";
import { randomBytes, type Spread, type StoredType } from "./random-tensor.ts";
import { type TensorSource, type TorchType, writeSafetensors, writeTorchArchive } from "./weight-writer.ts";

export type CheckpointSizes = {
  readonly layers: number;
  readonly dim: number;
  readonly ffnDim: number;
  readonly heads: number;
  /** Of the built-in adapter. */
  readonly rank: number;
  readonly textLayers: number;
  readonly textDim: number;
  readonly textFfnDim: number;
  readonly textHeads: number;
  readonly textLength: number;
  readonly vocabSize: number;
  /** Width of the autoencoders' first level: Wan's, and TAE's as a share of its own. */
  readonly autoencoderDim: number;
};

const { transformer, textEncoder } = WAN_1_3B;

/** As published. */
export const FULL_SIZES: CheckpointSizes = {
  layers: transformer.layers,
  dim: transformer.dim,
  ffnDim: transformer.ffnDim,
  heads: transformer.heads,
  rank: 256,
  textLayers: textEncoder.layers,
  textDim: textEncoder.dim,
  textFfnDim: textEncoder.ffnDim,
  textHeads: textEncoder.heads,
  textLength: transformer.textLength,
  vocabSize: textEncoder.vocabSize,
  autoencoderDim: 96,
};

/** Small enough for a test: 1 MB, a chunk of 48x32 in well under a second. */
export const SMALL_SIZES: CheckpointSizes = {
  layers: 4,
  dim: 64,
  ffnDim: 96,
  heads: 2,
  rank: 4,
  textLayers: 3,
  textDim: 64,
  textFfnDim: 96,
  textHeads: 2,
  textLength: 16,
  vocabSize: 128,
  autoencoderDim: 8,
};

export type CheckpointOptions = {
  /** Element type of transformer and adapter. Default F32. */
  readonly type?: TorchType;
  readonly seed?: number;
  /** Told each file before it is written. */
  readonly onFile?: (path: string) => void;
};

/** Writes all files below `folder`, a few hundred kB at a time. */
export function writeRandomCheckpoint(
  folder: string,
  sizes: CheckpointSizes = FULL_SIZES,
  options: CheckpointOptions = {},
): void {
  const { type = "F32", onFile = () => {} } = options;
  let seed = options.seed ?? 1;
  const { layers, dim, ffnDim, heads, textDim, textLength } = sizes;
  const main = { ...transformer, layers, dim, ffnDim, heads, textDim, textLength };
  const vace = { ...WAN_1_3B.vace!, layers: Array.from({ length: Math.ceil(layers / 2) }, (_, i) => 2 * i) };
  const text = {
    ...textEncoder,
    layers: sizes.textLayers,
    dim: textDim,
    attentionDim: textDim,
    ffnDim: sizes.textFfnDim,
    heads: sizes.textHeads,
    vocabSize: sizes.vocabSize,
  };
  const sources = <T extends StoredType>(shapes: TensorShapes, typeOf: (name: string) => T): TensorSource<T>[] =>
    Object.entries(shapes).map(([name, shape]) => {
      const count = shape.reduce((a, b) => a * b, 1);
      const stored = typeOf(name);
      const own = seed++;
      return { name, shape, type: stored, bytes: () => randomBytes(count, stored, spreadOf(name, shape), own) };
    });
  const put = (file: string, write: (path: string) => void) => {
    const path = join(folder, ...file.split("/"));
    mkdirSync(dirname(path), { recursive: true });
    onFile(path);
    write(path);
  };
  const prefixed = (shapes: TensorShapes) =>
    Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [`model.${name}`, shape]));

  put("Wan2.1-T2V-1.3B/config.json", (path) => writeFileSync(path, configJson(sizes)));
  put("Wan2.1-T2V-1.3B/google/umt5-xxl/tokenizer.json", (path) => writeFileSync(path, tokenizerJson()));
  put("WanVideo_comfy/umt5-xxl-enc-fp8_e4m3fn.safetensors", (path) => {
    const matrix = /\.(?:attn|ffn)\./;
    writeSafetensors(
      path,
      sources(textEncoderTensors(text), (name) => (matrix.test(name) ? "F8_E4M3" : "BF16")),
    );
  });
  put("WanVideo_comfy/Wan2_1-VACE_module_1_3B_bf16.safetensors", (path) =>
    writeSafetensors(
      path,
      sources(vaceTensors(main, vace), () => "BF16"),
    ),
  );
  put("LongLive-1.3B/models/longlive_base.pt", (path) =>
    writeTorchArchive(
      path,
      sources(prefixed(transformerTensors(main)), () => type),
      "generator",
    ),
  );
  put("LongLive-1.3B/models/lora.pt", (path) =>
    writeTorchArchive(
      path,
      sources(adapterTensors(main, sizes.rank), () => type),
      "generator_lora",
    ),
  );
  const share = sizes.autoencoderDim / FULL_SIZES.autoencoderDim;
  const scaled = (width: number) => Math.max(4, Math.round(width * share));
  const [a, b, c, d] = TAE_WIDTHS.decoder;
  const tae = taeTensors(16, {
    encoder: scaled(TAE_WIDTHS.encoder),
    decoder: [scaled(a), scaled(b), scaled(c), scaled(d)],
  });
  for (const config of Object.values(WAN_AUTOENCODERS)) {
    const shapes = "dim" in config ? wanTensors({ ...config, dim: sizes.autoencoderDim }) : tae;
    put(config.weights, (path) =>
      writeTorchArchive(
        path,
        sources(shapes, () => "F32"),
      ),
    );
  }
}

/** Sums keep their size in a linear layer, norms scale by about 1, the rest is small. */
function spreadOf(name: string, shape: readonly number[]): Spread {
  if (/norm[\w.]*weight$|gamma$/.test(name)) return { mean: 1, spread: 0.1 };
  if (name === "token_embedding.weight") return { mean: 0, spread: Math.sqrt(3) };
  if (name.includes("lora_B")) return { mean: 0, spread: 0.1 / Math.sqrt(shape[1]!) };
  if (!name.endsWith(".weight") || shape.length < 2) return { mean: 0, spread: 0.1 };
  const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
  return { mean: 0, spread: Math.sqrt(3 / fanIn) };
}

/** The transformer's description, in the fields of the published one. */
function configJson({ dim, ffnDim, heads, layers, textLength }: CheckpointSizes): string {
  const { eps, freqDim, inChannels, outChannels } = transformer;
  const fields = {
    _class_name: "WanModel",
    dim,
    eps,
    ffn_dim: ffnDim,
    freq_dim: freqDim,
    in_dim: inChannels,
    model_type: "t2v",
    num_heads: heads,
    num_layers: layers,
    out_dim: outChannels,
    text_len: textLength,
  };
  return JSON.stringify(fields, undefined, 2);
}

const SPACE = "\u2581";

/** A unigram tokenizer of letters and a few words, in the format of umT5's. */
function tokenizerJson(): string {
  const special = ["<pad>", "</s>", "<s>", "<unk>"];
  const words = ["a", "the", "pencil", "sketch", "photo", "cat", "dog", "red", "blue"].map((word) => `${SPACE}${word}`);
  const letters = [SPACE, ..."abcdefghijklmnopqrstuvwxyz0123456789.,'-"];
  const vocab = [
    ...special.map((token) => [token, 0]),
    ...words.map((word) => [word, -3]),
    ...letters.map((letter) => [letter, -6]),
  ];
  const end = { id: "</s>", ids: [1], tokens: ["</s>"] };
  const sequence = (id: string) => ({ Sequence: { id, type_id: 0 } });
  const endToken = { SpecialToken: { id: "</s>", type_id: 0 } };
  return JSON.stringify({
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: "Sequence",
      normalizers: [{ type: "NFKC" }, { type: "Replace", pattern: { Regex: " {2,}" }, content: " " }],
    },
    pre_tokenizer: { type: "Metaspace", replacement: SPACE, prepend_scheme: "always", split: false },
    post_processor: {
      type: "TemplateProcessing",
      single: [sequence("A"), endToken],
      pair: [sequence("A"), endToken, sequence("B"), endToken],
      special_tokens: { "</s>": end },
    },
    decoder: { type: "Metaspace", replacement: SPACE, prepend_scheme: "always", split: false },
    model: { type: "Unigram", unk_id: 3, vocab, byte_fallback: false },
  });
}
