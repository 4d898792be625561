/**
 * Low-rank adapters in a graph (LoRA, arXiv:2106.09685). Those that are merged
 * for good become part of the weight: the sum is written as operators on
 * constants, which the engine computes once when it loads the graph, so it
 * costs no file, no copy in this process and no time later. Those whose scale
 * can change stay beside the weight; their scales are an input of the graph.
 */
import { type Graph, ShapeError, type Value } from "@everframe/graph";
import type { LoraFile } from "./lora-file.ts";

export type ScaledLora = { readonly lora: LoraFile; readonly scale: number };

export type Loras = {
  readonly merged: readonly ScaledLora[];
  /** `scale` is the start value. */
  readonly live: readonly ScaledLora[];
};

/** Name of the graph input that holds the live scales. [live adapters] */
export const SCALES_INPUT = "lora_scales";

export class Adapters {
  readonly #graph: Graph;
  readonly #loras: Loras;
  readonly #scales: Value | undefined;

  /** Adds the input for the scales, if any scale is live. */
  constructor(graph: Graph, loras: Loras) {
    this.#graph = graph;
    this.#loras = loras;
    if (loras.live.length > 0) this.#scales = graph.input(SCALES_INPUT, [loras.live.length]);
  }

  /** The weight with all merged adapters. @param weight [out, in] */
  merged(layer: string, weight: Value): Value {
    const g = this.#graph;
    let sum = weight;
    for (const { lora, scale } of this.#loras.merged) {
      const pair = this.#pair(lora, layer, weight);
      if (!pair) continue;
      sum = g.matmulAdd(pair.b, pair.a, sum, scale * pair.factor);
    }
    return sum;
  }

  /** A layer's result with all live adapters. @param x [rows, in] @param y result of the weight [rows, out] */
  applied(layer: string, weight: Value, x: Value, y: Value): Value {
    const g = this.#graph;
    let sum = y;
    for (const [i, { lora }] of this.#loras.live.entries()) {
      const pair = this.#pair(lora, layer, weight);
      if (!pair) continue;
      const scale = g.mul(g.slice(this.#scales!, 0, i, i + 1), g.constant([pair.factor], [1]));
      sum = g.add(sum, g.mul(g.linear(g.linear(x, pair.a), pair.b), scale));
    }
    return sum;
  }

  #pair({ path, file, layers }: LoraFile, layer: string, weight: Value) {
    const found = layers.get(layer);
    if (!found) return undefined;
    const [out, inner] = weight.shape as [number, number];
    const rank = file.info(found.a).shape[0]!;
    const matrix = (name: string, shape: readonly [number, number]) => {
      const stored = file.info(name).shape;
      // Some files keep matrices as convolutions of one position.
      if (stored[0] === shape[0] && stored[1] === shape[1] && stored.slice(2).every((size) => size === 1)) {
        return this.#graph.weight(file, name, { reshape: shape });
      }
      throw new ShapeError(
        `LoRA ${path}: "${name}" is [${stored.join(", ")}], but ${layer} takes [${shape.join(", ")}].`,
      );
    };
    return { a: matrix(found.a, [rank, inner]), b: matrix(found.b, [out, rank]), factor: found.factor };
  }
}
