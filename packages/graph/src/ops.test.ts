/** Every operator against its definition in float64, on the CPU provider. */
import { describe, expect, it } from "vitest";
import type { TensorData } from "./dtype.ts";
import { Graph } from "./graph.ts";
import type { Value } from "./graph-core.ts";
import type { TensorLike } from "./session.ts";
import * as ref from "./testing/reference.ts";
import { maxError, runOnce, tensor } from "./testing/tensors.ts";

type F32 = { data: Float32Array; dims: readonly number[] };
type Case = [
  title: string,
  inputs: F32[],
  build: (g: Graph, ...values: Value[]) => Value,
  wanted: (...inputs: F32[]) => ref.Nd,
  tolerance?: number,
];

// Symbolic sizes are used wherever the operator allows them: each run below fixes n = 5.
const N = 5;
const x = tensor([N, 6], 1);
const y = tensor([N, 6], 2);
const positive: F32 = { data: x.data.map((v) => Math.abs(v) + 0.1), dims: x.dims };
const picture = tensor([2, 4, 5, 7], 3);
const gelu = {
  erf: (v: number) => (v * (1 + ref.erf(v / Math.SQRT2))) / 2,
  tanh: (v: number) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))),
};
const wide: F32 = { data: x.data.map((v) => v * 4), dims: x.dims };
const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
const flat = { stride: 1, timeStride: 1, pads: [0, 0, 0, 0], groups: 1 };

const cases: Case[] = [
  ["add broadcasts", [x, tensor([6], 2)], (g, a, b) => g.add(a, b), (a, b) => ref.zip(a, b, (p, q) => p + q)],
  ["sub", [x, y], (g, a, b) => g.sub(a, b), (a, b) => ref.zip(a, b, (p, q) => p - q)],
  ["mul broadcasts", [x, tensor([1, 1], 2)], (g, a, b) => g.mul(a, b), (a, b) => ref.zip(a, b, (p, q) => p * q)],
  ["div", [x, positive], (g, a, b) => g.div(a, b), (a, b) => ref.zip(a, b, (p, q) => p / q)],
  ["neg", [x], (g, a) => g.neg(a), (a) => ref.map(a, (v) => -v)],
  ["sqrt", [positive], (g, a) => g.sqrt(a), (a) => ref.map(a, Math.sqrt)],
  ["exp", [x], (g, a) => g.exp(a), (a) => ref.map(a, Math.exp)],
  ["tanh", [wide], (g, a) => g.tanh(a), (a) => ref.map(a, Math.tanh)],
  ["sigmoid", [wide], (g, a) => g.sigmoid(a), (a) => ref.map(a, sigmoid)],
  ["relu", [x], (g, a) => g.relu(a), (a) => ref.map(a, (v) => Math.max(v, 0))],
  ["silu", [wide], (g, a) => g.silu(a), (a) => ref.map(a, (v) => v * sigmoid(v))],
  ["gelu by erf", [wide], (g, a) => g.gelu(a, "erf"), (a) => ref.map(a, gelu.erf)],
  ["gelu by tanh", [wide], (g, a) => g.gelu(a, "tanh"), (a) => ref.map(a, gelu.tanh)],
  ["clip", [x], (g, a) => g.clip(a, -0.5, 0.25), (a) => ref.map(a, (v) => Math.min(0.25, Math.max(-0.5, v)))],
  ["softmax on the first axis", [wide], (g, a) => g.softmax(a, 0), (a) => ref.softmax(a, 0)],
  ["reduceMean", [picture], (g, a) => g.reduceMean(a, [1, -1]), (a) => ref.reduce(a, [1, 3], ref.mean)],
  ["reduceSum", [picture], (g, a) => g.reduceSum(a, [0]), (a) => ref.reduce(a, [0], ref.sum)],
  [
    "reduceSum without its axes",
    [picture],
    (g, a) => g.reduceSum(a, [1, 2], { keepDims: false }),
    (a) => ({ data: ref.reduce(a, [1, 2], ref.sum).data, dims: [2, 7] }),
  ],
  [
    "concat",
    [x, tensor([N, 2], 4)],
    (g, a, b) => g.concat([a, b, a], 1),
    (a, b) =>
      ref.make([N, 14], ([i, j]) =>
        j! >= 6 && j! < 8 ? b.data[i! * 2 + j! - 6]! : a.data[i! * 6 + (j! < 6 ? j! : j! - 8)]!,
      ),
  ],
  [
    "slice with an end",
    [x],
    (g, a) => g.slice(a, 1, 2, 4),
    (a) => ref.make([N, 2], ([i, j]) => a.data[i! * 6 + j! + 2]!),
  ],
  [
    "slice from the back",
    [x],
    (g, a) => g.slice(a, 0, -2),
    (a) => ref.make([2, 6], ([i, j]) => a.data[(i! + 3) * 6 + j!]!),
  ],
  [
    "slice up to the back",
    [x],
    (g, a) => g.slice(a, 0, 1, -1),
    (a) => ref.make([3, 6], ([i, j]) => a.data[(i! + 1) * 6 + j!]!),
  ],
  ["reshape", [x], (g, a) => g.reshape(a, [3, "n", 2]), (a) => ({ data: a.data, dims: [3, N, 2] })],
  ["transpose", [picture], (g, a) => g.transpose(a, [2, 0, 3, 1]), (a) => ref.transpose(a, [2, 0, 3, 1])],
  ["matmul", [x, tensor([6, 3], 5)], (g, a, b) => g.matmul(a, b), (a, b) => ref.matmul(a, b)],
  [
    "matmulAdd",
    [x, tensor([6, 3], 5), tensor([N, 3], 6)],
    (g, a, b, c) => g.matmulAdd(a, b, c, 0.5),
    (a, b, c) => ref.zip(ref.matmul(a, b), c, (p, q) => 0.5 * p + q),
  ],
  [
    "matmul with a batch",
    [tensor([2, N, 6], 5), tensor([2, 6, 3], 6)],
    (g, a, b) => g.matmul(a, b),
    (a, b) => ref.matmul(a, b),
  ],
  [
    "linear on three axes",
    [tensor([2, N, 6], 5), tensor([3, 6], 6), tensor([3], 7)],
    (g, a, w, b) => g.linear(a, w, b),
    (a, w, b) => {
      const flatX = { data: a.data, dims: [2 * N, 6] };
      const product = ref.zip(ref.matmul(flatX, ref.transpose(w, [1, 0])), b, (p, q) => p + q);
      return { data: product.data, dims: [2, N, 3] };
    },
  ],
  [
    "layerNorm with computed scale and bias",
    [wide, tensor([6], 6), tensor([6], 7)],
    (g, a, s, b) => g.layerNorm(a, { scale: g.add(s, g.constant([1], [1])), bias: b, eps: 1e-3 }),
    (a, s, b) =>
      ref.zip(
        ref.zip(
          ref.layerNorm(a, 1e-3),
          ref.map(s, (v) => v + 1),
          (p, q) => p * q,
        ),
        b,
        (p, q) => p + q,
      ),
    1e-5,
  ],
  ["layerNorm alone", [wide], (g, a) => g.layerNorm(a, { eps: 1e-6 }), (a) => ref.layerNorm(a, 1e-6), 1e-5],
  [
    "rmsNorm",
    [wide, tensor([6], 6)],
    (g, a, w) => g.rmsNorm(a, w, 1e-3),
    (a, w) => {
      const size = ref.reduce(a, [1], (values) => Math.sqrt(ref.mean(values.map((v) => v * v)) + 1e-3));
      return ref.zip(
        ref.zip(a, size, (p, q) => p / q),
        w,
        (p, q) => p * q,
      );
    },
  ],
  [
    "l2Normalize",
    [picture],
    (g, a) => g.l2Normalize(a, 1),
    (a) =>
      ref.zip(
        a,
        ref.reduce(a, [1], (values) => Math.hypot(...values)),
        (p, q) => p / q,
      ),
  ],
  [
    "rotary",
    [tensor([N, 16], 8), tensor([N, 4], 9), tensor([N, 4], 10)],
    (g, a, c, s) => g.rotary(a, c, s, { heads: 2 }),
    (a, c, s) => ref.rotary(a, c, s),
  ],
  [
    "attention",
    [tensor([N, 16], 8), tensor([40, 16], 9), tensor([40, 16], 10)],
    (g, q, k, v) => g.attention(q, k, v, { heads: 2 }),
    (q, k, v) => ref.attention(q, k, v, 2, 1 / Math.sqrt(8)),
  ],
  [
    "attention with a scale of its own",
    [tensor([N, 16], 8), tensor([40, 16], 9), tensor([40, 16], 10)],
    (g, q, k, v) => g.attention(q, k, v, { heads: 2, scale: 1 }),
    (q, k, v) => ref.attention(q, k, v, 2, 1),
  ],
  [
    "attention with a bias for each head",
    [tensor([N, 16], 8), tensor([3, 16], 9), tensor([3, 16], 10), tensor([2, N, 3], 11)],
    (g, q, k, v, bias) => g.attention(q, k, v, { heads: 2, bias }),
    (q, k, v, bias) => ref.attention(q, k, v, 2, 1 / Math.sqrt(8), bias),
  ],
  [
    "attention of a batch",
    [tensor([3, N, 16], 8), tensor([3, 40, 16], 9), tensor([3, 40, 16], 10)],
    (g, q, k, v) => g.attention(q, k, v, { heads: 2 }),
    (q, k, v) => {
      const item = (x: ref.Nd, i: number) => {
        const size = x.data.length / 3;
        return { data: Array.from(x.data).slice(i * size, (i + 1) * size), dims: x.dims.slice(1) };
      };
      const items = [0, 1, 2].map((i) => ref.attention(item(q, i), item(k, i), item(v, i), 2, 1 / Math.sqrt(8)));
      return { data: items.flatMap(({ data }) => data), dims: [...q.dims] };
    },
  ],
  [
    "conv2d with stride and one-sided pads",
    [tensor([2, 4, 6, 7], 3), tensor([3, 4, 3, 3], 6), tensor([3], 7)],
    (g, a, w, b) => g.conv2d(a, w, b, { stride: 2, pads: [0, 0, 1, 1] }),
    (a, w, b) => ref.conv3d(a, { data: w.data, dims: [3, 4, 1, 3, 3] }, b, { ...flat, stride: 2, pads: [0, 0, 1, 1] }),
  ],
  [
    "conv2d for each channel",
    [picture, tensor([4, 1, 3, 3], 6), tensor([4], 7)],
    (g, a, w, b) => g.conv2d(a, w, b, { pads: 1, groups: 4 }),
    (a, w, b) => ref.conv3d(a, { data: w.data, dims: [4, 1, 1, 3, 3] }, b, { ...flat, pads: [1, 1, 1, 1], groups: 4 }),
  ],
  [
    "conv3d",
    [tensor([N, 2, 4, 4], 5), tensor([3, 2, 3, 3, 3], 6), tensor([3], 7)],
    (g, a, w, b) => g.conv3d(a, w, b, { pads: 1 }),
    (a, w, b) => ref.conv3d(a, w, b, { ...flat, pads: [1, 1, 1, 1] }),
  ],
  [
    "conv3d with a stride in time",
    [tensor([7, 2, 4, 4], 5), tensor([3, 2, 3, 1, 1], 6), tensor([3], 7)],
    (g, a, w, b) => g.conv3d(a, w, b, { timeStride: 2 }),
    (a, w, b) => ref.conv3d(a, w, b, { ...flat, timeStride: 2 }),
  ],
  [
    "depthToSpace in channel order c, y, x",
    [picture],
    (g, a) => g.depthToSpace(a, 2, "crd"),
    (a) =>
      ref.make(
        [2, 1, 10, 14],
        ([n, , i, j]) => a.data[((n! * 4 + (i! % 2) * 2 + (j! % 2)) * 5 + (i! >> 1)) * 7 + (j! >> 1)]!,
      ),
  ],
  [
    "depthToSpace in channel order y, x, c",
    [tensor([1, 8, 2, 2], 3)],
    (g, a) => g.depthToSpace(a, 2, "dcr"),
    (a) =>
      ref.make(
        [1, 2, 4, 4],
        ([, c, i, j]) => a.data[((((i! % 2) * 2 + (j! % 2)) * 2 + c!) * 2 + (i! >> 1)) * 2 + (j! >> 1)]!,
      ),
  ],
  [
    "resizeNearest2x",
    [picture],
    (g, a) => g.resizeNearest2x(a),
    (a) => ref.make([2, 4, 10, 14], ([n, c, i, j]) => a.data[((n! * 4 + c!) * 5 + (i! >> 1)) * 7 + (j! >> 1)]!),
  ],
  [
    "expand",
    [tensor([1, N, 1], 3)],
    (g, a) => g.expand(a, [2, "n", 3]),
    (a) => ref.make([2, N, 3], ([, i]) => a.data[i!]!),
  ],
  [
    "pad",
    [x],
    (g, a) =>
      g.pad(
        a,
        [
          [1, 0],
          [0, 2],
        ],
        9,
      ),
    (a) => ref.make([N + 1, 8], ([i, j]) => (i! < 1 || j! >= 6 ? 9 : a.data[(i! - 1) * 6 + j!]!)),
  ],
  [
    "gather along an axis",
    [x],
    (g, a) => g.gather(a, g.constI64([5, 0]), 1),
    (a) => ref.make([N, 2], ([i, j]) => a.data[i! * 6 + (j === 0 ? 5 : 0)]!),
  ],
  [
    "castTo u8 after round and clip, ties to even",
    [{ data: Float32Array.of(-3, 0.5, 1.5, 2.5, 254.6, 300), dims: [6] }],
    (g, a) => g.castTo(g.clip(g.round(a), 0, 255), "u8"),
    () => ({ data: [0, 0, 2, 2, 255, 255], dims: [6] }),
  ],
  [
    "quantize, ties to even",
    [{ data: Float32Array.of(-9, -0.75, 0.25, 0.75, 1.2, 124, 200), dims: [7] }],
    (g, a) => g.quantize(a, 0.5, 7),
    () => ({ data: [0, 5, 7, 9, 9, 255, 255], dims: [7] }),
  ],
];

async function compute(inputs: F32[], build: (g: Graph, ...values: Value[]) => Value, attention: "fused" | "plain") {
  const g = new Graph("ops", { attention });
  const feeds: Record<string, TensorLike> = {};
  const values = inputs.map((input, i) => {
    feeds[`in${i}`] = input;
    return g.input(
      `in${i}`,
      input.dims.map((size) => (size === N ? "n" : size)),
    );
  });
  const value = build(g, ...values);
  g.output("out", value);
  const { out } = await runOnce(g, feeds);
  const promised = value.shape.map((dim, axis) => (typeof dim === "number" ? dim : out!.dims[axis]));
  return { data: out!.data as Exclude<TensorData, BigInt64Array>, dims: out!.dims, promised };
}

describe("operators", () => {
  it.each(cases)("%s agrees with its definition", async (_title, inputs, build, wanted, tolerance = 2e-6) => {
    const expected = wanted(...inputs);
    for (const kind of ["fused", "plain"] as const) {
      const result = await compute(inputs, build, kind);
      expect(result.dims).toEqual(expected.dims);
      expect(result.promised).toEqual(expected.dims);
      expect(maxError(result.data, expected.data)).toBeLessThan(tolerance);
    }
  });

  it("gather takes rows by ids given at run time", async () => {
    const g = new Graph("rows");
    const table = tensor([4, 3]);
    g.output("out", g.gather(g.constant(table.data, [4, 3]), g.input("ids", ["tokens"], "i64")));
    const { out } = await runOnce(g, { ids: { data: BigInt64Array.of(3n, 0n), dims: [2] } });
    expect([...(out!.data as Float32Array)]).toEqual([...table.data.slice(9), ...table.data.slice(0, 3)]);
  });

  it("sliceFrom keeps the rest from a position given at run time", async () => {
    const g = new Graph("rest");
    g.output("out", g.sliceFrom(g.input("x", ["n", 6]), 0, g.input("start", [1], "i64")));
    for (const [start, rows] of [
      [0, 5],
      [3, 2],
      [-1, 1],
      [5, 0],
    ] as const) {
      const { out } = await runOnce(g, { x, start: { data: BigInt64Array.of(BigInt(start)), dims: [1] } });
      expect(out!.dims).toEqual([rows, 6]);
      expect([...(out!.data as Float32Array)]).toEqual([...x.data.slice((5 - rows) * 6)]);
    }
  });
});
