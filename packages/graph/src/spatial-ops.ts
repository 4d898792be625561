/**
 * Operators on pictures, laid out [frames, channels, height, width]: a video
 * is a batch of frames, so a 2-D operator treats all frames at once and time
 * is the outermost axis. Definitions: ONNX operator reference, opset 23.
 */
import { addDims, type Dim, divideDim, formatShape, resolveAxis, type Shape, ShapeError, scaleDim } from "./dims.ts";
import type { DType } from "./dtype.ts";
import type { Value } from "./graph-core.ts";
import { TO_THE_END } from "./layout-ops.ts";
import { NeuralOps } from "./neural-ops.ts";

/** Zeros around a picture: the same on all sides, or [top, left, bottom, right]. */
export type Pads = number | readonly [number, number, number, number];

export type Conv2dOptions = { stride?: number; pads?: Pads; groups?: number };

const INDEX_TYPES: readonly DType[] = ["i64", "i32"];

export class SpatialOps extends NeuralOps {
  /**
   * 2-D convolution (cross-correlation).
   * @param x [N, in, H, W]
   * @param w [out, in/groups, kh, kw]
   * @param b [out]
   * @param options.stride default 1; pads default 0; groups default 1
   * @returns [N, out, H', W'], H' = floor((H + pads - kh) / stride) + 1
   */
  conv2d(x: Value, w: Value, b?: Value, options: Conv2dOptions = {}): Value {
    const { stride = 1, groups = 1 } = options;
    this.checkType("conv2d", "x", x);
    this.checkType("conv2d", "w", w);
    const [n, channels, height, width] = x.shape;
    const [out, inner, kh, kw] = w.shape;
    const fits = typeof inner === "number" && typeof out === "number" && channels === inner * groups;
    if (x.shape.length !== 4 || w.shape.length !== 4 || !fits || out % groups !== 0) {
      throw new ShapeError(
        `conv2d: operand w ${formatShape(w.shape)} does not fit x ${formatShape(x.shape)} with ${groups} groups: ` +
          "x must be [N, in, H, W] and w [out, in / groups, kh, kw].",
      );
    }
    this.#checkBias("conv2d", w, b);
    const [top, left, bottom, right] = padList(options.pads);
    const size = (dim: Dim, kernel: Dim, pad: number) => {
      const steps = strideSteps(addDims(addDims(dim, pad), kernel, -1), stride);
      if (steps !== undefined) return steps;
      throw new ShapeError(
        `conv2d: operand w ${formatShape(w.shape)} with stride ${stride} and pads [${top}, ${left}, ${bottom}, ${right}] ` +
          `does not fit x ${formatShape(x.shape)}.`,
      );
    };
    const shape = [n!, out, size(height!, kh!, top + bottom), size(width!, kw!, left + right)];
    return this.emit("Conv", b ? [x, w, b] : [x, w], shape, {
      attributes: {
        kernel_shape: [Number(kh), Number(kw)],
        strides: [stride, stride],
        pads: [top, left, bottom, right],
        group: groups,
      },
    });
  }

  /**
   * 3-D convolution over frames without padding in time: a causal caller puts its kept frames in front. Written as
   * one 2-D convolution for each step of the kernel in time, which the CPU provider runs about 1.5 times as fast as
   * a 3-D one.
   * @param x [T, in, H, W]
   * @param w [out, in, kt, kh, kw]
   * @param b [out]
   * @param options.stride in space, default 1; timeStride default 1; pads in space, default 0
   * @returns [T', out, H', W'], T' = floor((T - kt) / timeStride) + 1
   */
  conv3d(x: Value, w: Value, b?: Value, options: { stride?: number; timeStride?: number; pads?: Pads } = {}): Value {
    const { timeStride = 1 } = options;
    this.checkType("conv3d", "x", x);
    this.checkType("conv3d", "w", w);
    const [out, inner, kt, kh, kw] = w.shape;
    const steps = typeof kt === "number" ? strideSteps(addDims(x.shape[0] ?? 0, -kt), timeStride) : undefined;
    if (x.shape.length !== 4 || w.shape.length !== 5 || x.shape[1] !== inner || steps === undefined) {
      throw new ShapeError(
        `conv3d: operand w ${formatShape(w.shape)} does not fit x ${formatShape(x.shape)} with time stride ${timeStride}: ` +
          "x must be [T, in, H, W] and w [out, in, kt, kh, kw].",
      );
    }
    const planes = Number(kt);
    let sum: Value | undefined;
    for (let t = 0; t < planes; t++) {
      const plane = this.reshape(this.slice(w, 2, t, t + 1), [out!, inner!, kh!, kw!]);
      const frames = this.#everyFrame(x, t, planes - 1 - t, timeStride, steps);
      const part = this.conv2d(frames, plane, t === 0 ? b : undefined, {
        stride: options.stride ?? 1,
        pads: options.pads ?? 0,
      });
      sum = sum ? this.add(sum, part) : part;
    }
    return sum!;
  }

  /**
   * Channels to pixels: [N, C*block², H, W] -> [N, C, H*block, W*block].
   * @param order Of the channels: "crd" = (c, y, x) as PyTorch's pixel shuffle, "dcr" = (y, x, c).
   */
  depthToSpace(x: Value, block: number, order: "crd" | "dcr"): Value {
    this.checkType("depthToSpace", "x", x);
    const [n, channels, height, width] = x.shape;
    if (x.shape.length !== 4 || typeof channels !== "number" || channels % (block * block) !== 0) {
      throw new ShapeError(
        `depthToSpace: operand x ${formatShape(x.shape)} must be [N, C * ${block * block}, H, W] for block ${block}.`,
      );
    }
    const shape = [n!, channels / block ** 2, scaleDim(height!, block), scaleDim(width!, block)];
    return this.emit("DepthToSpace", [x], shape, { attributes: { blocksize: block, mode: order.toUpperCase() } });
  }

  /** Every pixel becomes 2x2: [N, C, H, W] -> [N, C, 2H, 2W]. */
  resizeNearest2x(x: Value): Value {
    this.checkType("resizeNearest2x", "x", x);
    const [n, channels, height, width] = x.shape;
    if (x.shape.length !== 4) {
      throw new ShapeError(`resizeNearest2x: operand x ${formatShape(x.shape)} must be [N, C, H, W].`);
    }
    return this.emit(
      "Resize",
      [x, null, this.constant([1, 1, 2, 2], [4])],
      [n!, channels!, scaleDim(height!, 2), scaleDim(width!, 2)],
      { attributes: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" } },
    );
  }

  /** x / max(||x||, 1e-12) along one axis, the norm being Euclidean. */
  l2Normalize(x: Value, axis: number): Value {
    this.checkType("l2Normalize", "x", x);
    const at = resolveAxis("l2Normalize", x.shape, axis);
    const shape = x.shape.map((dim, i) => (i === at ? 1 : dim));
    const norm = this.emit("ReduceL2", [x, this.constI64([at])], shape, { attributes: { keepdims: 1 } });
    return this.div(x, this.emit("Max", [norm, this.constant([1e-12], [])], shape));
  }

  /**
   * Entries of an axis in the order of `indices` (i64 or i32, any shape): the axis is replaced by the indices' shape,
   * so rows of an embedding [V, D] by ids [tokens] give [tokens, D].
   */
  gather(x: Value, indices: Value, axis = 0): Value {
    this.checkOwned("gather", "x", x);
    this.checkType("gather", "indices", indices, INDEX_TYPES);
    const at = resolveAxis("gather", x.shape, axis);
    const shape = [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)];
    return this.emit("Gather", [x, indices], shape, { attributes: { axis: at } });
  }

  /** Axes of size 1 repeated to a larger size. Symbolic sizes must be there already. */
  expand(x: Value, shape: Shape): Value {
    this.checkOwned("expand", "x", x);
    const fits = (dim: Dim, i: number) => dim === x.shape[i] || (x.shape[i] === 1 && typeof dim === "number");
    if (shape.length !== x.shape.length || !shape.every(fits)) {
      throw new ShapeError(`expand: operand x ${formatShape(x.shape)} cannot be expanded to ${formatShape(shape)}.`);
    }
    // A request of 1 keeps the size that the axis has.
    const request = shape.map((dim, i) => (dim === x.shape[i] ? 1 : Number(dim)));
    return this.emit("Expand", [x, this.constI64(request)], shape);
  }

  /** A constant around x. @param pads [before, after] for each axis. @param value default 0 */
  pad(x: Value, pads: readonly (readonly [number, number])[], value = 0): Value {
    this.checkType("pad", "x", x);
    if (pads.length !== x.shape.length || pads.flat().some((count) => !Number.isInteger(count) || count < 0)) {
      throw new ShapeError(
        `pad: operand x ${formatShape(x.shape)} takes ${x.shape.length} pairs of counts, not ${JSON.stringify(pads)}.`,
      );
    }
    const shape = x.shape.map((dim, i) => addDims(dim, pads[i]![0] + pads[i]![1]));
    const counts = [...pads.map(([before]) => before), ...pads.map(([, after]) => after)];
    return this.emit("Pad", [x, this.constI64(counts), this.constant([value], [])], shape);
  }

  /** Frames first, first + stride, ... of which `count` remain before the last `left` frames. */
  #everyFrame(x: Value, first: number, left: number, stride: number, count: Dim): Value {
    if (first === 0 && left === 0 && stride === 1) return x;
    const range = [first, left === 0 ? TO_THE_END : -left, 0, stride].map((number) => this.constI64([number]));
    return this.emit("Slice", [x, ...range], [count, ...x.shape.slice(1)]);
  }

  #checkBias(op: string, w: Value, b: Value | undefined): void {
    if (!b) return;
    this.checkType(op, "b", b);
    this.checkShape(op, "b", b, w.shape.slice(0, 1), `w ${formatShape(w.shape)}`);
  }
}

function padList(pads: Pads | undefined): readonly [number, number, number, number] {
  return typeof pads === "object" ? pads : [pads ?? 0, pads ?? 0, pads ?? 0, pads ?? 0];
}

/** floor(space / stride) + 1, or undefined when it is negative or depends on how a symbol divides. */
function strideSteps(space: Dim, stride: number): Dim | undefined {
  if (typeof space === "number") return space < 0 ? undefined : Math.floor(space / stride) + 1;
  const steps = divideDim(space, stride);
  return steps === undefined ? undefined : addDims(steps, 1);
}
