/**
 * Matrix products, normalisation, rotary embedding and attention. Each is
 * written as the operator that ONNX Runtime's CPU provider runs fastest:
 * Gemm with a constant weight (packed once at load), fused layer norms, and
 * the contributed MultiHeadAttention (flash attention).
 */
import { broadcastShapes, type Dim, formatShape, type Shape, ShapeError, scaleDim } from "./dims.ts";
import type { Value } from "./graph-core.ts";
import { quantizeWeight } from "./int8.ts";
import { LayoutOps } from "./layout-ops.ts";

export type LinearOptions = {
  quantize?: "int8";
  /** Of a u8 x: which of 0 to 255 stands for 0. Default 0. */
  zeroPoint?: number;
};

export class NeuralOps extends LayoutOps {
  readonly #int8Weights = new Map<Value, [Value, Value]>();

  /**
   * x wᵀ + b.
   * @param x [..., in]; with quantize "int8" on a CPU also u8, which stands for x - zeroPoint
   * @param w [out, in], the layout of PyTorch's Linear
   * @param b [out]
   * @param options.quantize "int8": the weight is stored in 8 bits and x is rounded to 8 bits over its whole range in
   * each run; about three times as fast, error about 1% of the result's spread. CPU only: on webgpu it has no effect.
   * Needs a `w` made by `weight` or `constant`.
   * @returns [..., out]
   */
  linear(x: Value, w: Value, b?: Value, options: LinearOptions = {}): Value {
    const isInt8 = options.quantize === "int8" && this.device === "cpu";
    this.checkType("linear", "x", x, isInt8 ? ["f32", "u8"] : ["f32"]);
    this.checkType("linear", "w", w);
    const inner = x.shape.at(-1);
    const [out, wIn] = w.shape;
    if (inner === undefined || w.shape.length !== 2 || wIn !== inner) {
      throw new ShapeError(
        `linear: operand w ${formatShape(w.shape)} does not fit x ${formatShape(x.shape)}: w must be [out, ${inner ?? "in"}].`,
      );
    }
    if (b) {
      this.checkType("linear", "b", b);
      this.checkShape("linear", "b", b, [out!], `w ${formatShape(w.shape)}`);
    }
    const rows = x.shape.slice(0, -1);
    const flat = x.shape.length === 2 ? x : this.reshape(x, [productOf(rows), inner]);
    const shape = [flat.shape[0]!, out!];
    const y = isInt8
      ? this.#int8Linear(flat, w, b, shape, options.zeroPoint ?? 0)
      : this.emit("Gemm", b ? [flat, w, b] : [flat, w], shape, { attributes: { transB: 1 } });
    return x.shape.length === 2 ? y : this.reshape(y, [...rows, out!]);
  }

  /** Matrix product over the last two axes, earlier axes broadcast: [..., n, k] x [..., k, m] -> [..., n, m]. */
  matmul(a: Value, b: Value): Value {
    this.checkType("matmul", "a", a);
    this.checkType("matmul", "b", b);
    const [n, k] = a.shape.slice(-2);
    const [bk, m] = b.shape.slice(-2);
    if (a.shape.length < 2 || b.shape.length < 2 || k !== bk) {
      throw new ShapeError(
        `matmul: operand b ${formatShape(b.shape)} does not fit a ${formatShape(a.shape)}: ` +
          `the last axis of a (${k}) must equal the second last of b (${bk}).`,
      );
    }
    const batch = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
    return this.emit("MatMul", [a, b], [...batch, n!, m!]);
  }

  /**
   * c + scale * (a b), in one operator: over constants the engine computes it at load without holding the product.
   * @param a [n, k]
   * @param b [k, m]
   * @param c [n, m]
   */
  matmulAdd(a: Value, b: Value, c: Value, scale = 1): Value {
    for (const [name, value] of Object.entries({ a, b, c })) this.checkType("matmulAdd", name, value);
    const [n, k] = a.shape;
    const [bk, m] = b.shape;
    if (a.shape.length !== 2 || b.shape.length !== 2 || k !== bk) {
      throw new ShapeError(
        `matmulAdd: operand b ${formatShape(b.shape)} does not fit a ${formatShape(a.shape)}: they must be [n, k] and [k, m].`,
      );
    }
    this.checkShape("matmulAdd", "c", c, [n!, m!], `a ${formatShape(a.shape)} and b ${formatShape(b.shape)}`);
    return this.emit("Gemm", [a, b, c], c.shape, { attributes: { alpha: { float: scale } } });
  }

  /**
   * (x - mean) / sqrt(var + eps) * scale + bias over the last axis (biased variance). Scale and bias may be computed
   * values, so that a modulation costs no extra pass over x.
   * @param options.scale [D], default ones
   * @param options.bias [D], default zeros
   */
  layerNorm(x: Value, options: { scale?: Value; bias?: Value; eps: number }): Value {
    this.checkType("layerNorm", "x", x);
    const size = this.#lastSize("layerNorm", x);
    const scale = options.scale ?? this.constant(new Float32Array(size).fill(1), [size]);
    const operands = [x, scale];
    for (const [name, value] of [
      ["scale", scale],
      ["bias", options.bias],
    ] as const) {
      if (!value) continue;
      this.checkType("layerNorm", name, value);
      this.checkShape("layerNorm", name, value, [size], `x ${formatShape(x.shape)}`);
    }
    if (options.bias) operands.push(options.bias);
    return this.emit("LayerNormalization", operands, x.shape, {
      attributes: { axis: -1, epsilon: { float: options.eps } },
    });
  }

  /** x / sqrt(mean(x²) + eps) * weight over the last axis. @param weight [D] */
  rmsNorm(x: Value, weight: Value, eps: number): Value {
    this.checkType("rmsNorm", "x", x);
    this.checkType("rmsNorm", "weight", weight);
    this.checkShape("rmsNorm", "weight", weight, x.shape.slice(-1), `x ${formatShape(x.shape)}`);
    return this.emit("SimplifiedLayerNormalization", [x, weight], x.shape, {
      attributes: { axis: -1, epsilon: { float: eps } },
    });
  }

  /**
   * Rotary position embedding of adjacent channel pairs (Su et al., "RoFormer"): (u, v) -> (u cos - v sin, u sin + v cos).
   * @param x [tokens, heads*d]
   * @param cos [tokens, d/2], one row a token
   * @param sin [tokens, d/2]
   */
  rotary(x: Value, cos: Value, sin: Value, options: { heads: number }): Value {
    this.checkType("rotary", "x", x);
    const [tokens, width] = this.#matrix("rotary", "x", x, options.heads);
    const half = width / options.heads / 2;
    for (const [name, value] of [
      ["cos", cos],
      ["sin", sin],
    ] as const) {
      this.checkType("rotary", name, value);
      this.checkShape("rotary", name, value, [tokens, half], `x ${formatShape(x.shape)} with ${options.heads} heads`);
    }
    const batch = this.reshape(x, [1, tokens, width]);
    const rows = [cos, sin].map((table) => this.reshape(table, [1, tokens, half]));
    const rotated = this.emit("RotaryEmbedding", [batch, ...rows], batch.shape, {
      attributes: { interleaved: 1, num_heads: options.heads },
    });
    return this.reshape(rotated, x.shape);
  }

  /**
   * softmax(q kᵀ scale + bias) v for each head. No mask: every query sees every key, of its own batch where there is
   * one.
   * @param q [Nq, heads*d] or [B, Nq, heads*d]
   * @param k [Nk, heads*d] or [B, Nk, heads*d]
   * @param v as k
   * @param options.scale default 1/sqrt(d)
   * @param options.bias [heads or 1, Nq, Nk]; with a bias the plain form is written
   * @returns as q
   */
  attention(q: Value, k: Value, v: Value, options: { heads: number; scale?: number; bias?: Value }): Value {
    const { heads, bias } = options;
    for (const [name, value] of [
      ["q", q],
      ["k", k],
      ["v", v],
    ] as const)
      this.checkType("attention", name, value);
    const batch = q.shape.length === 3 ? q.shape.slice(0, 1) : [];
    const width = this.#headsOf(q, heads);
    const keys = k.shape[batch.length] ?? 0;
    this.checkShape("attention", "k", k, [...batch, keys, width], `q ${formatShape(q.shape)}`);
    this.checkShape("attention", "v", v, [...batch, keys, width], `k ${formatShape(k.shape)}`);
    if (bias) {
      this.checkType("attention", "bias", bias);
      const wanted = [bias.shape[0] === 1 ? 1 : heads, q.shape[batch.length]!, keys];
      this.checkShape("attention", "bias", bias, wanted, `q ${formatShape(q.shape)} and k ${formatShape(k.shape)}`);
    }
    const [q3, k3, v3] = [q, k, v].map((value) => (batch.length ? value : this.reshape(value, [1, ...value.shape])));
    const scale = options.scale ?? 1 / Math.sqrt(width / heads);
    const mixed =
      this.attentionKind === "plain" || bias
        ? this.#plainAttention(q3!, k3!, v3!, { heads, scale, bias })
        : this.emit("MultiHeadAttention", [q3!, k3!, v3!], q3!.shape, {
            attributes: { num_heads: heads, scale: { float: scale } },
            contributed: true,
          });
    return batch.length ? mixed : this.reshape(mixed, q.shape);
  }

  #int8Linear(x: Value, w: Value, b: Value | undefined, shape: Shape, zeroPoint: number): Value {
    let stored = this.#int8Weights.get(w);
    if (!stored) {
      const data = this.weightData(w);
      if (!data) throw new TypeError("linear: operand w must be a weight or a constant to be quantised.");
      const [out, inner] = w.shape.map(Number) as [number, number];
      const { weights, scales } = quantizeWeight(data, out, inner);
      stored = [this.inlineConstant("i8", weights, [inner, out]), this.constant(scales, [out])];
      this.#int8Weights.set(w, stored);
    }
    if (x.dtype === "f32") {
      return this.emit("DynamicQuantizeMatMul", [x, ...stored, null, b ?? null], shape, { contributed: true });
    }
    const [weights, scales] = stored;
    const zero = this.inlineConstant("u8", Uint8Array.of(zeroPoint), []);
    const operands = [x, weights, this.constant([1], []), scales, zero, null, b ?? null];
    return this.emit("MatMulIntegerToFloat", operands, shape, { dtype: "f32", contributed: true });
  }

  /** @param q [B, Nq, heads*d] @param k, v [B, Nk, heads*d] @returns as q */
  #plainAttention(
    q: Value,
    k: Value,
    v: Value,
    { heads, scale, bias }: { heads: number; scale: number; bias: Value | undefined },
  ): Value {
    const [batch, , width] = q.shape as [Dim, Dim, number];
    const split = (x: Value, perm: readonly number[]) =>
      this.transpose(this.reshape(x, [batch, x.shape[1]!, heads, width / heads]), perm);
    const scaled = this.mul(q, this.constant([scale], []));
    let logits = this.matmul(split(scaled, [0, 2, 1, 3]), split(k, [0, 2, 3, 1])); // [B, heads, Nq, Nk]
    if (bias) logits = this.add(logits, bias);
    const mixed = this.matmul(this.softmax(logits, -1), split(v, [0, 2, 1, 3])); // [B, heads, Nq, d]
    return this.reshape(this.transpose(mixed, [0, 2, 1, 3]), q.shape);
  }

  #lastSize(op: string, x: Value): number {
    const size = x.shape.at(-1);
    if (typeof size === "number") return size;
    throw new ShapeError(`${op}: operand x ${formatShape(x.shape)} must end in an axis of known size.`);
  }

  /** Channels of all heads of a query [..., Nq, heads*d]. */
  #headsOf(q: Value, heads: number): number {
    const width = q.shape.at(-1);
    const hasRank = q.shape.length === 2 || q.shape.length === 3;
    if (hasRank && typeof width === "number" && width % heads === 0) return width;
    throw new ShapeError(
      `attention: operand q ${formatShape(q.shape)} must be [tokens, ${heads} heads * d], with a batch in front or not.`,
    );
  }

  #matrix(op: string, operand: string, x: Value, heads: number): [Dim, number] {
    const [rows, width] = x.shape;
    if (x.shape.length === 2 && typeof width === "number" && width % heads === 0) return [rows!, width];
    throw new ShapeError(`${op}: operand ${operand} ${formatShape(x.shape)} must be [tokens, ${heads} heads * d].`);
  }
}

/** Product of sizes with at most one symbol among them. */
function productOf(shape: Shape): Dim {
  let number = 1;
  let symbol: string | undefined;
  for (const dim of shape) {
    if (typeof dim === "number") number *= dim;
    else if (symbol === undefined) symbol = dim;
    else throw new ShapeError(`linear: operand x has two symbolic sizes in ${formatShape(shape)}; reshape it first.`);
  }
  return symbol === undefined ? number : scaleDim(symbol, number);
}
