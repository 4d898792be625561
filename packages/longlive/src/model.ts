/**
 * A loaded model: sessions and weights, shared by all streams. Reads any
 * folder with `config.json`, `tokenizer.json` and the weight files that the
 * config names.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openWeights as openWeightFile, SafetensorsFile, ShapeError, WeightFileError } from "@everframe/graph";
import { ApiError, type CompatName, errorText, type Lora } from "@everframe/protocol";
import type { Loras } from "./adapters.ts";
import { type Autoencoder, SPACE_FACTOR } from "./autoencoder.ts";
import type { VaeType } from "./autoencoder-config.ts";
import { COMPAT, type Compat, compatOf, numericsOf } from "./compat.ts";
import { type ModelConfig, type NetworkConfig, readModelConfig } from "./config.ts";
import type { EngineOptions } from "./engine.ts";
import { Generator } from "./generator.ts";
import { GreyLatents } from "./grey-latents.ts";
import { modelLora, openLora } from "./lora-file.ts";
import { chosenAutoencoder, openAutoencoder } from "./open-autoencoder.ts";
import type { Size } from "./preprocess.ts";
import { LongLiveStream, type StreamOptions } from "./stream.ts";
import { TextEncoder } from "./text-encoder.ts";
import { openTokenizer } from "./tokenizer.ts";

/** What a stream needs of a model. */
export type ModelParts = {
  readonly config: NetworkConfig;
  readonly size: Size;
  readonly generator: Generator;
  readonly autoencoder: Autoencoder;
  readonly grey: GreyLatents;
  /** Embedding of one prompt. [textLength, textDim] */
  readonly encodePrompt: (text: string) => Promise<Float32Array>;
  /** Start value of the condition's scale. Default 1. */
  readonly vaceContextScale?: number;
};

export type LoadOptions = EngineOptions & {
  /** Default: the model's own size. Multiples of 16. */
  width?: number;
  height?: number;
  /** Load the condition branch, if the model has one. Default true. */
  vace?: boolean;
  /** Start value of the condition's scale, 0 to 2. Default 1. */
  vaceContextScale?: number;
  /** Adapters; those to be merged for good are summed into the weights, the others' scales can change in a stream. */
  loras?: readonly Lora[];
  /** A preset's name, or repairs one by one. Default "everframe". */
  compat?: Compat | CompatName;
  /** Default: the model's own autoencoder. A model whose latents are its own has no other. */
  vaeType?: VaeType;
  signal?: AbortSignal;
  /** Told what is being loaded, once a part. */
  onStage?: (stage: string) => void;
};

/** Prompts whose embeddings are kept. */
const KEPT_PROMPTS = 64;

export class LongLiveModel {
  readonly config: ModelConfig;
  readonly size: Size;
  readonly #parts: ModelParts;
  readonly #compat: Compat;
  readonly #close: () => Promise<void>;

  private constructor(config: ModelConfig, parts: ModelParts, compat: Compat, close: () => Promise<void>) {
    this.config = config;
    this.size = parts.size;
    this.#parts = parts;
    this.#compat = compat;
    this.#close = close;
  }

  /**
   * Loads the model in `folder`.
   * @throws ApiError model_missing, model_corrupt, invalid_resolution; or the signal's reason.
   */
  static async load(folder: string, options: LoadOptions = {}): Promise<LongLiveModel> {
    const { signal, onStage = () => {} } = options;
    const compat = compatOf(options.compat ?? COMPAT.everframe);
    const config = readModelConfig(folder);
    const size = checkedSize(config, options);
    const grid = { width: size.width / SPACE_FACTOR, height: size.height / SPACE_FACTOR };
    const closers: (() => Promise<void>)[] = [];
    const close = async () => {
      for (const closer of closers.splice(0).reverse()) await closer();
    };
    const stage = async <T extends { close(): Promise<void> }>(name: string, create: () => Promise<T>): Promise<T> => {
      signal?.throwIfAborted();
      onStage(name);
      const part = await create();
      closers.push(() => part.close());
      return part;
    };
    try {
      const tokenizer = openTokenizer(folder, config.transformer.textLength);
      const textEncoder = await stage("text encoder", () =>
        TextEncoder.create(config.textEncoder, openWeights(folder, config.textEncoder.weights), options),
      );
      const withVace = config.vace !== undefined && options.vace !== false;
      const files = {
        main: openWeights(folder, config.transformer.weights),
        ...(withVace ? { vace: openWeights(folder, config.vace!.weights) } : {}),
        loras: openLoras(config, folder, options),
      };
      const generator = await stage("transformer", () =>
        Generator.create(config, files, grid, {
          ...options,
          ...numericsOf(compat, withVace),
        }),
      );
      const chosen = chosenAutoencoder(config, folder, options);
      const autoencoder = await stage("autoencoder", () =>
        openAutoencoder(chosen, openWeights(folder, chosen.weights), grid, options),
      );
      signal?.throwIfAborted();
      const encodePrompt = remembered(KEPT_PROMPTS, (text: string) =>
        textEncoder.encode(tokenizer.encode(text), config.transformer.textLength),
      );
      const grey = new GreyLatents(autoencoder, size);
      const { vaceContextScale = 1 } = options;
      const parts = { config, size, generator, autoencoder, grey, encodePrompt, vaceContextScale };
      return new LongLiveModel(config, parts, compat, close);
    } catch (cause) {
      await close();
      throw toLoadError(folder, cause);
    }
  }

  /** True when the condition branch is there. */
  get vaceLoaded(): boolean {
    return this.#parts.generator.hasVace;
  }

  /** A new stream with a state of its own. Streams may be used in any order, one chunk at a time. */
  openStream(options: StreamOptions): LongLiveStream {
    return new LongLiveStream(this.#parts, { compat: this.#compat, ...options });
  }

  /** Frees the weights. Streams of the model cannot be used afterwards. */
  async close(): Promise<void> {
    await this.#close();
  }
}

/** @throws ApiError invalid_resolution unless tokens fill the picture. */
function checkedSize(config: ModelConfig, { width, height }: LoadOptions): Size {
  const [, patchHeight, patchWidth] = config.transformer.patch;
  const size = { width: width ?? config.defaultSize.width, height: height ?? config.defaultSize.height };
  const stepX = patchWidth * SPACE_FACTOR;
  const stepY = patchHeight * SPACE_FACTOR;
  const fits = (length: number, step: number) => Number.isInteger(length) && length > 0 && length % step === 0;
  if (fits(size.width, stepX) && fits(size.height, stepY)) return size;
  const nearest = (length: number, step: number) => Math.max(step, Math.round(length / step) * step || step);
  throw new ApiError("invalid_resolution", {
    ...size,
    nearestWidth: nearest(size.width, stepX),
    nearestHeight: nearest(size.height, stepY),
  });
}

function openWeights(folder: string, name: string): SafetensorsFile {
  const path = join(folder, name);
  if (!existsSync(path)) throw new ApiError("model_missing", { folder, reason: `${name} is not there` });
  return SafetensorsFile.open(path);
}

/** The model's own adapter and the user's. */
function openLoras({ lora }: ModelConfig, folder: string, { loras = [], log }: LoadOptions): Loras {
  const scaled = (mode: Lora["mergeMode"]) =>
    loras
      .filter(({ mergeMode }) => mergeMode === mode)
      .map(({ path, scale }) => ({ lora: openLora(path, log), scale }));
  const merged = scaled("permanent_merge");
  const live = scaled("runtime_peft");
  if (!lora) return { merged, live };
  const path = join(folder, lora.weights);
  if (!existsSync(path)) throw new ApiError("model_missing", { folder, reason: `${lora.weights} is not there` });
  const file = openWeightFile(path, { entry: "generator_lora", optionalEntry: true });
  return { merged: [{ lora: modelLora(path, file, lora.alpha / lora.rank), scale: 1 }, ...merged], live };
}

/** A file that cannot be read, or tensors that are missing or of other shapes, are a corrupt model. */
function toLoadError(folder: string, cause: unknown): unknown {
  if (!(cause instanceof WeightFileError || cause instanceof ShapeError)) return cause;
  return new ApiError("model_corrupt", { folder, reason: errorText(cause) }, { cause });
}

/** The function with its newest results kept; a failure is not kept. */
function remembered<T>(most: number, compute: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const kept = new Map<string, Promise<T>>();
  return (key) => {
    const known = kept.get(key);
    if (known !== undefined) return known;
    if (kept.size >= most) kept.delete(kept.keys().next().value!);
    const result = compute(key);
    kept.set(key, result);
    result.catch(() => kept.delete(key));
    return result;
  };
}
