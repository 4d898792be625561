/**
 * Tells whether the GPU's fused attention can be trusted. ONNX Runtime 1.30's
 * MultiHeadAttention on WebGPU exchanges values between neighbouring threads,
 * and on some drivers (both software Vulkan drivers, from 32 queries on)
 * gives wrong weights without any error. So it is asked once for answers that
 * are known, and graphs use it only where all are right.
 */
import { Graph } from "./graph.ts";
import { Session } from "./session.ts";

/** Few and many queries, keys that fill no block, the head sizes of the models. */
const CASES = [
  { queries: 36, keys: 36, headDim: 32 },
  { queries: 64, keys: 200, headDim: 64 },
  { queries: 150, keys: 515, headDim: 128 },
];
const HEADS = 2;
/** Values are within 1; float32 in another order of summing is within 1e-6, and the known fault above 1e-3. */
const TOLERANCE = 1e-5;

let answer: Promise<boolean> | undefined;

/** Asked once a process. @throws SessionError when there is no GPU */
export function isFusedAttentionRight(): Promise<boolean> {
  answer ??= check();
  answer.catch(() => {
    answer = undefined;
  });
  return answer;
}

async function check(): Promise<boolean> {
  for (const { queries, keys, headDim } of CASES) {
    const width = HEADS * headDim;
    const g = new Graph("attention check", { device: "webgpu", attention: "fused" });
    const q = g.input("q", ["queries", width]);
    g.output("mixed", g.attention(q, g.input("k", ["keys", width]), g.input("v", ["keys", width]), { heads: HEADS }));
    const session = await Session.create(g.build());
    try {
      const [qs, ks, vs] = [waves(queries * width, 1), waves(keys * width, 2), waves(keys * width, 3)];
      const { mixed } = await session.run({
        q: { data: qs, dims: [queries, width] },
        k: { data: ks, dims: [keys, width] },
        v: { data: vs, dims: [keys, width] },
      });
      const wanted = attentionOf(qs, ks, vs, headDim);
      // Written so that a NaN is wrong, too.
      if (!wanted.every((value, i) => Math.abs((mixed!.data as Float32Array)[i]! - value) < TOLERANCE)) return false;
    } finally {
      await session.close();
    }
  }
  return true;
}

/** Numbers from -1 to 1 without a pattern. */
function waves(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin((i + 1) * (i + seed) * 0.37 + seed));
}

/** softmax(q kᵀ / sqrt(d)) v of each head in float64. @returns [queries, HEADS * headDim] */
function attentionOf(q: Float32Array, k: Float32Array, v: Float32Array, headDim: number): Float64Array {
  const width = HEADS * headDim;
  const result = new Float64Array(q.length);
  for (let row = 0; row < q.length; row += headDim) {
    const head = row % width;
    const weights: number[] = [];
    for (let key = head; key < k.length; key += width) {
      let product = 0;
      for (let i = 0; i < headDim; i++) product += q[row + i]! * k[key + i]!;
      weights.push(Math.exp(product / Math.sqrt(headDim)));
    }
    const sum = weights.reduce((a, b) => a + b, 0);
    for (const [n, weight] of weights.entries()) {
      for (let i = 0; i < headDim; i++) result[row + i]! += (weight / sum) * v[n * width + head + i]!;
    }
  }
  return result;
}
