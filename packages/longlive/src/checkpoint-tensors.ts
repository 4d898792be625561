/**
 * Names and shapes of the tensors in LongLive's checkpoints: transformer
 * (Wan2.1, arXiv:2503.20314), VACE branch (arXiv:2503.07598), adapter (LoRA,
 * arXiv:2106.09685) and umT5 text encoder (arXiv:2304.09151).
 */
import type { TextEncoderConfig, TransformerConfig, VaceConfig } from "./config.ts";
import type { TensorShapes } from "./tensor-shapes.ts";

type Shapes = Record<string, readonly number[]>;

/** The main network: 27 tensors a block and 15 around them. */
export function transformerTensors(config: TransformerConfig): TensorShapes {
  const { dim, inChannels, outChannels, patch, freqDim, textDim, layers } = config;
  const patchArea = patch[1] * patch[2];
  const shapes: Shapes = {};
  shapes["patch_embedding.weight"] = [dim, inChannels, ...patch];
  shapes["patch_embedding.bias"] = [dim];
  linear(shapes, "text_embedding.0", dim, textDim);
  linear(shapes, "text_embedding.2", dim, dim);
  linear(shapes, "time_embedding.0", dim, freqDim);
  linear(shapes, "time_embedding.2", dim, dim);
  linear(shapes, "time_projection.1", 6 * dim, dim);
  for (let i = 0; i < layers; i++) block(shapes, `blocks.${i}`, config);
  linear(shapes, "head.head", outChannels * patchArea, dim);
  shapes["head.modulation"] = [1, 2, dim];
  return shapes;
}

/** The condition branch. */
export function vaceTensors(config: TransformerConfig, vace: VaceConfig): TensorShapes {
  const { dim, patch } = config;
  const shapes: Shapes = {};
  shapes["vace_patch_embedding.weight"] = [dim, vace.inChannels, ...patch];
  shapes["vace_patch_embedding.bias"] = [dim];
  for (const n of vace.layers.keys()) {
    block(shapes, `vace_blocks.${n}`, config);
    linear(shapes, `vace_blocks.${n}.after_proj`, dim, dim);
  }
  linear(shapes, "vace_blocks.0.before_proj", dim, dim);
  return shapes;
}

/** An adapter of every linear layer of the main blocks, as training leaves it. */
export function adapterTensors(config: TransformerConfig, rank: number): TensorShapes {
  const shapes: Shapes = {};
  for (let i = 0; i < config.layers; i++) {
    for (const [name, [out, inner]] of Object.entries(linears(config))) {
      const layer = `base_model.model.blocks.${i}.${name}`;
      shapes[`${layer}.lora_A.weight`] = [rank, inner];
      shapes[`${layer}.lora_B.weight`] = [out, rank];
    }
  }
  return shapes;
}

/** The layers that the model's own adapter has a pair of matrices for. */
export function adapterLayers(config: TransformerConfig): string[] {
  const names = Object.keys(linears(config));
  return Array.from({ length: config.layers }, (_, i) => names.map((name) => `blocks.${i}.${name}`)).flat();
}

/** The text encoder: 10 tensors a layer and 2 around them. */
export function textEncoderTensors(config: TextEncoderConfig): TensorShapes {
  const { vocabSize, dim, attentionDim, ffnDim, heads, buckets, layers } = config;
  const shapes: Shapes = { "token_embedding.weight": [vocabSize, dim] };
  for (let i = 0; i < layers; i++) {
    const layer = `blocks.${i}`;
    shapes[`${layer}.norm1.weight`] = [dim];
    for (const part of ["q", "k", "v"]) shapes[`${layer}.attn.${part}.weight`] = [attentionDim, dim];
    shapes[`${layer}.attn.o.weight`] = [dim, attentionDim];
    shapes[`${layer}.norm2.weight`] = [dim];
    for (const part of ["gate.0", "fc1"]) shapes[`${layer}.ffn.${part}.weight`] = [ffnDim, dim];
    shapes[`${layer}.ffn.fc2.weight`] = [dim, ffnDim];
    shapes[`${layer}.pos_embedding.embedding.weight`] = [buckets, heads];
  }
  shapes["norm.weight"] = [dim];
  return shapes;
}

function block(shapes: Shapes, name: string, config: TransformerConfig): void {
  const { dim } = config;
  shapes[`${name}.modulation`] = [1, 6, dim];
  for (const [layer, [out, inner]] of Object.entries(linears(config))) linear(shapes, `${name}.${layer}`, out, inner);
  for (const attention of ["self_attn", "cross_attn"]) {
    for (const norm of ["norm_q", "norm_k"]) shapes[`${name}.${attention}.${norm}.weight`] = [dim];
  }
  shapes[`${name}.norm3.weight`] = [dim];
  shapes[`${name}.norm3.bias`] = [dim];
}

/** The linear layers of a block: [out, in]. */
function linears({ dim, ffnDim }: TransformerConfig): Record<string, readonly [number, number]> {
  const attentions = ["self_attn", "cross_attn"].flatMap((attention) =>
    ["q", "k", "v", "o"].map((part) => [`${attention}.${part}`, [dim, dim]] as const),
  );
  return { ...Object.fromEntries(attentions), "ffn.0": [ffnDim, dim], "ffn.2": [dim, ffnDim] };
}

function linear(shapes: Shapes, name: string, out: number, inner: number): void {
  shapes[`${name}.weight`] = [out, inner];
  shapes[`${name}.bias`] = [out];
}
