/**
 * The umT5 encoder (UniMax, arXiv:2304.09151; T5, arXiv:1910.10683) as
 * graphs: no scaling of attention logits, a relative position table in every
 * layer, gated GELU. Only real tokens are run: padded positions are masked as
 * keys and zeroed in the end, so leaving them out changes nothing. An encoder
 * that is too large to stay in memory is walked through part by part for each
 * set of prompts, and nothing of it is kept.
 */
import { Graph, type GraphOptions, type Model, type Session, type Value, type WeightFile } from "@everframe/graph";
import { nextTurn } from "./cancellation.ts";
import type { TextEncoderConfig } from "./config.ts";
import { type EngineOptions, openSession } from "./engine.ts";

const EPS = 1e-6;

/** Weights of this many bytes, in float32, are in memory at once: one layer of umT5-xxl, all of a small encoder. */
const PART_BYTES = 1e9;

export type TextEncoderOptions = EngineOptions & {
  /** Most bytes of weights in memory at once, but for a single layer. Default 1e9. */
  readonly partBytes?: number;
  /** Adds the result of the first layer to the results of `hidden`. Default false. */
  readonly tap?: boolean;
};

export type EncodeOptions = {
  /** Looked at between parts. */
  readonly signal?: AbortSignal | undefined;
  /** Told how many layers are done; only where the encoder is in parts. */
  readonly onProgress?: (doneLayers: number, layers: number) => void;
};

/** Layers `from` to `to - 1`. */
type Part = { readonly from: number; readonly to: number };

/** By output name; each [tokens, dim]. */
type Outputs = Record<string, Float32Array>;

export class TextEncoder {
  readonly #config: TextEncoderConfig;
  readonly #file: WeightFile;
  readonly #options: TextEncoderOptions;
  readonly #parts: readonly Part[];
  /** Of an encoder that is in memory whole. */
  #kept: Session | undefined;

  private constructor(config: TextEncoderConfig, file: WeightFile, options: TextEncoderOptions) {
    this.#config = config;
    this.#file = file;
    this.#options = options;
    this.#parts = partsOf(config, options.partBytes ?? PART_BYTES);
  }

  static async create(
    config: TextEncoderConfig,
    file: WeightFile,
    options: TextEncoderOptions = {},
  ): Promise<TextEncoder> {
    const encoder = new TextEncoder(config, file, options);
    if (encoder.#parts.length === 1) encoder.#kept = await encoder.#open(encoder.#parts[0]!, true);
    return encoder;
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
    const { signal, onProgress = () => {} } = options;
    const { layers } = this.#config;
    // Rows come from the file one by one: the whole table of a large vocabulary never lies in memory.
    const outputs: Outputs[] = prompts.map((ids) => ({ embedding: this.#file.rows("token_embedding.weight", ids) }));
    const positions = prompts.map((ids) => this.#positions(ids.length));
    for (const part of this.#parts) {
      await nextTurn(signal);
      const session = this.#kept ?? (await this.#open(part, false));
      try {
        for (const [i, before] of outputs.entries()) outputs[i] = await this.#run(session, before, positions[i]!);
      } finally {
        if (session !== this.#kept) await session.close();
      }
      if (!this.#kept) onProgress(part.to, layers);
    }
    return outputs;
  }

  async close(): Promise<void> {
    await this.#kept?.close();
  }

  #open(part: Part, stays: boolean): Promise<Session> {
    const { device = "cpu", tap = false } = this.#options;
    const graph = textEncoderGraph(this.#config, this.#file, part, { device, tap });
    return openSession(graph, this.#options, { arena: stays });
  }

  async #run(session: Session, before: Outputs, positions: BigInt64Array): Promise<Outputs> {
    const tokens = Math.sqrt(positions.length);
    const results = await session.run({
      tokens: { data: before["embedding"]!, dims: [tokens, this.#config.dim] },
      buckets: { data: positions, dims: [tokens, tokens] },
    });
    const named = Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]);
    return { ...before, ...Object.fromEntries(named) };
  }

  /** Bucket of each pair of tokens. [tokens, tokens] */
  #positions(tokens: number): BigInt64Array {
    const { buckets, maxDistance } = this.#config;
    const positions = new BigInt64Array(tokens * tokens);
    for (let i = 0; i < tokens; i++) {
      for (let j = 0; j < tokens; j++) {
        positions[i * tokens + j] = BigInt(relativeBucket(j - i, buckets, maxDistance));
      }
    }
    return positions;
  }
}

/** As many layers a part as fit, at least one. */
function partsOf({ dim, attentionDim, ffnDim, layers }: TextEncoderConfig, partBytes: number): Part[] {
  const layerBytes = 4 * dim * (4 * attentionDim + 3 * ffnDim);
  const most = Math.max(1, Math.floor(partBytes / layerBytes));
  return Array.from({ length: Math.ceil(layers / most) }, (_, i) => ({
    from: i * most,
    to: Math.min(layers, (i + 1) * most),
  }));
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

/**
 * Some layers; behind the last one the closing norm.
 * In: `tokens` [tokens, dim], `buckets` i64 [tokens, tokens]. Out: `embedding` [tokens, dim].
 */
function textEncoderGraph(
  config: TextEncoderConfig,
  file: WeightFile,
  { from, to }: Part,
  options: GraphOptions & { tap?: boolean },
): Model {
  const { dim, heads } = config;
  const g = new Graph(`text encoder, layers ${from} to ${to - 1}`, options);
  const vector = (name: string) => g.weight(file, `${name}.weight`);
  const matrix = (name: string) => scaledWeight(g, file, name);
  const buckets = g.input("buckets", ["tokens", "tokens"], "i64");
  let x: Value = g.input("tokens", ["tokens", dim]);
  for (let i = from; i < to; i++) {
    const block = `blocks.${i}`;
    const table = vector(`${block}.pos_embedding.embedding`); // [buckets, heads]
    const bias = g.transpose(g.gather(table, buckets), [2, 0, 1]); // [heads, tokens, tokens]
    const y = g.rmsNorm(x, vector(`${block}.norm1`), EPS);
    const [q, k, v] = ["q", "k", "v"].map((part) => g.linear(y, matrix(`${block}.attn.${part}`)));
    x = g.add(x, g.linear(g.attention(q!, k!, v!, { heads, scale: 1, bias }), matrix(`${block}.attn.o`)));
    const z = g.rmsNorm(x, vector(`${block}.norm2`), EPS);
    const gate = g.gelu(g.linear(z, matrix(`${block}.ffn.gate.0`)), "tanh");
    const fed = g.mul(g.linear(z, matrix(`${block}.ffn.fc1`)), gate);
    x = g.add(x, g.linear(fed, matrix(`${block}.ffn.fc2`)));
    if (options.tap && i === 0) g.output("block0", x);
  }
  g.output("embedding", to === config.layers ? g.rmsNorm(x, vector("norm"), EPS) : x);
  return g.build();
}

/** Names under which files with 8-bit weights keep what these are multiplied by. */
const SCALES = ["scale_weight", "weight_scale"] as const;

/** A matrix [out, in], times its scale where the file has one: a number, or one for each row. */
function scaledWeight(g: Graph, file: WeightFile, name: string): Value {
  const weight = g.weight(file, `${name}.weight`);
  const scale = SCALES.map((ending) => `${name}.${ending}`).find((tensor) => file.has(tensor));
  if (scale === undefined) return weight;
  const count = file.info(scale).shape.reduce((a, b) => a * b, 1);
  return g.mul(weight, g.weight(file, scale, { reshape: count === 1 ? [1, 1] : [count, 1] }));
}
