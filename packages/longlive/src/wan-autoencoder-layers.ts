/**
 * Layers of Wan2.1's causal video autoencoder (arXiv:2503.20314), written once
 * for a video's first call and for all later ones. A first call differs in two
 * things only: nothing is remembered (zeros stand for it), and its first frame
 * passes the layers that halve or double the frame rate as it is. The inputs
 * `first` and `later` say so: 1 and 0 for a call that begins a video, else 0
 * and 1. Frame counts are forms such as "first+4*groups".
 */
import type { Dim, Graph, Value, WeightFile } from "@everframe/graph";
import { CacheLayout } from "./feature-caches.ts";

/** Frames that a kernel of 3 in time looks back. */
const LOOK_BACK = 2;

export class WanLayers {
  readonly graph: Graph;
  readonly caches: CacheLayout;
  readonly #file: WeightFile;
  readonly #first: Value;
  readonly #later: Value;

  constructor(graph: Graph, file: WeightFile) {
    this.graph = graph;
    this.caches = new CacheLayout(graph);
    this.#file = file;
    this.#first = graph.input("first", [1], "i64");
    this.#later = graph.input("later", [1], "i64");
  }

  /** 3-D convolution that sees a frame and the two before it, zeros around the picture. @param x [T, C, H, W] */
  causalConv(x: Value, name: string): Value {
    return this.#conv3d(this.caches.before(x, LOOK_BACK), name, 1);
  }

  /** Convolution of each pixel alone. @param outputs only the first so many channels; default all */
  pointwise(x: Value, name: string, outputs?: number): Value {
    const { graph: g } = this;
    const [out, inner] = this.#file.info(`${name}.weight`).shape as [number, number];
    const weight = g.weight(this.#file, `${name}.weight`, { reshape: [out, inner, 1, 1] });
    const bias = g.weight(this.#file, `${name}.bias`);
    if (outputs === undefined || outputs === out) return g.conv2d(x, weight, bias);
    return g.conv2d(x, g.slice(weight, 0, 0, outputs), g.slice(bias, 0, 0, outputs));
  }

  /** Every pixel's channels scaled to length sqrt(C), then by a weight each. @param x [T, C, H, W] */
  norm(x: Value, name: string): Value {
    const { graph: g } = this;
    const channels = Number(x.shape[1]);
    const gamma = g.weight(this.#file, `${name}.gamma`, { reshape: [channels, 1, 1] });
    const scale = g.mul(gamma, g.constant([Math.sqrt(channels)], []));
    return g.mul(g.l2Normalize(x, 1), scale);
  }

  /** Two normalised convolutions beside a shortcut. @param out channels of the result */
  residual(x: Value, name: string, out: number): Value {
    const { graph: g } = this;
    const shortcut = x.shape[1] === out ? x : this.pointwise(x, `${name}.shortcut`);
    const inner = this.causalConv(g.silu(this.norm(x, `${name}.residual.0`)), `${name}.residual.2`);
    return g.add(this.causalConv(g.silu(this.norm(inner, `${name}.residual.3`)), `${name}.residual.6`), shortcut);
  }

  /** Each frame's positions attend to each other, one head. @param x [T, C, h, w] */
  attention(x: Value, name: string): Value {
    const { graph: g } = this;
    const [frames, channels, height, width] = x.shape as [Dim, number, number, number];
    const positions = height * width;
    const qkv = this.pointwise(this.norm(x, `${name}.norm`), `${name}.to_qkv`); // [T, 3 C, h, w]
    const part = (i: number) =>
      g.reshape(g.slice(qkv, 1, i * channels, (i + 1) * channels), [frames, channels, positions]);
    const rows = (value: Value) => g.transpose(value, [0, 2, 1]);
    const queries = g.mul(rows(part(0)), g.constant([1 / Math.sqrt(channels)], [])); // [T, h w, C]
    const weights = g.softmax(g.matmul(queries, part(1)), -1); // [T, h w, h w]
    const mixed = rows(g.matmul(weights, rows(part(2)))); // [T, C, h w]
    return g.add(this.pointwise(g.reshape(mixed, x.shape), `${name}.proj`), x);
  }

  /** Half the height and width. @param x [T, C, H, W] @returns [T, C, H/2, W/2] */
  halveSpace(x: Value, name: string): Value {
    const { graph: g } = this;
    const [weight, bias] = this.#parameters(`${name}.resample.1`);
    return g.conv2d(x, weight, bias, { stride: 2, pads: [0, 0, 1, 1] });
  }

  /** Twice the height and width, half the channels. @param x [T, C, H, W] @returns [T, C/2, 2H, 2W] */
  doubleSpace(x: Value, name: string): Value {
    const { graph: g } = this;
    const [weight, bias] = this.#parameters(`${name}.resample.1`);
    return g.conv2d(g.resizeNearest2x(x), weight, bias, { pads: 1 });
  }

  /** Half the frames; a video's first frame stays as it is. @param x [first + 2n, C, H, W] @returns [first + n, ...] */
  halveTime(x: Value, name: string): Value {
    const { graph: g } = this;
    // The frame before, then x; before a video's first frame there is none.
    const seen = g.sliceFrom(this.caches.before(x, 1), 0, this.#first, `${x.shape[0]}+1-first`); // [1 + 2n, ...]
    const [weight, bias] = this.#parameters(`${name}.time_conv`);
    const halved = g.conv3d(seen, weight, bias, { timeStride: 2 }); // [n, C, H, W]
    return this.#behindFirst(seen, halved);
  }

  /**
   * Twice the frames; a video's first frame stays one, and the frames after it do not see it here.
   * @param x [first + n, C, H, W]
   * @returns [first + 2n, C, H, W]
   */
  doubleTime(x: Value, name: string): Value {
    const { graph: g } = this;
    const [frames, ...sizes] = x.shape;
    const rest = g.sliceFrom(x, 0, this.#first, `${frames}-first`); // [n, C, H, W]
    const count = rest.shape[0];
    const pairs = this.#conv3d(this.caches.before(rest, LOOK_BACK), `${name}.time_conv`, 0); // [n, 2 C, H, W]
    const doubled = g.reshape(pairs, [`${count}+${count}`, ...sizes]); // the pair's frames are halves of the channels
    return this.#behindFirst(x, doubled);
  }

  /** The first frame of `x` in front of `rest` when a video begins, else `rest`. */
  #behindFirst(x: Value, rest: Value): Value {
    const { graph: g } = this;
    return g.sliceFrom(g.concat([g.slice(x, 0, 0, 1), rest], 0), 0, this.#later, `first+${rest.shape[0]}`);
  }

  #conv3d(x: Value, name: string, pads: number): Value {
    const [weight, bias] = this.#parameters(name);
    return this.graph.conv3d(x, weight, bias, { pads });
  }

  #parameters(name: string): [Value, Value] {
    return [this.graph.weight(this.#file, `${name}.weight`), this.graph.weight(this.#file, `${name}.bias`)];
  }
}
