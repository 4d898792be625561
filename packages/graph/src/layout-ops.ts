/** Operators that move elements without computing. Definitions: ONNX operator reference, opset 23. */
import {
  addDims,
  canonicalDim,
  type Dim,
  elementCount,
  formatShape,
  resolveAxis,
  type Shape,
  ShapeError,
} from "./dims.ts";
import { ElementwiseOps } from "./elementwise-ops.ts";
import type { Value } from "./graph-core.ts";

/** An end for the operator Slice, which reads any end beyond the axis as the axis end. */
export const TO_THE_END = 2 ** 31 - 1;

export class LayoutOps extends ElementwiseOps {
  /** Values one after the other along an axis; other axes must agree. Symbols add up: past, tokens -> "past+tokens". */
  concat(values: readonly Value[], axis: number): Value {
    const first = values[0];
    if (first === undefined) throw new ShapeError("concat: name at least one value.");
    this.checkOwned("concat", "values[0]", first);
    const at = resolveAxis("concat", first.shape, axis);
    let sum: Dim = 0;
    for (const [i, value] of values.entries()) {
      this.checkType("concat", `values[${i}]`, value, [first.dtype]);
      const wanted = first.shape.map((dim, d) => (d === at ? (value.shape[at] ?? dim) : dim));
      this.checkShape("concat", `values[${i}]`, value, wanted, `values[0] ${formatShape(first.shape)} on axis ${at}`);
      sum = addDims(sum, value.shape[at]!);
    }
    if (values.length === 1) return first;
    return this.emit("Concat", values, replaceDim(first.shape, at, sum), { attributes: { axis: at } });
  }

  /**
   * Elements start..end-1 of an axis; end defaults to the axis end, negative positions count from the back. On a
   * symbolic axis, an end beyond the size of a run is an error of the caller that is found only downstream.
   */
  slice(x: Value, axis: number, start: number, end?: number): Value {
    this.checkOwned("slice", "x", x);
    const at = resolveAxis("slice", x.shape, axis);
    const size = x.shape[at]!;
    const from = start < 0 ? addDims(size, start) : start;
    const to = end === undefined ? size : end < 0 ? addDims(size, end) : end;
    const length = addDims(to, from, -1);
    const tooFar = typeof size === "number" && typeof to === "number" && to > size;
    if (tooFar || [from, length].some((dim) => typeof dim === "number" && dim < 0)) {
      throw new ShapeError(
        `slice: operand x ${formatShape(x.shape)} has no range ${start}..${end ?? ""} on axis ${at}.`,
      );
    }
    const range = [[start], [end ?? TO_THE_END], [at]].map((numbers) => this.constI64(numbers));
    return this.emit("Slice", [x, ...range], replaceDim(x.shape, at, length));
  }

  /**
   * The rest of an axis from a position that is fixed at run time.
   * @param start i64 [1]; 0 keeps all, negative counts from the back.
   * @param length Name of the result's size, default "<start>_of_<size>"; give a name to relate it to other sizes.
   */
  sliceFrom(x: Value, axis: number, start: Value, length?: Dim): Value {
    this.checkOwned("sliceFrom", "x", x);
    this.checkType("sliceFrom", "start", start, ["i64"]);
    this.checkShape("sliceFrom", "start", start, [1], `x ${formatShape(x.shape)}`);
    const at = resolveAxis("sliceFrom", x.shape, axis);
    const symbol = length ?? `${start.name}_of_${x.shape[at]}`.replace(/\W/g, "_");
    const range = [start, this.constI64([TO_THE_END]), this.constI64([at])];
    return this.emit("Slice", [x, ...range], replaceDim(x.shape, at, symbol));
  }

  /**
   * The same elements in another shape. Sizes are checked by symbol name, so the counts must agree for every run:
   * [tokens, 256] fits [tokens, 4, 64], and [3*frames, 64] fits [frames, 192].
   */
  reshape(x: Value, shape: Shape): Value {
    this.checkOwned("reshape", "x", x);
    const wanted = shape.map(canonicalDim);
    const before = elementCount(x.shape);
    const after = elementCount(wanted);
    if (before.number !== after.number || before.symbols.join() !== after.symbols.join()) {
      throw new ShapeError(
        `reshape: operand x ${formatShape(x.shape)} cannot become ${formatShape(wanted)}: the element counts differ.`,
      );
    }
    let free = 0;
    const request = wanted.map((dim, i) => {
      if (typeof dim === "number") return dim;
      if (dim === x.shape[i]) return 0; // Reshape copies the size at the same place, also when it is zero.
      free++;
      return -1;
    });
    if (free > 1) {
      throw new ShapeError(
        `reshape: operand x ${formatShape(x.shape)} to ${formatShape(wanted)} moves more than one symbolic size; do it in two steps.`,
      );
    }
    // A literal zero would be read as "copy", and -1 cannot be worked out beside it.
    if (wanted.includes(0)) throw new ShapeError(`reshape: ${formatShape(wanted)} has an axis of size 0.`);
    return this.emit("Reshape", [x, this.constI64(request)], wanted);
  }

  /** Axes reordered: axis i of the result is axis perm[i] of x. */
  transpose(x: Value, perm: readonly number[]): Value {
    this.checkOwned("transpose", "x", x);
    const valid = perm.length === x.shape.length && [...perm].sort((a, b) => a - b).every((axis, i) => axis === i);
    if (!valid)
      throw new ShapeError(`transpose: operand x ${formatShape(x.shape)} has no axis order [${perm.join(", ")}].`);
    return this.emit(
      "Transpose",
      [x],
      perm.map((axis) => x.shape[axis]!),
      { attributes: { perm } },
    );
  }
}

function replaceDim(shape: Shape, axis: number, dim: Dim): Shape {
  return shape.map((size, i) => (i === axis ? dim : size));
}
