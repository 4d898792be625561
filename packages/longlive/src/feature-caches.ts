/**
 * What a causal video network remembers between two calls: the newest input
 * frames of each layer that looks back in time. The graph declares the layers
 * while it is built, and each stream holds the frames of its own, so that one
 * session serves any number of streams.
 */
import { DeviceTensor, type Graph, type Session, type Tensor, type TensorLike, type Value } from "@everframe/graph";

/** Sizes of what a layer keeps: [frames, C, H, W]. */
type CacheShape = { readonly dims: readonly number[] };

/** The layers of a graph that look back, in the order in which they were declared. */
export class CacheLayout {
  readonly #graph: Graph;
  readonly #shapes: CacheShape[] = [];
  readonly #joined: Value[] = [];
  #zeros: Float32Array | undefined;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /**
   * Puts a layer's kept frames in front of its input and keeps the newest for the next call. Before the first frames
   * of a video they are zeros.
   * @param x [T, C, H, W]
   * @returns [frames + T, C, H, W]
   */
  before(x: Value, frames: number): Value {
    const g = this.#graph;
    const dims = [frames, ...x.shape.slice(1).map(Number)];
    const past = g.input(`past${this.#shapes.length}`, dims);
    const joined = g.concat([past, x], 0);
    this.#shapes.push({ dims });
    this.#joined.push(joined);
    return joined;
  }

  /**
   * Declares the newest frames as outputs. To be called when all else is in the graph: ONNX Runtime works its way to
   * the last results first, so this order, from the last layer to the first, makes it cut off each layer's frames as
   * soon as they are there. In any other it holds the inputs of all layers until the end.
   */
  declareOutputs(): void {
    for (let i = this.#joined.length - 1; i >= 0; i--) {
      this.#graph.output(`kept${i}`, this.#graph.slice(this.#joined[i]!, 0, -this.#shapes[i]!.dims[0]!));
    }
  }

  /** Names of the declared outputs; a GPU keeps them. */
  get outputs(): string[] {
    return this.#shapes.map((_, i) => `kept${i}`);
  }

  /** Number of values in all caches of a stream. */
  get size(): number {
    return this.#shapes.reduce((sum, { dims }) => sum + elementsOf(dims), 0);
  }

  open(): FeatureCaches {
    // One block of zeros stands for every cache of a stream that has not begun.
    this.#zeros ??= new Float32Array(Math.max(0, ...this.#shapes.map(({ dims }) => elementsOf(dims))));
    return new FeatureCaches(this.#shapes, this.#zeros);
  }
}

function elementsOf(dims: readonly number[]): number {
  return dims.reduce((a, b) => a * b, 1);
}

type Kept = TensorLike | DeviceTensor;

/** The kept frames of one stream: in this process's memory, or on the GPU. */
export class FeatureCaches {
  readonly #shapes: readonly CacheShape[];
  readonly #zeros: Float32Array;
  #kept: readonly Kept[] | undefined;

  constructor(shapes: readonly CacheShape[], zeros: Float32Array) {
    this.#shapes = shapes;
    this.#zeros = zeros;
  }

  /** True before the first call and after a reset. */
  get empty(): boolean {
    return this.#kept === undefined;
  }

  reset(): void {
    dispose(this.#kept);
    this.#kept = undefined;
  }

  /** Runs the graph with the kept frames and keeps the new ones. @returns its other outputs */
  async run(session: Session, inputs: Readonly<Record<string, TensorLike>>): Promise<Record<string, Tensor>> {
    const before = this.#kept;
    const past: readonly Kept[] = before ?? this.#shapes.map(({ dims }) => ({ dims, data: this.#zerosOf(dims) }));
    // New frames are written over the old ones: a graph reads a cache once, before the newest frames of what it
    // read are the output.
    const reused = before?.filter((tensor): tensor is TensorLike => !(tensor instanceof DeviceTensor)) ?? [];
    this.#kept = undefined;
    const { tensors, kept } = await session.runKeeping({ ...inputs, ...named("past", past) }, named("kept", reused));
    dispose(before);
    this.#kept = this.#shapes.map(({ dims }, i) => kept[`kept${i}`] ?? { dims, data: tensors[`kept${i}`]!.data });
    return tensors;
  }

  #zerosOf(dims: readonly number[]): Float32Array {
    return this.#zeros.subarray(0, elementsOf(dims));
  }
}

function dispose(kept: readonly Kept[] = []): void {
  for (const tensor of kept) if (tensor instanceof DeviceTensor) tensor.dispose();
}

function named<T>(side: "past" | "kept", tensors: readonly T[]): Record<string, T> {
  return Object.fromEntries(tensors.map((tensor, i) => [`${side}${i}`, tensor]));
}
