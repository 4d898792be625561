/**
 * Runs the transformer: one call is one pass over the frames of a chunk at one
 * timestep. Holds weights and sessions, which all streams share, and no state
 * of any stream.
 */
import { DeviceCopier, DeviceTensor, type Model, type Session, type TensorLike } from "@everframe/graph";
import { type Loras, SCALES_INPUT } from "./adapters.ts";
import { planWindows, seenRows, type WindowPlan } from "./attention-window.ts";
import type { Latents } from "./autoencoder.ts";
import type { NetworkConfig, TransformerConfig } from "./config.ts";
import { DeviceKeys, RowPicker } from "./device-keys.ts";
import { type EngineOptions, graphOptions, openSession, openTogether } from "./engine.ts";
import { HostKeys, type LayerKeys } from "./key-storage.ts";
import { KvCache, type Window } from "./kv-cache.ts";
import { moveInTime, type Rotation, rotationOf } from "./rope.ts";
import { addNoise, cleanFromFlow, createScheduler, type Scheduler } from "./scheduler.ts";
import { type SinusoidPrecision, timeSinusoid } from "./time-sinusoid.ts";
import { type TransformerFiles, textGraph, timeGraph, transformerGraph } from "./transformer.ts";
import { vaceGraph } from "./vace.ts";
import { joinFrames, type VaceContext } from "./vace-context.ts";
import { free, tensorOf, type Values, valuesOf } from "./values.ts";
import { frameTokens, type LatentGrid } from "./wan-block.ts";

/** A prompt as the cross attentions see it; made once a prompt, `freeText` when it is another. */
export type TextKeys = {
  /** Of each main block. [textLength, D] */
  readonly main: readonly LayerKeys[];
  /** Of each block of the VACE branch. [textLength, D] */
  readonly vace: readonly LayerKeys[];
};

export type Pass = {
  /** Noisy latents. [frames, C, height, width] */
  readonly latents: Latents;
  /** 0 (clean) to 1000 (noise). */
  readonly timestep: number;
  readonly text: TextKeys;
  readonly window: Window;
  /** Keys of the frames before, as the window has them. */
  readonly past: readonly LayerKeys[];
  /** Where the keys of the call's frames are written. Default: memory of their own. [frames * frameTokens, D] */
  readonly own?: readonly LayerKeys[] | undefined;
  /** Where the prediction is written, on the CPU. Default: memory of its own. [frames, C, height, width] */
  readonly into?: Float32Array | undefined;
  readonly hints?: Hints | undefined;
  /** Of the live adapters, in order; the prompt's keys must be made with the same. Default: their start values. */
  readonly loraScales?: readonly number[] | undefined;
};

/** Of one or several passes over a chunk; `freeHints` after the last. */
export type Hints = {
  /** One for each VACE layer. [tokens, D] */
  readonly values: readonly Values[];
  readonly scale: number;
};

export type Prediction = {
  /** What the network gave: flow or clean latents. [frames, C, height, width] */
  readonly prediction: Float32Array;
  /** The clean latents that follow from it. [frames, C, height, width] */
  readonly clean: Float32Array;
  /** Keys and values of the call's own frames, for a cache to keep, or `freeKeys`. [frames * frameTokens, D] */
  readonly keys: LayerKeys[];
  /** All outputs of the graph by name, for inspection. */
  readonly outputs: Readonly<Record<string, Values>>;
};

export type GeneratorOptions = EngineOptions & {
  /** Default "float64". */
  sinusoid?: SinusoidPrecision;
  /** Zero keys that fill the branch's attention up to a multiple of this many tokens. Default 1: none. */
  vaceKeyMultiple?: number;
  /** Most tokens of a pass. Default: any number. */
  maxTokens?: number;
  /** Adds inner values to the outputs, and leaves none on the GPU. Default false. */
  tap?: boolean;
};

type Sessions = { time: Session; text: Session; main: Session; vace?: Session };

/** What keeps values on the GPU. */
type OnDevice = { readonly copier: DeviceCopier; readonly picker: RowPicker };

type Inputs = Record<string, TensorLike | DeviceTensor>;

type TimeEmbedding = { readonly e: Float32Array; readonly e0: Float32Array };

const NO_LORAS: Loras = { merged: [], live: [] };

/** From this size of the weights on, sessions give memory back after each pass rather than keep it for the next. */
const LARGE_BYTES = 1e9;

const MAX_KEPT_TIMES = 64;
const MAX_KEPT_ROTATIONS = 16;

export class Generator {
  readonly config: NetworkConfig;
  readonly grid: LatentGrid;
  readonly scheduler: Scheduler;
  readonly hasVace: boolean;
  readonly loras: Loras;
  readonly #options: GeneratorOptions;
  readonly #sessions: Sessions;
  readonly #onDevice: OnDevice | undefined;
  readonly #times = new Map<number, TimeEmbedding>();
  readonly #windows: WindowPlan | undefined;
  readonly #seenRows = new Map<string, TensorLike>();
  readonly #rotations = new Map<string, Rotation>();
  readonly #zeros = new Map<number, Float32Array>();
  /** No hint for one number of tokens. */
  #noHint: { readonly tokens: number; readonly values: Values } | undefined;

  private constructor(
    config: NetworkConfig,
    grid: LatentGrid,
    options: GeneratorOptions,
    loras: Loras,
    sessions: Sessions,
    onDevice: OnDevice | undefined,
  ) {
    this.config = config;
    this.grid = grid;
    this.scheduler = createScheduler(config.timestepShift);
    this.loras = loras;
    this.#windows = planWindows(config.transformer, grid);
    this.hasVace = sessions.vace !== undefined;
    this.#options = options;
    this.#sessions = sessions;
    this.#onDevice = onDevice;
  }

  /**
   * Builds the graphs for one size and loads their weights.
   * @param files Without `vace` there is no condition branch, whatever the config says.
   */
  static async create(
    config: NetworkConfig,
    files: TransformerFiles,
    grid: LatentGrid,
    options: GeneratorOptions = {},
  ): Promise<Generator> {
    const { device = "cpu", tap = false } = options;
    const { transformer, vace } = config;
    const { loras = NO_LORAS } = files;
    const written = await graphOptions(options);
    const arena = weightBytes(transformer) < LARGE_BYTES;
    return openTogether(async (noted) => {
      const open = (model: Model) => noted(openSession(model, options, { arena, keep: tap ? [] : outputsKept(model) }));
      const time = await noted(openSession(timeGraph(transformer, files.main, { device }), options));
      const text = await open(textGraph(config, files, { ...written, tap }));
      const main = await open(transformerGraph(config, files, grid, { ...written, tap }));
      const sessions: Sessions = { time, text, main };
      if (vace && files.vace) {
        sessions.vace = await open(vaceGraph(config, vace, { main: files.main, vace: files.vace }, grid, written));
      }
      if (device === "cpu" || tap) return new Generator(config, grid, options, loras, sessions, undefined);
      const copier = await noted(DeviceCopier.create());
      const picker = await noted(RowPicker.create(transformer, device));
      return new Generator(config, grid, options, loras, sessions, { copier, picker });
    });
  }

  /** Tokens of one latent frame. */
  get frameTokens(): number {
    return frameTokens(this.config.transformer, this.grid);
  }

  /**
   * A cache for a stream's keys, where the generator's are.
   * @param relative see `KvCacheSizes`
   */
  openCache({ relative }: { relative: boolean }): KvCache {
    const { transformer, windowFrames, sinkFrames } = this.config;
    const { layers, dim, heads } = transformer;
    const sizes = { layers, dim, capacity: windowFrames * this.frameTokens };
    const move = (keys: Float32Array, frames: number) => moveInTime(keys, dim / heads, frames);
    const storage = this.#onDevice
      ? new DeviceKeys(sizes, { ...this.#onDevice, moves: relative })
      : new HostKeys(sizes, relative ? move : undefined);
    return new KvCache({ frameTokens: this.frameTokens, windowFrames, sinkFrames, relative }, storage);
  }

  /** Values in this process's memory. @param values not yet freed */
  async read(values: Values): Promise<Float32Array> {
    return values instanceof DeviceTensor ? this.#onDevice!.copier.download(values) : values;
  }

  /** @param embedding [textLength, textDim] @param loraScales see `Pass` */
  async encodeText(
    embedding: Float32Array,
    loraScales?: readonly number[],
  ): Promise<TextKeys & { outputs: Record<string, Values> }> {
    const { textLength, textDim, layers } = this.config.transformer;
    const outputs = await run(this.#sessions.text, {
      prompt: { data: embedding, dims: [textLength, textDim] },
      ...this.#scaleTensor(loraScales),
    });
    const keysOf = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, i) => ({ k: outputs[`${prefix}k${i}`]!, v: outputs[`${prefix}v${i}`]! }));
    const branchBlocks = this.hasVace ? this.config.vace!.layers.length : 0;
    return { main: keysOf("", layers), vace: keysOf("vace_", branchBlocks), outputs };
  }

  /**
   * Hints of the condition branch for one pass. Context frames beyond the latents' are dropped, missing ones zero.
   * The branch runs over the leading frames of the context too; their hints are left out.
   */
  async hints(latents: Latents, timestep: number, text: TextKeys, context: VaceContext): Promise<Hints> {
    const session = this.#sessions.vace;
    if (!session) throw new Error("internal: hints were asked of a model without condition branch.");
    const { dim } = this.config.transformer;
    const { inChannels } = this.config.vace!;
    const seen = this.#withLead(latents, timestep, context);
    const contextFrames = Math.min(context.frames, seen.frames);
    const data = context.data.subarray(0, contextFrames * inChannels * this.#plane);
    const missing = (seen.frames - contextFrames) * this.frameTokens;
    const tokens = seen.frames * this.frameTokens;
    const multiple = this.#options.vaceKeyMultiple ?? 1;
    const zeroKeys = Math.ceil(tokens / multiple) * multiple - tokens;
    const outputs = await run(session, {
      latents: this.#latentTensor(seen),
      context: { data, dims: [contextFrames, inChannels, this.grid.height, this.grid.width] },
      padding: { data: this.#zerosOf(missing * dim), dims: [missing, dim] },
      zero_keys: { data: this.#zerosOf(zeroKeys * dim), dims: [zeroKeys, dim] },
      e0: { data: (await this.timeEmbedding(timestep)).e0, dims: [6, dim] },
      hint_from: index((seen.frames - latents.frames) * this.frameTokens),
      ...this.#rotation(seen.frames, 0),
      ...this.#windowRows(seen.frames, seen.frames - latents.frames),
      ...this.#textTensors(text.vace),
    });
    return { values: this.config.vace!.layers.map((_, n) => outputs[`hint${n}`]!), scale: context.scale };
  }

  /** The latents behind those of the leading frames, which are as noisy as the timestep says. */
  #withLead(latents: Latents, timestep: number, { lead }: VaceContext): Latents {
    if (!lead) return latents;
    const data = addNoise(lead.latents.data, lead.noise, this.scheduler.sigmaOf(timestep));
    return joinFrames([{ frames: lead.latents.frames, data }, latents]);
  }

  /** One pass: prediction and keys of the call's frames. */
  async forward(pass: Pass): Promise<Prediction> {
    const { latents, timestep } = pass;
    const outputs = await this.#run(pass, 0);
    const prediction = outputs["prediction"] as Float32Array;
    const clean =
      this.config.predictionType === "sample"
        ? prediction
        : cleanFromFlow(latents.data, prediction, this.scheduler.sigmaOf(timestep));
    return { prediction, clean, keys: this.#keysOf(outputs), outputs };
  }

  /** The keys alone, at less cost: what follows the last layer's keys is computed for one frame only. */
  async keys(pass: Pass): Promise<LayerKeys[]> {
    return this.#keysOf(await this.#run(pass, pass.latents.frames - 1));
  }

  /** e [1, D] and e0 [6, D] of a timestep, kept for the next call. */
  async timeEmbedding(timestep: number): Promise<TimeEmbedding> {
    const known = this.#times.get(timestep);
    if (known) return known;
    const { freqDim } = this.config.transformer;
    const sinusoid = timeSinusoid(timestep, freqDim, this.#options.sinusoid ?? "float64");
    const { e, e0 } = await this.#sessions.time.run({ sinusoid: { data: sinusoid, dims: [1, freqDim] } });
    const embedding = { e: e!.data as Float32Array, e0: e0!.data as Float32Array };
    return keep(this.#times, MAX_KEPT_TIMES, timestep, embedding);
  }

  async close(): Promise<void> {
    if (this.#noHint) free(this.#noHint.values);
    for (const session of Object.values(this.#sessions)) await session.close();
    await this.#onDevice?.copier.close();
    await this.#onDevice?.picker.close();
  }

  get #plane(): number {
    return this.grid.height * this.grid.width;
  }

  async #run(pass: Pass, headFromFrame: number): Promise<Record<string, Values>> {
    const { latents, window, past } = pass;
    const { dim } = this.config.transformer;
    const tokens = latents.frames * this.frameTokens;
    const { maxTokens = tokens } = this.#options;
    if (tokens > maxTokens) throw new RangeError(`A pass of ${tokens} tokens is more than ${maxTokens}.`);
    const time = await this.timeEmbedding(pass.timestep);
    const inputs: Inputs = {
      latents: this.#latentTensor(latents),
      e: { data: time.e, dims: [1, dim] },
      e0: { data: time.e0, dims: [6, dim] },
      ...this.#rotation(latents.frames, window.firstPosition),
      ...this.#windowRows(window.pastFrames + latents.frames - window.droppedFrames),
      own_from: index(window.droppedFrames * this.frameTokens),
      head_from: index(headFromFrame * this.frameTokens),
      ...this.#textTensors(pass.text.main),
      ...(await this.#hintTensors(latents.frames, pass.hints)),
      ...this.#scaleTensor(pass.loraScales),
    };
    const dims = [window.pastFrames * this.frameTokens, dim];
    for (const [i, { k, v }] of past.entries()) {
      inputs[`past_k${i}`] = tensorOf(k, dims);
      inputs[`past_v${i}`] = tensorOf(v, dims);
    }
    const outputs: Record<string, TensorLike> = {};
    if (pass.into) outputs["prediction"] = this.#latentTensor({ frames: latents.frames, data: pass.into });
    for (const [i, { k, v }] of (pass.own ?? []).entries()) {
      if (k instanceof Float32Array) outputs[`k${i}`] = { data: k, dims: [tokens, dim] };
      if (v instanceof Float32Array) outputs[`v${i}`] = { data: v, dims: [tokens, dim] };
    }
    return await run(this.#sessions.main, inputs, outputs);
  }

  #latentTensor({ frames, data }: Latents): TensorLike {
    return { data, dims: [frames, this.config.transformer.inChannels, this.grid.height, this.grid.width] };
  }

  #rotation(frames: number, firstPosition: number): Record<"cos" | "sin", TensorLike> {
    const { dim, heads, patch } = this.config.transformer;
    const [, patchHeight, patchWidth] = patch;
    const key = `${frames}@${firstPosition}`;
    const grid = { frames, rows: this.grid.height / patchHeight, columns: this.grid.width / patchWidth };
    const { cos, sin } =
      this.#rotations.get(key) ??
      keep(this.#rotations, MAX_KEPT_ROTATIONS, key, rotationOf(dim / heads, grid, firstPosition));
    const dims = [frames * this.frameTokens, dim / heads / 2];
    return { cos: { data: cos, dims }, sin: { data: sin, dims } };
  }

  /** @param frames that are seen, the call's own included @param references see `seenRows` */
  #windowRows(frames: number, references = 0): Inputs {
    if (!this.#windows) return {};
    const key = `${frames}, ${references}`;
    const rows =
      this.#seenRows.get(key) ??
      keep(this.#seenRows, MAX_KEPT_ROTATIONS, key, seenRows(this.#windows, frames, references));
    return { seen_rows: rows };
  }

  #textTensors(keys: readonly LayerKeys[]): Inputs {
    const { textLength, dim } = this.config.transformer;
    const dims = [textLength, dim];
    return Object.fromEntries(
      keys.flatMap(({ k, v }, i) => [
        [`text_k${i}`, tensorOf(k, dims)],
        [`text_v${i}`, tensorOf(v, dims)],
      ]),
    );
  }

  async #hintTensors(frames: number, hints: Hints | undefined): Promise<Inputs> {
    if (!this.hasVace) return {};
    const tokens = frames * this.frameTokens;
    const none = hints ? undefined : await this.#noHintOf(tokens);
    const dims = [tokens, this.config.transformer.dim];
    const tensors = this.config.vace!.layers.map((_, n) => [`hint${n}`, tensorOf(none ?? hints!.values[n]!, dims)]);
    return { ...Object.fromEntries(tensors), hint_scale: { data: Float32Array.of(hints?.scale ?? 0), dims: [1] } };
  }

  #scaleTensor(scales: readonly number[] | undefined): Record<string, TensorLike> {
    const { live } = this.loras;
    if (live.length === 0) return {};
    const data = Float32Array.from(scales ?? live.map(({ scale }) => scale));
    return { [SCALES_INPUT]: { data, dims: [live.length] } };
  }

  /** On the GPU zeros are sent once. */
  async #noHintOf(tokens: number): Promise<Values> {
    if (this.#noHint?.tokens === tokens) return this.#noHint.values;
    const { dim } = this.config.transformer;
    const zeros = this.#zerosOf(tokens * dim);
    const values = this.#onDevice ? await this.#onDevice.copier.upload({ data: zeros, dims: [tokens, dim] }) : zeros;
    if (this.#noHint) free(this.#noHint.values);
    this.#noHint = { tokens, values };
    return values;
  }

  #keysOf(outputs: Readonly<Record<string, Values>>): LayerKeys[] {
    return Array.from({ length: this.config.transformer.layers }, (_, i) => ({
      k: outputs[`k${i}`]!,
      v: outputs[`v${i}`]!,
    }));
  }

  /** Zeros that nobody writes to. */
  #zerosOf(count: number): Float32Array {
    return this.#zeros.get(count) ?? keep(this.#zeros, MAX_KEPT_ROTATIONS, count, new Float32Array(count));
  }
}

/** Of the blocks' matrices, in float32. */
function weightBytes({ layers, dim, ffnDim }: TransformerConfig): number {
  return 4 * layers * dim * (8 * dim + 2 * ffnDim);
}

function index(value: number): TensorLike {
  return { data: BigInt64Array.of(BigInt(value)), dims: [1] };
}

async function run(
  session: Session,
  inputs: Inputs,
  outputs: Readonly<Record<string, TensorLike>> = {},
): Promise<Record<string, Values>> {
  return valuesOf(await session.runKeeping(inputs, outputs));
}

/** All results but the pictures' own go on into other passes. */
function outputsKept(model: Model): string[] {
  return model.outputs.map(({ name }) => name).filter((name) => name !== "prediction");
}

export function freeKeys(keys: readonly LayerKeys[]): void {
  for (const { k, v } of keys) free(k, v);
}

export function freeHints(hints: Hints | undefined): void {
  free(...(hints?.values ?? []));
}

export function freeText(text: TextKeys): void {
  freeKeys(text.main);
  freeKeys(text.vace);
}

/** Adds an entry; the oldest one leaves when there are too many. */
function keep<K, V>(map: Map<K, V>, most: number, key: K, value: V): V {
  if (map.size >= most) map.delete(map.keys().next().value!);
  map.set(key, value);
  return value;
}
