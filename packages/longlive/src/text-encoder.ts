/**
 * The umT5 encoder (UniMax, arXiv:2304.09151; T5, arXiv:1910.10683) as a
 * graph: no scaling of attention logits, a relative position table in every
 * layer, gated GELU. Only real tokens are run: padded positions are masked as
 * keys and zeroed in the end, so leaving them out changes nothing.
 */
import { Graph, type GraphOptions, type Model, type SafetensorsFile, type Session, type Value } from "@everframe/graph";
import type { TextEncoderConfig } from "./config.ts";
import { type EngineOptions, openSession } from "./engine.ts";

const EPS = 1e-6;

export class TextEncoder {
  readonly #config: TextEncoderConfig;
  readonly #file: SafetensorsFile;
  readonly #session: Session;

  private constructor(config: TextEncoderConfig, file: SafetensorsFile, session: Session) {
    this.#config = config;
    this.#file = file;
    this.#session = session;
  }

  static async create(
    config: TextEncoderConfig,
    file: SafetensorsFile,
    options: EngineOptions & { tap?: boolean } = {},
  ): Promise<TextEncoder> {
    const { device = "cpu", tap = false } = options;
    const session = await openSession(textEncoderGraph(config, file, { device, tap }), options);
    return new TextEncoder(config, file, session);
  }

  /**
   * Embedding of a prompt.
   * @param ids real tokens, 1 to `rows` of them
   * @returns [rows, dim]; rows beyond the tokens are zero
   */
  async encode(ids: readonly number[], rows: number): Promise<Float32Array> {
    const { embedding } = await this.hidden(ids);
    const padded = new Float32Array(rows * this.#config.dim);
    padded.set(embedding!);
    return padded;
  }

  /** All outputs of the graph for these tokens: `embedding` [tokens, dim], and with `tap` `block0` [tokens, dim]. */
  async hidden(ids: readonly number[]): Promise<Record<string, Float32Array>> {
    const { dim, buckets, maxDistance } = this.#config;
    const tokens = ids.length;
    const positions = new BigInt64Array(tokens * tokens);
    for (let i = 0; i < tokens; i++) {
      for (let j = 0; j < tokens; j++) {
        positions[i * tokens + j] = BigInt(relativeBucket(j - i, buckets, maxDistance));
      }
    }
    // Rows come from the file one by one: the whole table of a large vocabulary never lies in memory.
    const results = await this.#session.run({
      tokens: { data: this.#file.rows("token_embedding.weight", ids), dims: [tokens, dim] },
      buckets: { data: positions, dims: [tokens, tokens] },
    });
    return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]));
  }

  async close(): Promise<void> {
    await this.#session.close();
  }
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

/** In: `tokens` [tokens, dim], `buckets` i64 [tokens, tokens]. Out: `embedding` [tokens, dim]. */
function textEncoderGraph(
  config: TextEncoderConfig,
  file: SafetensorsFile,
  options: GraphOptions & { tap?: boolean },
): Model {
  const { dim, heads } = config;
  const g = new Graph("text encoder", options);
  const weight = (name: string) => g.weight(file, `${name}.weight`);
  const buckets = g.input("buckets", ["tokens", "tokens"], "i64");
  let x: Value = g.input("tokens", ["tokens", dim]);
  for (let i = 0; i < config.layers; i++) {
    const block = `blocks.${i}`;
    const table = weight(`${block}.pos_embedding.embedding`); // [buckets, heads]
    const bias = g.transpose(g.gather(table, buckets), [2, 0, 1]); // [heads, tokens, tokens]
    const y = g.rmsNorm(x, weight(`${block}.norm1`), EPS);
    const [q, k, v] = ["q", "k", "v"].map((part) => g.linear(y, weight(`${block}.attn.${part}`)));
    x = g.add(x, g.linear(g.attention(q!, k!, v!, { heads, scale: 1, bias }), weight(`${block}.attn.o`)));
    const z = g.rmsNorm(x, weight(`${block}.norm2`), EPS);
    const gate = g.gelu(g.linear(z, weight(`${block}.ffn.gate.0`)), "tanh");
    const fed = g.mul(g.linear(z, weight(`${block}.ffn.fc1`)), gate);
    x = g.add(x, g.linear(fed, weight(`${block}.ffn.fc2`)));
    if (options.tap && i === 0) g.output("block0", x);
  }
  g.output("embedding", g.rmsNorm(x, weight("norm"), EPS));
  return g.build();
}
