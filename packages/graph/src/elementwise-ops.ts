/** Operators that treat each element alone, and reductions. Definitions: ONNX operator reference, opset 23. */
import { broadcastShapes, formatShape, resolveAxis, ShapeError } from "./dims.ts";
import { type DType, ONNX_TYPE } from "./dtype.ts";
import { GraphCore, type Value } from "./graph-core.ts";

const NUMBERS: readonly DType[] = ["f32", "f16", "i64", "i32"];

export class ElementwiseOps extends GraphCore {
  /** a + b, numpy broadcast. */
  add(a: Value, b: Value): Value {
    return this.#binary("add", "Add", a, b);
  }

  /** a - b, numpy broadcast. */
  sub(a: Value, b: Value): Value {
    return this.#binary("sub", "Sub", a, b);
  }

  /** a * b, numpy broadcast. */
  mul(a: Value, b: Value): Value {
    return this.#binary("mul", "Mul", a, b);
  }

  /** a / b, numpy broadcast. */
  div(a: Value, b: Value): Value {
    return this.#binary("div", "Div", a, b);
  }

  /** -x */
  neg(x: Value): Value {
    return this.#unary("neg", "Neg", x);
  }

  /** Square root. */
  sqrt(x: Value): Value {
    return this.#unary("sqrt", "Sqrt", x);
  }

  /** e^x */
  exp(x: Value): Value {
    return this.#unary("exp", "Exp", x);
  }

  tanh(x: Value): Value {
    return this.#unary("tanh", "Tanh", x);
  }

  /** 1 / (1 + e^-x) */
  sigmoid(x: Value): Value {
    return this.#unary("sigmoid", "Sigmoid", x);
  }

  /** max(x, 0) */
  relu(x: Value): Value {
    return this.#unary("relu", "Relu", x);
  }

  /** Nearest whole number, ties to even. */
  round(x: Value): Value {
    return this.#unary("round", "Round", x);
  }

  /** x * sigmoid(x) */
  silu(x: Value): Value {
    this.checkType("silu", "x", x);
    return this.emit("QuickGelu", [x], x.shape, { attributes: { alpha: { float: 1 } }, contributed: true });
  }

  /** "erf": x * (1 + erf(x / sqrt 2)) / 2; "tanh": 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). */
  gelu(x: Value, kind: "erf" | "tanh"): Value {
    this.checkType("gelu", "x", x);
    return this.emit("Gelu", [x], x.shape, { attributes: { approximate: kind === "tanh" ? "tanh" : "none" } });
  }

  /** x limited to min..max. */
  clip(x: Value, min: number, max: number): Value {
    this.checkType("clip", "x", x);
    return this.emit("Clip", [x, this.constant([min], []), this.constant([max], [])], x.shape);
  }

  /** Softmax along one axis. */
  softmax(x: Value, axis: number): Value {
    this.checkType("softmax", "x", x);
    return this.emit("Softmax", [x], x.shape, { attributes: { axis: resolveAxis("softmax", x.shape, axis) } });
  }

  /** Mean over the axes. They stay as size 1 unless `keepDims` is false. */
  reduceMean(x: Value, axes: readonly number[], options: { keepDims?: boolean } = {}): Value {
    return this.#reduce("reduceMean", "ReduceMean", x, axes, options.keepDims ?? true);
  }

  /** Sum over the axes. They stay as size 1 unless `keepDims` is false. */
  reduceSum(x: Value, axes: readonly number[], options: { keepDims?: boolean } = {}): Value {
    return this.#reduce("reduceSum", "ReduceSum", x, axes, options.keepDims ?? true);
  }

  /** Another element type. f32 to u8 cuts off the fraction: round and clip to 0..255 first. */
  castTo(x: Value, dtype: DType): Value {
    this.checkOwned("castTo", "x", x);
    if (x.dtype === dtype) return x;
    return this.emit("Cast", [x], x.shape, { dtype, attributes: { to: ONNX_TYPE[dtype] } });
  }

  /**
   * round(x / scale) + zeroPoint, limited to 0..255, as u8; ties to even. One pass over x. CPU only: the GPU provider
   * has no u8.
   * @param scale above 0
   * @param zeroPoint 0..255
   */
  quantize(x: Value, scale: number, zeroPoint: number): Value {
    this.checkType("quantize", "x", x);
    const zero = this.inlineConstant("u8", Uint8Array.of(zeroPoint), []);
    return this.emit("QuantizeLinear", [x, this.constant([scale], []), zero], x.shape, { dtype: "u8" });
  }

  #unary(op: string, opType: string, x: Value): Value {
    this.checkType(op, "x", x);
    return this.emit(opType, [x], x.shape);
  }

  #binary(op: string, opType: string, a: Value, b: Value): Value {
    this.checkType(op, "a", a, NUMBERS);
    this.checkType(op, "b", b, [a.dtype]);
    return this.emit(opType, [a, b], broadcastShapes(op, a.shape, b.shape));
  }

  #reduce(op: string, opType: string, x: Value, axes: readonly number[], keepDims: boolean): Value {
    this.checkType(op, "x", x);
    const resolved = new Set(axes.map((axis) => resolveAxis(op, x.shape, axis)));
    if (resolved.size === 0) throw new ShapeError(`${op}: operand x ${formatShape(x.shape)}: name at least one axis.`);
    const shape = x.shape.flatMap((dim, axis) => (resolved.has(axis) ? (keepDims ? [1] : []) : [dim]));
    return this.emit(opType, [x, this.constI64([...resolved])], shape, { attributes: { keepdims: Number(keepDims) } });
  }
}
