/**
 * One block of the Wan2.1 diffusion transformer as graph operators: modulated
 * self attention, cross attention to the prompt, modulated feed-forward ("Wan:
 * Open and Advanced Large-Scale Video Generative Models", arXiv:2503.20314;
 * modulation as in DiT, arXiv:2212.09748). The main network and the VACE
 * branch are made of it; they differ in which keys self attention sees. All
 * frames of a call share one timestep, so a modulation is one row.
 */
import type { Dim, Graph, Value, WeightFile } from "@everframe/graph";
import type { Adapters } from "./adapters.ts";
import type { TransformerConfig } from "./config.ts";

/** Names an inner value; tests make outputs of them. */
export type Tap = (name: string, value: Value) => void;

export type GraphWeights = {
  readonly graph: Graph;
  readonly file: WeightFile;
  /** Adapters for the linear layers, by name. */
  readonly adapters?: Adapters | undefined;
};

export type KeyValues = { readonly k: Value; readonly v: Value };

export type BlockInputs = {
  /** [tokens, D] */
  readonly x: Value;
  /** Modulation of the timestep. [6, D] */
  readonly modulation: Value;
  /** Rotation of each token. [tokens, headDim / 2] */
  readonly cos: Value;
  readonly sin: Value;
  /** Keys and values of the prompt for this block. [textLength, D] */
  readonly text: KeyValues;
  /** From the block's own keys to all keys that its queries see. Default: its own. [keys, D] */
  readonly visible?: (own: KeyValues) => KeyValues;
  /** Self attention over those keys. Default: every query sees all of them. @returns as q [tokens, D] */
  readonly attend?: (q: Value, seen: KeyValues) => Value;
  /** Drops leading tokens once the keys are made: their results are not needed. Default: keeps all. */
  readonly narrow?: (tokens: Value) => Value;
  readonly tap?: Tap;
};

export type BlockOutputs = {
  /** [tokens left after `narrow`, D] */
  readonly x: Value;
  /** Keys (normed and rotated) and values of the block's own tokens. [tokens, D] */
  readonly keys: KeyValues;
};

/** Adds the block whose weights are named `<prefix>.*`. */
export function wanBlock(
  w: GraphWeights,
  prefix: string,
  config: TransformerConfig,
  inputs: BlockInputs,
): BlockOutputs {
  const { graph: g } = w;
  const { dim, eps, heads } = config;
  const { cos, sin, text } = inputs;
  const tap = inputs.tap ?? (() => {});
  const narrow = inputs.narrow ?? ((value) => value);
  const weight = (name: string) => g.weight(w.file, `${prefix}.${name}`);
  const linear = (x: Value, name: string) => namedLinear(w, x, `${prefix}.${name}`, config.linears);
  const modulation = g.add(g.weight(w.file, `${prefix}.modulation`, { reshape: [6, dim] }), inputs.modulation);
  const [shift, scale, gate, ffnShift, ffnScale, ffnGate] = rowsOf(g, modulation, 6); // each [D]

  tap("norm1", inputs.x);
  const y = modulatedNorm(g, inputs.x, scale!, shift!, eps); // [tokens, D]
  const normedQ = g.rmsNorm(linear(narrow(y), "self_attn.q"), weight("self_attn.norm_q.weight"), eps);
  const normedK = g.rmsNorm(linear(y, "self_attn.k"), weight("self_attn.norm_k.weight"), eps);
  tap("norm_q", normedQ);
  tap("norm_k", normedK);
  const keys = { k: g.rotary(normedK, cos, sin, { heads }), v: linear(y, "self_attn.v") };
  const q = g.rotary(normedQ, narrow(cos), narrow(sin), { heads });
  const seen = inputs.visible?.(keys) ?? keys;
  const attended = inputs.attend?.(q, seen) ?? g.attention(q, seen.k, seen.v, { heads });
  const mixed = linear(attended, "self_attn.o");
  tap("self_attn", mixed);
  let x = g.add(narrow(inputs.x), g.mul(mixed, gate!));

  const asked = g.layerNorm(x, { scale: weight("norm3.weight"), bias: weight("norm3.bias"), eps });
  const textQ = g.rmsNorm(linear(asked, "cross_attn.q"), weight("cross_attn.norm_q.weight"), eps);
  const told = linear(g.attention(textQ, text.k, text.v, { heads }), "cross_attn.o");
  tap("cross_attn", told);
  x = g.add(x, told);

  const z = modulatedNorm(g, x, ffnScale!, ffnShift!, eps);
  const fed = linear(g.gelu(linear(z, "ffn.0"), "tanh"), "ffn.2");
  tap("ffn", fed);
  return { x: g.add(x, g.mul(fed, ffnGate!)), keys };
}

/** Keys and values that a block's cross attention takes from the prompt. @param words [textLength, D] */
export function textKeys(w: GraphWeights, prefix: string, config: TransformerConfig, words: Value): KeyValues {
  const { graph: g } = w;
  const k = namedLinear(w, words, `${prefix}.cross_attn.k`);
  return {
    k: g.rmsNorm(k, g.weight(w.file, `${prefix}.cross_attn.norm_k.weight`), config.eps),
    v: namedLinear(w, words, `${prefix}.cross_attn.v`),
  };
}

/**
 * Linear layer with bias whose weights are named `<name>.weight` and `<name>.bias`.
 * @param kind "int8": computed in 8 bits on a CPU, unless an adapter is merged into the weight. Default "f32".
 */
export function namedLinear(w: GraphWeights, x: Value, name: string, kind: "f32" | "int8" = "f32"): Value {
  const stored = w.graph.weight(w.file, `${name}.weight`);
  const bias = w.graph.weight(w.file, `${name}.bias`);
  const weight = w.adapters?.merged(name, stored) ?? stored;
  const y = w.graph.linear(x, weight, bias, kind === "int8" && weight === stored ? { quantize: "int8" } : {});
  return w.adapters?.applied(name, stored, x, y) ?? y;
}

/** `norm(x) * (1 + scale) + shift`. @param scale [D] @param shift [D] */
export function modulatedNorm(g: Graph, x: Value, scale: Value, shift: Value, eps: number): Value {
  return g.layerNorm(x, { scale: g.add(scale, g.constant([1], [1])), bias: shift, eps });
}

/** The rows of [count, D], each [D]. */
export function rowsOf(g: Graph, x: Value, count: number): Value[] {
  const dim = x.shape[1]!;
  return Array.from({ length: count }, (_, i) => g.reshape(g.slice(x, 0, i, i + 1), [dim]));
}

export type LatentGrid = {
  /** Latent rows and columns. */
  readonly height: number;
  readonly width: number;
};

/** Tokens of one latent frame. */
export function frameTokens(config: TransformerConfig, grid: LatentGrid): number {
  const [, patchHeight, patchWidth] = config.patch;
  return (grid.height / patchHeight) * (grid.width / patchWidth);
}

/**
 * Latents to tokens by the convolution `<name>` whose kernel and stride are one patch.
 * @param latents [frames, C, height, width]
 * @returns [frames * frameTokens, D], in (frame, row, column) order
 */
export function embedPatches(
  w: GraphWeights,
  latents: Value,
  name: string,
  config: TransformerConfig,
  grid: LatentGrid,
): Value {
  const { graph: g } = w;
  const [, ph, pw] = config.patch;
  const [frames, channels] = latents.shape as [Dim, number];
  const perToken = channels * ph * pw;
  const [rows, columns] = [grid.height / ph, grid.width / pw];
  // One axis at a time: the engine moves that many times faster than several at once.
  const byRow = g.transpose(g.reshape(latents, [frames, channels, rows, ph * grid.width]), [0, 2, 1, 3]);
  const patches = g.transpose(g.reshape(byRow, [frames, rows, channels * ph, columns, pw]), [0, 1, 3, 2, 4]);
  const tokens = g.reshape(patches, [times(rows * columns, frames), perToken]); // a patch is [C, ph, pw]
  return g.linear(
    tokens,
    g.weight(w.file, `${name}.weight`, { reshape: [config.dim, perToken] }),
    g.weight(w.file, `${name}.bias`),
  );
}

/** `count` times a size. */
export function times(count: number, size: Dim): Dim {
  return typeof size === "number" ? count * size : `${count}*${size}`;
}
