/**
 * The umT5 encoder (UniMax, arXiv:2304.09151; T5, arXiv:1910.10683) as
 * graphs: no scaling of attention logits, a relative position table in every
 * layer, gated GELU. Only real tokens are run: padded positions are masked as
 * keys and zeroed in the end, so leaving them out changes nothing. An encoder
 * that is too large to stay in memory is read layer by layer for each set of
 * prompts, and nothing of it is kept.
 */
import { Graph, type GraphOptions, type Model, type Session, type Value, type WeightFile } from "@everframe/graph";
import { nextTurn } from "./cancellation.ts";
import { textEncoderTensors } from "./checkpoint-tensors.ts";
import type { TextEncoderConfig } from "./config.ts";
import { type EngineOptions, openSession } from "./engine.ts";

const EPS = 1e-6;

/** More than small encoders have, less than a layer of a large one. */
const KEPT_BYTES = 0.5e9;

export type TextEncoderOptions = EngineOptions & {
  /** Most bytes that the layers' weights may take, in float32, to stay in memory. Default 0.5e9. */
  readonly keptBytes?: number;
  /** Adds the result of the first layer to the results of `hidden`. Default false. */
  readonly tap?: boolean;
};

export type EncodeOptions = {
  /** Looked at between layers. */
  readonly signal?: AbortSignal | undefined;
  /** Told how many layers are done; only where they are read one by one. */
  readonly onProgress?: (doneLayers: number, layers: number) => void;
};

/** By output name; each [tokens, dim]. */
type Outputs = Record<string, Float32Array>;

export class TextEncoder {
  readonly #config: TextEncoderConfig;
  readonly #file: WeightFile;
  readonly #options: TextEncoderOptions;
  /** All layers of an encoder that stays in memory. */
  readonly #kept: Session | undefined;

  private constructor(config: TextEncoderConfig, file: WeightFile, options: TextEncoderOptions, kept?: Session) {
    this.#config = config;
    this.#file = file;
    this.#options = options;
    this.#kept = kept;
  }

  static async create(
    config: TextEncoderConfig,
    file: WeightFile,
    options: TextEncoderOptions = {},
  ): Promise<TextEncoder> {
    const { device = "cpu", tap = false, keptBytes = KEPT_BYTES } = options;
    if (layersBytes(config) > keptBytes) return new TextEncoder(config, file, options);
    const kept = await openSession(wholeGraph(config, file, { device, tap }), options);
    return new TextEncoder(config, file, options, kept);
  }

  /** Whether the weights stay in memory between calls. */
  get stays(): boolean {
    return this.#kept !== undefined;
  }

  /**
   * Embeddings of prompts, all in one walk through the layers.
   * @param prompts real tokens, at least one each
   * @returns of each prompt [tokens, dim]; what follows in the model's text length is zero
   */
  async encode(prompts: readonly (readonly number[])[], options: EncodeOptions = {}): Promise<Float32Array[]> {
    const outputs = await this.hidden(prompts, options);
    return outputs.map(({ embedding }) => embedding!);
  }

  /** All outputs for each prompt: `embedding` [tokens, dim], and with `tap` `block0` [tokens, dim]. */
  async hidden(prompts: readonly (readonly number[])[], options: EncodeOptions = {}): Promise<Outputs[]> {
    // Rows come from the file one by one: the whole table of a large vocabulary never lies in memory.
    const tokens = prompts.map((ids) => this.#file.rows("token_embedding.weight", ids));
    const buckets = prompts.map((ids) => bucketsOf(ids.length, this.#config));
    if (!this.#kept) return this.#walk(tokens, buckets, options);
    const outputs: Outputs[] = [];
    for (const [i, x] of tokens.entries()) outputs.push(await this.#run(this.#kept, x, buckets[i]!));
    return outputs;
  }

  async close(): Promise<void> {
    await this.#kept?.close();
  }

  /** All prompts through one layer after the other, by a graph that is given the layer's weights. */
  async #walk(
    tokens: readonly Float32Array[],
    buckets: readonly BigInt64Array[],
    { signal, onProgress = () => {} }: EncodeOptions,
  ): Promise<Outputs[]> {
    const { layers, dim } = this.#config;
    const { device = "cpu", tap = false } = this.#options;
    const outputs = tokens.map((embedding): Outputs => ({ embedding }));
    const closingNorm = { data: this.#file.read("norm.weight"), dims: [dim] };
    const session = await openSession(layerGraph(this.#config, { device }), this.#options);
    try {
      for (let layer = 0; layer < layers; layer++) {
        await nextTurn(signal);
        const weights = { ...this.#layerWeights(layer), norm: closingNorm };
        for (const [i, before] of outputs.entries()) {
          const { x, embedding } = await this.#run(session, before["embedding"]!, buckets[i]!, weights);
          const tapped = tap && layer === 0 ? { block0: x! } : {};
          outputs[i] = { ...before, ...tapped, embedding: layer === layers - 1 ? embedding! : x! };
        }
        onProgress(layer + 1, layers);
      }
    } finally {
      await session.close();
    }
    return outputs;
  }

  #layerWeights(layer: number): Record<string, { data: Float32Array; dims: readonly number[] }> {
    const shapes = layerShapes(this.#config);
    return Object.fromEntries(
      Object.entries(shapes).map(([name, dims]) => [
        name,
        { data: readWeight(this.#file, `blocks.${layer}.${name}`), dims },
      ]),
    );
  }

  async #run(
    session: Session,
    x: Float32Array,
    buckets: BigInt64Array,
    weights: Record<string, { data: Float32Array; dims: readonly number[] }> = {},
  ): Promise<Outputs> {
    const { dim } = this.#config;
    const tokens = x.length / dim;
    const results = await session.run({
      ...weights,
      tokens: { data: x, dims: [tokens, dim] },
      buckets: { data: buckets, dims: [tokens, tokens] },
    });
    return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]));
  }
}

/** Of all layers in float32. */
function layersBytes({ dim, attentionDim, ffnDim, layers }: TextEncoderConfig): number {
  return 4 * layers * dim * (4 * attentionDim + 3 * ffnDim);
}

/** Bucket of each pair of tokens. [tokens, tokens] */
function bucketsOf(tokens: number, { buckets, maxDistance }: TextEncoderConfig): BigInt64Array {
  const pairs = new BigInt64Array(tokens * tokens);
  for (let i = 0; i < tokens; i++) {
    for (let j = 0; j < tokens; j++) pairs[i * tokens + j] = BigInt(relativeBucket(j - i, buckets, maxDistance));
  }
  return pairs;
}

/**
 * Bucket of a distance (key minus query): half of the buckets for each direction, the near half of those exact, the
 * rest growing by powers up to `maxDistance`. Rounded in float32, as the boundaries are part of the model.
 */
export function relativeBucket(distance: number, buckets: number, maxDistance: number): number {
  const half = buckets / 2;
  const exact = half / 2;
  const far = Math.abs(distance);
  const side = distance > 0 ? half : 0;
  if (far < exact) return side + far;
  const steps = Math.fround(Math.fround(Math.log(far / exact)) / Math.fround(Math.log(maxDistance / exact)));
  return side + Math.min(half - 1, exact + Math.trunc(Math.fround(steps * (half - exact))));
}

/** Gives the weight of a layer by its name there, without ".weight". */
type LayerWeights = (name: string) => Value;

/**
 * The encoder with its weights as constants.
 * In: `tokens` [tokens, dim], `buckets` i64 [tokens, tokens]. Out: `embedding` [tokens, dim].
 */
function wholeGraph(config: TextEncoderConfig, file: WeightFile, options: GraphOptions & { tap?: boolean }): Model {
  const g = new Graph("text encoder", options);
  let x: Value = g.input("tokens", ["tokens", config.dim]);
  const buckets = g.input("buckets", ["tokens", "tokens"], "i64");
  for (let i = 0; i < config.layers; i++) {
    x = encoderLayer(g, config, { x, buckets }, (name) => {
      const tensor = `blocks.${i}.${name}`;
      if (scaleOf(file, tensor) === undefined) return g.weight(file, `${tensor}.weight`);
      return g.constant(readWeight(file, tensor), file.info(`${tensor}.weight`).shape);
    });
    if (options.tap && i === 0) g.output("block0", x);
  }
  g.output("embedding", g.rmsNorm(x, g.weight(file, "norm.weight"), EPS));
  return g.build();
}

/**
 * One layer whose weights are inputs, named as in the file without the layer's prefix and ".weight"; `norm` [dim] is
 * the norm behind the last layer.
 * In: also `tokens` [tokens, dim], `buckets` i64 [tokens, tokens].
 * Out: `x` [tokens, dim] for the next layer, `embedding` [tokens, dim] if it was the last.
 */
function layerGraph(config: TextEncoderConfig, options: GraphOptions): Model {
  const g = new Graph("text encoder layer", options);
  const shapes = layerShapes(config);
  const tokens = g.input("tokens", ["tokens", config.dim]);
  const buckets = g.input("buckets", ["tokens", "tokens"], "i64");
  const x = encoderLayer(g, config, { x: tokens, buckets }, (name) => g.input(name, shapes[name]!));
  g.output("x", x);
  g.output("embedding", g.rmsNorm(x, g.input("norm", [config.dim]), EPS));
  return g.build();
}

/** @param inputs.x [tokens, dim] @param inputs.buckets i64 [tokens, tokens] */
function encoderLayer(
  g: Graph,
  { heads }: TextEncoderConfig,
  { x, buckets }: { x: Value; buckets: Value },
  weight: LayerWeights,
): Value {
  const table = weight("pos_embedding.embedding"); // [buckets, heads]
  const bias = g.transpose(g.gather(table, buckets), [2, 0, 1]); // [heads, tokens, tokens]
  const y = g.rmsNorm(x, weight("norm1"), EPS);
  const [q, k, v] = ["q", "k", "v"].map((part) => g.linear(y, weight(`attn.${part}`)));
  const mixed = g.add(x, g.linear(g.attention(q!, k!, v!, { heads, scale: 1, bias }), weight("attn.o")));
  const z = g.rmsNorm(mixed, weight("norm2"), EPS);
  const gate = g.gelu(g.linear(z, weight("ffn.gate.0")), "tanh");
  const fed = g.mul(g.linear(z, weight("ffn.fc1")), gate);
  return g.add(mixed, g.linear(fed, weight("ffn.fc2")));
}

/** Of a layer's weights, by their names there without ".weight". */
function layerShapes(config: TextEncoderConfig): Record<string, readonly number[]> {
  const prefix = "blocks.0.";
  return Object.fromEntries(
    Object.entries(textEncoderTensors({ ...config, layers: 1 }))
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, shape]) => [name.slice(prefix.length, -".weight".length), shape]),
  );
}

/** Names under which files with 8-bit weights keep what these are multiplied by. */
const SCALES = ["scale_weight", "weight_scale"] as const;

function scaleOf(file: WeightFile, name: string): string | undefined {
  return SCALES.map((ending) => `${name}.${ending}`).find((tensor) => file.has(tensor));
}

/** A weight in float32, times its scale where the file has one: a number, or one for each row. */
function readWeight(file: WeightFile, name: string): Float32Array {
  const values = file.read(`${name}.weight`);
  const scale = scaleOf(file, name);
  if (scale === undefined) return values;
  const scales = file.read(scale);
  const perScale = values.length / scales.length;
  for (let i = 0; i < values.length; i++) values[i]! *= scales[Math.floor(i / perScale)]!;
  return values;
}
