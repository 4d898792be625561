/**
 * LongLive's causal video transformer as three graphs: `time` (timestep to
 * modulation), `text` (prompt embedding to the keys of every cross attention)
 * and `transformer` (noisy latents to prediction). Frames of earlier chunks
 * come in as keys and values, so one session serves every step of every
 * stream (LongLive, arXiv:2509.22622; Wan2.1, arXiv:2503.20314).
 */
import { Graph, type GraphOptions, type Model, type Value, type WeightFile } from "@everframe/graph";
import { Adapters, type Loras } from "./adapters.ts";
import { windowedAttention } from "./attention-window.ts";
import type { NetworkConfig, TransformerConfig } from "./config.ts";
import {
  embedPatches,
  frameTokens,
  type GraphWeights,
  type KeyValues,
  type LatentGrid,
  modulatedNorm,
  namedLinear,
  rowsOf,
  type Tap,
  textKeys,
  times,
  wanBlock,
} from "./wan-block.ts";

/** Files that hold the main network's weights and the VACE branch's; they may be the same. */
export type TransformerFiles = {
  readonly main: WeightFile;
  readonly vace?: WeightFile;
  /** Adapters of the main blocks. */
  readonly loras?: Loras;
};

/** The files that a graph of the condition branch needs. */
export type BranchFiles = { readonly main: WeightFile; readonly vace: WeightFile };

/**
 * Timestep to modulation.
 * In: `sinusoid` [1, freqDim]. Out: `e` [1, D] for the head, `e0` [6, D] for the blocks.
 */
export function timeGraph(config: TransformerConfig, file: WeightFile, options: GraphOptions = {}): Model {
  const g = new Graph("time", options);
  const w = { graph: g, file };
  const sinusoid = g.input("sinusoid", [1, config.freqDim]);
  const e = namedLinear(w, g.silu(namedLinear(w, sinusoid, "time_embedding.0")), "time_embedding.2");
  const e0 = namedLinear(w, g.silu(e), "time_projection.1");
  g.output("e", e);
  g.output("e0", g.reshape(e0, [6, config.dim]));
  return g.build();
}

/**
 * Prompt embedding to the keys and values of every cross attention. They depend on nothing else, so they are made
 * once a prompt.
 * In: `prompt` [textLength, textDim]. Out: `k<i>`, `v<i>` of main block i and `vace_k<i>`, `vace_v<i>` of branch
 * block i, each [textLength, D]. With live adapters also in: `lora_scales`.
 */
export function textGraph(
  config: NetworkConfig,
  files: TransformerFiles,
  options: GraphOptions & { tap?: boolean } = {},
): Model {
  const { transformer, vace } = config;
  const g = new Graph("text", options);
  const main = { graph: g, file: files.main, adapters: files.loras && new Adapters(g, files.loras) };
  const prompt = g.input("prompt", [transformer.textLength, transformer.textDim]);
  const hidden = g.gelu(namedLinear(main, prompt, "text_embedding.0"), "tanh");
  const words = namedLinear(main, hidden, "text_embedding.2"); // [textLength, D]
  if (options.tap) g.output("text_embedding", words);
  const output = (prefix: string, i: number, { k, v }: KeyValues) => {
    g.output(`${prefix}k${i}`, k);
    g.output(`${prefix}v${i}`, v);
  };
  for (let i = 0; i < transformer.layers; i++) output("", i, textKeys(main, `blocks.${i}`, transformer, words));
  if (vace && files.vace) {
    const branch = { graph: g, file: files.vace };
    for (const i of vace.layers.keys()) output("vace_", i, textKeys(branch, `vace_blocks.${i}`, transformer, words));
  }
  return g.build();
}

/**
 * The main network.
 *
 * In: `latents` [frames, C, height, width]; `e` [1, D]; `e0` [6, D]; `cos`, `sin` [tokens, headDim / 2]; of layer i
 * `text_k<i>`, `text_v<i>` [textLength, D] and `past_k<i>`, `past_v<i>` [past, D]; `own_from` i64 [1], own tokens
 * whose keys nobody sees; `head_from` i64 [1], tokens for which no prediction is needed (whole frames); with a VACE
 * branch `hint<n>` [tokens, D], zeros for none, and `hint_scale` [1]; with live adapters `lora_scales`; where the
 * grid is larger than the attention's window `seen_rows` (see `seenRows`).
 * Out: `prediction` [frames left, C, height, width]; `k<i>`, `v<i>` [tokens, D].
 */
export function transformerGraph(
  config: NetworkConfig,
  files: TransformerFiles,
  grid: LatentGrid,
  options: GraphOptions & { tap?: boolean } = {},
): Model {
  const c = config.transformer;
  const g = new Graph("transformer", options);
  const w = { graph: g, file: files.main, adapters: files.loras && new Adapters(g, files.loras) };
  const tokensPerFrame = frameTokens(c, grid);
  const tokens = times(tokensPerFrame, "frames");
  const latents = g.input("latents", ["frames", c.inChannels, grid.height, grid.width]);
  const e = g.input("e", [1, c.dim]);
  const modulation = g.input("e0", [6, c.dim]);
  const cos = g.input("cos", [tokens, c.dim / c.heads / 2]);
  const sin = g.input("sin", [tokens, c.dim / c.heads / 2]);
  const ownFrom = g.input("own_from", [1], "i64");
  const headFrom = g.input("head_from", [1], "i64");
  const attend = windowedAttention(g, c, grid);
  const hints = files.vace && config.vace ? hintInputs(g, config.vace.layers, [tokens, c.dim]) : undefined;
  const tap: Tap = (name, value) => options.tap && g.output(name, value);
  const narrow = (value: Value) => g.sliceFrom(value, 0, headFrom, times(tokensPerFrame, "head_frames"));

  let x = embedPatches(w, latents, "patch_embedding", c, grid); // [tokens, D]
  tap("patch_embedding", x);
  for (let i = 0; i < c.layers; i++) {
    const text = { k: g.input(`text_k${i}`, [c.textLength, c.dim]), v: g.input(`text_v${i}`, [c.textLength, c.dim]) };
    const past = { k: g.input(`past_k${i}`, ["past", c.dim]), v: g.input(`past_v${i}`, ["past", c.dim]) };
    const join = (before: Value, own: Value) => g.concat([before, g.sliceFrom(own, 0, ownFrom, "own")], 0);
    const last = i === c.layers - 1;
    const block = wanBlock(w, `blocks.${i}`, c, {
      x,
      modulation,
      cos,
      sin,
      text,
      visible: (own) => ({ k: join(past.k, own.k), v: join(past.v, own.v) }),
      ...(attend ? { attend } : {}),
      ...(last ? { narrow } : {}),
      tap: (name, value) => i === 0 && tap(`block0.${name}`, name === "norm1" ? g.layerNorm(value, c) : value),
    });
    g.output(`k${i}`, block.keys.k);
    g.output(`v${i}`, block.keys.v);
    const hint = hints?.of(i);
    x = hint ? g.add(block.x, last ? narrow(hint) : hint) : block.x;
    tap(`block${i}.out`, x);
  }
  const head = headOf(w, x, e, c);
  tap("head", head);
  g.output("prediction", unpatch(g, head, c, grid));
  return g.build();
}

/** Hints scaled, by main layer. */
function hintInputs(g: Graph, layers: readonly number[], shape: readonly [string | number, number]) {
  const scale = g.input("hint_scale", [1]);
  const scaled = layers.map((_, n) => g.mul(g.input(`hint${n}`, shape), scale));
  return { of: (layer: number): Value | undefined => scaled[layers.indexOf(layer)] };
}

/** Norm, modulation and projection to patches. @returns [tokens, patch * C] */
function headOf(w: GraphWeights, x: Value, e: Value, c: TransformerConfig): Value {
  const { graph: g } = w;
  const modulation = g.add(g.weight(w.file, "head.modulation", { reshape: [2, c.dim] }), e);
  const [shift, scale] = rowsOf(g, modulation, 2);
  return namedLinear(w, modulatedNorm(g, x, scale!, shift!, c.eps), "head.head");
}

/** Patches to latents. The head orders a patch (row, column, channel), unlike the embedding. */
function unpatch(g: Graph, patches: Value, c: TransformerConfig, grid: LatentGrid): Value {
  const [[, ph, pw], frames, channels] = [c.patch, "head_frames", c.outChannels];
  const [rows, columns] = [grid.height / ph, grid.width / pw];
  // One axis at a time, as in `embedPatches`.
  const byRow = g.transpose(g.reshape(patches, [frames, rows, columns, ph, pw * channels]), [0, 1, 3, 2, 4]);
  const latents = g.transpose(g.reshape(byRow, [frames, grid.height * grid.width, channels]), [0, 2, 1]);
  return g.reshape(latents, [frames, channels, grid.height, grid.width]);
}
