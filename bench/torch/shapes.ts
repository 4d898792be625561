// The transformers that are timed: whole ones of longlive-tiny, and a single block of the 1.3B model.
import { join } from "node:path";
import { SafetensorsFile } from "@everframe/graph";
import { ROOT } from "../../e2e/harness/server.ts";
import { transformerTensors } from "../../packages/longlive/src/checkpoint-tensors.ts";
import {
  type NetworkConfig,
  readModelConfig,
  type TransformerConfig,
  WAN_1_3B,
} from "../../packages/longlive/src/config.ts";
import { rotationOf } from "../../packages/longlive/src/rope.ts";
import { randomBytes } from "../../packages/longlive/src/testing/random-tensor.ts";
import { type TensorSource, writeSafetensors } from "../../packages/longlive/src/testing/weight-writer.ts";
import { frameTokens, type LatentGrid } from "../../packages/longlive/src/wan-block.ts";

export type TorchCase = {
  readonly name: string;
  readonly config: NetworkConfig;
  readonly grid: LatentGrid;
  /** Model file; undefined: random weights. */
  readonly weights?: string;
};

const TINY = join(ROOT, "models/longlive-tiny");

export function torchCases(): TorchCase[] {
  const shipped = readModelConfig(TINY);
  // The plain network, as PyTorch computes it: full attention, float32.
  const { attentionWindow: _, ...transformer } = shipped.transformer;
  const tiny = { ...shipped, transformer: { ...transformer, linears: "f32" as const } };
  const weights = join(TINY, tiny.transformer.weights);
  const oneBlock = { ...WAN_1_3B, transformer: { ...WAN_1_3B.transformer, layers: 1 } };
  return [
    { name: "longlive-tiny, 320x176", config: tiny, grid: { width: 40, height: 22 }, weights },
    { name: "longlive-tiny, 576x320", config: tiny, grid: { width: 72, height: 40 }, weights },
    { name: "one block of 1.3B, 576x320", config: oneBlock, grid: { width: 72, height: 40 } },
  ];
}

/** Tokens of a chunk, and of the frames before it in a full window. */
export function tokensOf({ config, grid }: TorchCase): { own: number; past: number } {
  const perFrame = frameTokens(config.transformer, grid);
  return { own: config.framesPerBlock * perFrame, past: (config.windowFrames - config.framesPerBlock) * perFrame };
}

/** Floating point operations of the matrix products, in 10^9. */
export function gflopOf(item: TorchCase): number {
  const { dim, ffnDim, layers, textLength, inChannels, outChannels, patch } = item.config.transformer;
  const { own, past } = tokensOf(item);
  const linears = 2 * own * (6 * dim * dim + 2 * dim * ffnDim);
  const attention = 4 * own * (past + own + textLength) * dim;
  const ends = 2 * own * dim * (inChannels + outChannels) * patch[1] * patch[2];
  return (layers * (linears + attention) + ends) / 1e9;
}

export function writeWeights(path: string, config: TransformerConfig): void {
  const tensors = Object.entries(transformerTensors(config)).map(([name, shape], i): TensorSource => {
    // Spread by the inner size, so that values keep their size through the layers.
    const spread = name.includes("norm") ? { mean: 1, spread: 0.1 } : { mean: 0, spread: Math.sqrt(3 / inner(shape)) };
    return source(name, shape, { ...spread, seed: i });
  });
  writeSafetensors(path, tensors);
}

/** What goes into the graph; of the prompt and the past, keys as after their norms. */
export function writeInputs(path: string, item: TorchCase): void {
  const { config, grid } = item;
  const { dim, heads, layers, inChannels, textLength } = config.transformer;
  const { own, past } = tokensOf(item);
  const [rows, columns] = [grid.height / config.transformer.patch[1], grid.width / config.transformer.patch[2]];
  const tokens = { frames: config.framesPerBlock, rows, columns };
  const { cos, sin } = rotationOf(dim / heads, tokens, config.windowFrames - config.framesPerBlock);
  const shapes: [string, number[]][] = [
    ["latents", [config.framesPerBlock, inChannels, grid.height, grid.width]],
    ["e", [1, dim]],
    ["e0", [6, dim]],
  ];
  for (let i = 0; i < layers; i++) {
    for (const part of ["k", "v"]) {
      shapes.push([`text_${part}${i}`, [textLength, dim]], [`past_${part}${i}`, [past, dim]]);
    }
  }
  const random = shapes.map(([name, shape], i) => source(name, shape, { mean: 0, spread: 1, seed: 1000 + i }));
  const angles = [cos, sin].map((values, i): TensorSource => {
    const bytes = () => [new Uint8Array(values.buffer, values.byteOffset, values.byteLength)];
    return { name: ["cos", "sin"][i]!, shape: [own, dim / heads / 2], type: "F32", bytes };
  });
  writeSafetensors(path, [...random, ...angles]);
}

/** The file's tensors as inputs of a run. */
export function readInputs(path: string): Record<string, { data: Float32Array; dims: number[] }> {
  const file = SafetensorsFile.open(path);
  return Object.fromEntries(
    file.names().map((name) => [name, { data: file.read(name), dims: [...file.info(name).shape] }]),
  );
}

function source(
  name: string,
  shape: readonly number[],
  random: { mean: number; spread: number; seed: number },
): TensorSource {
  const count = shape.reduce((a, b) => a * b, 1);
  return { name, shape, type: "F32", bytes: () => randomBytes(count, "F32", random, random.seed) };
}

function inner(shape: readonly number[]): number {
  return Math.max(
    1,
    shape.slice(1).reduce((a, b) => a * b, 1),
  );
}
