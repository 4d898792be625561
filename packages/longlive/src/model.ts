/**
 * A loaded model: sessions and weights, shared by all streams. Its parts come
 * from a folder of ours or from the published 1.3B checkpoint; they are loaded
 * one after the other, so that each one's passing needs are not added up.
 */
import { ApiError, type CompatName, type Lora } from "@everframe/protocol";
import { type Autoencoder, SPACE_FACTOR } from "./autoencoder.ts";
import type { VaeType } from "./autoencoder-config.ts";
import { nextTurn } from "./cancellation.ts";
import { COMPAT, type Compat, compatOf, numericsOf } from "./compat.ts";
import type { ModelConfig, NetworkConfig } from "./config.ts";
import type { EngineOptions } from "./engine.ts";
import { Generator } from "./generator.ts";
import { GreyLatents } from "./grey-latents.ts";
import { openModelFolder } from "./model-folder.ts";
import { openAutoencoderFile, openLoras, openPart, toLoadError } from "./model-source.ts";
import { chosenAutoencoder, openAutoencoder } from "./open-autoencoder.ts";
import type { Size } from "./preprocess.ts";
import { PromptEncoder } from "./prompt-encoder.ts";
import { LongLiveStream, type StreamOptions } from "./stream.ts";
import { TextEncoder } from "./text-encoder.ts";
import { openTokenizer } from "./tokenizer.ts";
import { isCheckpoint, openWanCheckpoint } from "./wan-checkpoint.ts";

/** What a stream needs of a model. */
export type ModelParts = {
  readonly config: NetworkConfig;
  readonly size: Size;
  readonly generator: Generator;
  readonly autoencoder: Autoencoder;
  readonly grey: GreyLatents;
  readonly prompts: PromptEncoder;
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
  /**
   * Paths of the published 1.3B checkpoint's files, by `<repository name>/<file>`: those that are not here are looked
   * for below the folder. Without it the folder says what it is.
   */
  files?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  /** Told what is being loaded, once a part. */
  onStage?: (stage: string) => void;
};

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
   * Loads the model in `folder`: one of ours, or the published 1.3B checkpoint in Daydream Scope's layout.
   * @throws ApiError model_missing, model_corrupt, invalid_resolution; or the signal's reason.
   */
  static async load(folder: string, options: LoadOptions = {}): Promise<LongLiveModel> {
    const { signal, onStage = () => {}, log } = options;
    const compat = compatOf(options.compat ?? COMPAT.everframe);
    const { files } = options;
    const source = files || isCheckpoint(folder) ? openWanCheckpoint(folder, files ?? {}) : openModelFolder(folder);
    const { config } = source;
    const size = checkedSize(config, options);
    const grid = { width: size.width / SPACE_FACTOR, height: size.height / SPACE_FACTOR };
    const closers: (() => Promise<void>)[] = [];
    const close = async () => {
      for (const closer of closers.splice(0).reverse()) await closer();
    };
    const stage = async <T extends { close(): Promise<void> }>(name: string, create: () => Promise<T>): Promise<T> => {
      await nextTurn(signal);
      onStage(name);
      const part = await create();
      closers.push(() => part.close());
      return part;
    };
    try {
      const tokenizer = openTokenizer(source.tokenizerPath, config.transformer.textLength);
      const textEncoder = await stage("text encoder", () =>
        TextEncoder.create(config.textEncoder, openPart(source, "textEncoder"), options),
      );
      const prompts = new PromptEncoder(tokenizer, textEncoder, config.transformer, log);
      const withVace = config.vace !== undefined && options.vace !== false;
      const generator = await stage("transformer", () => {
        const weights = {
          main: openPart(source, "transformer"),
          ...(withVace ? { vace: openPart(source, "vace") } : {}),
          loras: openLoras(source, options),
        };
        return Generator.create(config, weights, grid, { ...options, ...numericsOf(compat, withVace) });
      });
      const autoencoder = await stage("autoencoder", () => {
        const { file, config: sized } = openAutoencoderFile(source, chosenAutoencoder(config, folder, options));
        return openAutoencoder(sized, file, grid, options);
      });
      await nextTurn(signal);
      const grey = new GreyLatents(autoencoder, size);
      const { vaceContextScale = 1 } = options;
      const parts = { config, size, generator, autoencoder, grey, prompts, vaceContextScale };
      return new LongLiveModel(config, parts, compat, close);
    } catch (cause) {
      await close();
      throw toLoadError(source, cause);
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
