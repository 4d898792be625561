/**
 * The part of the graph builder without operators: values, inputs, outputs,
 * weights, constants, and writing the result. Operators are added by the
 * classes that extend this one (elementwise, layout, neural, spatial); `Graph`
 * is the last of the chain.
 */
import { dirname, relative, sep } from "node:path";
import { canonicalDim, type Dim, formatShape, type Shape, ShapeError, sameShape } from "./dims.ts";
import { ARRAY_TYPE, type DType, isRuntimeDType } from "./dtype.ts";
import type { Device, Model, Port } from "./model.ts";
import { type Attribute, type OnnxNode, type OnnxTensor, writeOnnx } from "./onnx-writer.ts";
import type { WeightDType, WeightFile } from "./weight-file.ts";

/** A tensor inside a graph. Made by the graph's methods only; belongs to that graph. */
export type Value = { readonly name: string; readonly shape: Shape; readonly dtype: DType };

export type GraphOptions = {
  /** Device that the graph will run on; decides the default of `attention`. Default "cpu". */
  device?: Device;
  /**
   * "fused" writes attention as one MultiHeadAttention operator (flash attention on CPU), "plain" as matmul, softmax,
   * matmul. Default: fused on cpu; plain on webgpu, where the fused kernel is wrong on some drivers.
   */
  attention?: "fused" | "plain";
};

const STORED_AS: Readonly<Partial<Record<WeightDType, DType>>> = {
  F32: "f32",
  F16: "f16",
  BF16: "bf16",
  I64: "i64",
  I32: "i32",
  I8: "i8",
  U8: "u8",
  F8_E4M3: "f8e4m3",
};

type EmitOptions = { dtype?: DType; attributes?: Record<string, Attribute>; contributed?: boolean };

type StoredWeight = { file: WeightFile; tensorName: string };

export class GraphCore {
  readonly name: string;
  readonly device: Device;
  readonly attentionKind: "fused" | "plain";
  readonly #values = new Map<string, Value>();
  readonly #producers = new Map<string, OnnxNode>();
  readonly #constants = new Map<string, OnnxTensor | (Omit<OnnxTensor, "data"> & { data: StoredWeight })>();
  readonly #inputs: Port[] = [];
  readonly #outputs = new Map<string, Value>();
  readonly #weights = new Map<string, Value>();
  #count = 0;

  /** @param name Shown in error messages of sessions. */
  constructor(name: string, options: GraphOptions = {}) {
    this.name = name;
    this.device = options.device ?? "cpu";
    this.attentionKind = options.attention ?? (this.device === "cpu" ? "fused" : "plain");
  }

  /** A tensor given to each run. Symbols of `shape` are fixed by the tensors of the run. Default dtype f32. */
  input(name: string, shape: Shape, dtype: DType = "f32"): Value {
    if (!isRuntimeDType(dtype)) throw new TypeError(`input "${name}": a session takes no ${dtype}; use f32.`);
    if (this.#values.has(name)) throw new TypeError(`input "${name}": the name is taken.`);
    const value = this.#register(name, shape, dtype);
    this.#inputs.push({ name, dtype, shape: value.shape });
    return value;
  }

  /** Name a value as a result of each run. */
  output(name: string, value: Value): void {
    this.checkOwned("output", "value", value);
    if (!isRuntimeDType(value.dtype)) throw new TypeError(`output "${name}": a session returns no ${value.dtype}.`);
    if (this.#outputs.has(name)) throw new TypeError(`output "${name}": the name is taken.`);
    this.#outputs.set(name, value);
  }

  /**
   * A tensor of a weight file, left in the file until a session is created. Float weights come out as f32 whatever
   * their storage type (the cast is done once, at load); i16 and bool too. The same tensor asked for twice is one
   * value. A tensor whose elements are not in row-major order in the file is brought into order and written into the
   * graph.
   * @param options.reshape Another shape with equally many elements.
   * @throws WeightFileError when the tensor is missing; ShapeError when `reshape` does not fit.
   */
  weight(file: WeightFile, tensorName: string, options: { reshape?: readonly number[] } = {}): Value {
    const info = file.info(tensorName);
    const shape = options.reshape ?? info.shape;
    if (product(shape) !== product(info.shape)) {
      throw new ShapeError(
        `weight: operand "${tensorName}" ${formatShape(info.shape)} cannot be read as ${formatShape(shape)}.`,
      );
    }
    // The place, not the name: files opened with different prefixes or entries name the same bytes differently.
    const key = JSON.stringify([file.path, info.dtype, info.offset, info.length, info.strides, shape]);
    const known = this.#weights.get(key);
    if (known) return known;
    const dtype = STORED_AS[info.dtype];
    // The engine reads no empty range of a file: it takes the whole file for it.
    const inPlace = !info.strides && info.length > 0;
    const value =
      dtype && inPlace ? this.#stored(file, tensorName, dtype, shape) : this.#copied(file, tensorName, shape);
    this.#weights.set(key, value);
    return value;
  }

  /** f32 numbers written into the graph. */
  constant(data: Float32Array | readonly number[], shape: readonly number[]): Value {
    return this.#inline("f32", Float32Array.from(data), shape);
  }

  /** Whole numbers written into the graph as i64; shape [values.length] unless given. */
  constI64(values: readonly number[], shape: readonly number[] = [values.length]): Value {
    return this.#inline("i64", BigInt64Array.from(values, BigInt), shape);
  }

  /** Write the graph: only what the outputs need is kept. */
  build(): Model {
    if (this.#outputs.size === 0) throw new TypeError(`graph "${this.name}" has no output.`);
    const { nodes, names } = this.#reachable();
    const nodesOut = [...nodes];
    const rename = new Map<string, string>();
    for (const [outputName, value] of this.#outputs) {
      // A node can write straight to the output's name; inputs, weights and values named twice need a copy.
      if (this.#producers.has(value.name) && !rename.has(value.name)) rename.set(value.name, outputName);
    }
    const renamed = (name: string) => rename.get(name) ?? name;
    for (const [outputName, value] of this.#outputs) {
      if (renamed(value.name) === outputName) continue;
      nodesOut.push({
        opType: "Identity",
        inputs: [value.name],
        outputs: [outputName],
        attributes: {},
        contributed: false,
      });
    }
    const constants = [...this.#constants.values()].filter((constant) => names.has(constant.name));
    const files = new Set<string>();
    for (const { data } of constants) if ("file" in data) files.add(data.file.path);
    const weightsFolder = commonFolder([...files]);
    const locationOf = (path: string) =>
      relative(weightsFolder ?? "", path)
        .split(sep)
        .join("/");
    const outputs = [...this.#outputs].map(([name, value]) => ({ name, dtype: value.dtype, shape: value.shape }));
    const bytes = writeOnnx({
      name: this.name,
      nodes: nodesOut.map((node) => ({
        ...node,
        inputs: node.inputs.map(renamed),
        outputs: node.outputs.map(renamed),
      })),
      initializers: constants.map(({ name, dtype, dims, data }) => {
        if (!("file" in data)) return { name, dtype, dims, data };
        const { offset, length } = data.file.info(data.tensorName);
        return { name, dtype, dims, data: { location: locationOf(data.file.path), offset, length } };
      }),
      inputs: this.#inputs,
      outputs,
    });
    return {
      name: this.name,
      device: this.device,
      bytes,
      inputs: [...this.#inputs],
      outputs: outputs as Port[],
      weightsFolder,
      weightFiles: [...files].map(locationOf),
      usesInt8: nodes.some(({ opType }) => opType === "DynamicQuantizeMatMul" || opType === "MatMulIntegerToFloat"),
    };
  }

  /** Add one operator with one result. */
  protected emit(opType: string, inputs: readonly (Value | null)[], shape: Shape, options: EmitOptions = {}): Value {
    const dtype = options.dtype ?? inputs[0]?.dtype ?? "f32";
    const value = this.#register(`${opType}:${this.#count++}`, shape, dtype);
    this.#producers.set(value.name, {
      opType,
      inputs: inputs.map((input) => input?.name ?? ""),
      outputs: [value.name],
      attributes: options.attributes ?? {},
      contributed: options.contributed ?? false,
    });
    return value;
  }

  /** @throws TypeError unless the value was made by this graph and has one of the dtypes (default f32). */
  protected checkType(op: string, operand: string, value: Value, dtypes: readonly DType[] = ["f32"]): void {
    this.checkOwned(op, operand, value);
    if (!dtypes.includes(value.dtype)) {
      throw new TypeError(
        `${op}: operand ${operand} ${formatShape(value.shape)} is ${value.dtype}, not ${dtypes.join(" or ")}.`,
      );
    }
  }

  /** @throws TypeError unless the value was made by this graph. */
  protected checkOwned(op: string, operand: string, value: Value): void {
    if (this.#values.get(value.name) !== value) {
      throw new TypeError(`${op}: operand ${operand} ("${value.name}") belongs to another graph than "${this.name}".`);
    }
  }

  /** @throws ShapeError naming op, operand and both shapes unless the value has the shape. `of` says what asks for it. */
  protected checkShape(op: string, operand: string, value: Value, wanted: Shape, of: string): void {
    if (sameShape(value.shape, wanted)) return;
    throw new ShapeError(
      `${op}: operand ${operand} ${formatShape(value.shape)} must be ${formatShape(wanted)} to fit ${of}.`,
    );
  }

  /** Data of a constant written into the graph as f32, or undefined for any other value. */
  protected weightData(value: Value): Float32Array | undefined {
    const producer = this.#producers.get(value.name);
    const constant = this.#constants.get(producer?.opType === "Cast" ? producer.inputs[0]! : value.name);
    if (!constant || value.dtype !== "f32") return undefined;
    if (constant.data instanceof Uint8Array) {
      return new Float32Array(constant.data.buffer, constant.data.byteOffset, constant.data.byteLength / 4);
    }
    return "file" in constant.data ? constant.data.file.read(constant.data.tensorName) : undefined;
  }

  /** A constant of any type written into the graph. */
  protected inlineConstant(dtype: keyof typeof ARRAY_TYPE, data: ArrayBufferView, shape: readonly number[]): Value {
    return this.#inline(dtype, data, shape);
  }

  #inline(dtype: DType, data: ArrayBufferView & { readonly length?: number }, shape: readonly number[]): Value {
    if (data.length !== product(shape)) {
      throw new ShapeError(`constant: ${data.length} numbers do not fill the shape ${formatShape(shape)}.`);
    }
    const value = this.#register(`constant:${this.#count++}`, shape, dtype);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#constants.set(value.name, { name: value.name, dtype, dims: shape, data: bytes });
    return value;
  }

  /** A weight that the engine cannot take from the file: out of order, empty, or of a rare type. */
  #copied(file: WeightFile, tensorName: string, shape: readonly number[]): Value {
    const dtype = STORED_AS[file.info(tensorName).dtype];
    const isInteger = dtype === "i64" || dtype === "i32" || dtype === "i8" || dtype === "u8";
    if (!isInteger) return this.constant(file.read(tensorName), shape);
    return this.#inline(dtype, new ARRAY_TYPE[dtype](file.readRaw(tensorName).buffer), shape);
  }

  #stored(file: WeightFile, tensorName: string, dtype: DType, shape: readonly number[]): Value {
    const value = this.#register(`${tensorName}:${this.#count++}`, shape, dtype);
    this.#constants.set(value.name, { name: value.name, dtype, dims: shape, data: { file, tensorName } });
    if (dtype !== "bf16" && dtype !== "f16" && dtype !== "f8e4m3") return value;
    return this.emit("Cast", [value], shape, { dtype: "f32", attributes: { to: 1 } });
  }

  #register(name: string, shape: Shape, dtype: DType): Value {
    const canonical: Dim[] = shape.map(canonicalDim);
    const negative = canonical.find((dim) => typeof dim === "number" && dim < 0);
    if (negative !== undefined) throw new ShapeError(`"${name}": ${formatShape(shape)} has a negative size.`);
    const value: Value = Object.freeze({ name, shape: Object.freeze(canonical), dtype });
    this.#values.set(name, value);
    return value;
  }

  #reachable() {
    const names = new Set<string>();
    const pending = [...this.#outputs.values()].map((value) => value.name);
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (names.has(name)) continue;
      names.add(name);
      pending.push(...(this.#producers.get(name)?.inputs ?? []));
    }
    // Insertion order is a topological order: an operator's operands exist before it.
    const nodes = [...this.#producers].filter(([name]) => names.has(name)).map(([, node]) => node);
    return { nodes, names };
  }
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function commonFolder(paths: readonly string[]): string | null {
  const first = paths[0];
  if (first === undefined) return null;
  let folder = dirname(first);
  while (!paths.every((path) => path.startsWith(folder.endsWith(sep) ? folder : folder + sep)))
    folder = dirname(folder);
  return folder;
}
