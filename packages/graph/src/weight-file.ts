/**
 * What graphs and models need of a weight file, whatever its format: names,
 * where each tensor's bytes lie, and reading some of them. A reader of a
 * format finds the tensors and extends `TensorFile`, which reads them. Only
 * the description is held; tensors are read when asked for, because weight
 * files can be larger than memory.
 */
import { closeSync, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { decodeBf16, decodeF8E4m3, decodeF16 } from "./float-formats.ts";

/** Element types of weight files, by their safetensors names. */
export type WeightDType = "F64" | "F32" | "F16" | "BF16" | "F8_E4M3" | "I64" | "I32" | "I16" | "I8" | "U8" | "BOOL";

/** Where a tensor lies. */
export type TensorInfo = {
  readonly dtype: WeightDType;
  readonly shape: readonly number[];
  /** Absolute byte of the first element in the file. */
  readonly offset: number;
  /** Bytes of all elements, one after the other. */
  readonly length: number;
  /**
   * Only on tensors that are not in row-major order without gaps: elements from one index to the next, for each axis.
   * Such a tensor cannot be used in place; `read` brings it into order.
   */
  readonly strides?: readonly number[];
};

/** An opened weight file of any format. */
export type WeightFile = {
  /** Real path of the file: symbolic links are resolved. */
  readonly path: string;
  /** Texts and numbers that the file holds beside its tensors, as text. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Tensor names in the order of the file. */
  names(): string[];
  has(name: string): boolean;
  /** @throws WeightFileError when there is no such tensor. */
  info(name: string): TensorInfo;
  /** A tensor's elements as stored, little endian, row major, in an own buffer. */
  readRaw(name: string): Uint8Array<ArrayBuffer>;
  /**
   * A tensor's elements as f32, row major, whatever the storage type. I64, I32 and F64 lose precision beyond 24 bits;
   * use `readRaw` for exact integers.
   */
  read(name: string): Float32Array;
  /**
   * Rows of a tensor's first axis as f32, in the given order, one after the other: shape [rowIds.length, ...shape[1:]].
   * @throws RangeError when a row does not exist.
   */
  rows(name: string, rowIds: readonly number[]): Float32Array;
};

/** A weight file that is missing, cut short, damaged or refused. `path` names the file. */
export class WeightFileError extends Error {
  override readonly name: string = "WeightFileError";
  readonly path: string;
  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${path}: ${problem}`, options);
    this.path = path;
  }
}

/** Constructor of a format's own error. */
export type WeightFileErrorType = new (path: string, problem: string, options?: ErrorOptions) => WeightFileError;

/** A file that is open while its description is read. */
export type OpenFile = {
  /** Bytes. */
  readonly size: number;
  /** Bytes from `offset` on in an own buffer. @throws WeightFileError when the file ends before. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
};

export const ELEMENT_BYTES: Readonly<Record<WeightDType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

// One read call returns at most 2 GiB.
const MAX_READ_BYTES = 1 << 30;

/** Tensors at known places of a file. Holds no open file. */
export class TensorFile implements WeightFile {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #tensors: ReadonlyMap<string, TensorInfo>;
  readonly #errorType: WeightFileErrorType;

  constructor(
    path: string,
    tensors: ReadonlyMap<string, TensorInfo>,
    metadata: Readonly<Record<string, string>>,
    errorType: WeightFileErrorType = WeightFileError,
  ) {
    this.path = path;
    this.metadata = metadata;
    this.#tensors = tensors;
    this.#errorType = errorType;
  }

  names(): string[] {
    return [...this.#tensors.keys()];
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  info(name: string): TensorInfo {
    const info = this.#tensors.get(name);
    if (!info) throw new this.#errorType(this.path, `has no tensor "${name}".`);
    return info;
  }

  /** The same file with other names; tensors for which `rename` returns undefined are left out. */
  renamed(rename: (name: string) => string | undefined): TensorFile {
    const tensors = new Map<string, TensorInfo>();
    for (const [name, info] of this.#tensors) {
      const newName = rename(name);
      if (newName === undefined) continue;
      if (tensors.has(newName)) throw new this.#errorType(this.path, `has two tensors for the name "${newName}".`);
      tensors.set(newName, info);
    }
    return new TensorFile(this.path, tensors, this.metadata, this.#errorType);
  }

  readRaw(name: string): Uint8Array<ArrayBuffer> {
    const info = this.info(name);
    return withFile(this.path, this.#errorType, (file) => readTensor(file, info));
  }

  read(name: string): Float32Array {
    return decode(this.info(name).dtype, this.readRaw(name));
  }

  rows(name: string, rowIds: readonly number[]): Float32Array {
    const { dtype, shape, offset, length, strides } = this.info(name);
    const rowCount = shape[0];
    if (rowCount === undefined) throw new RangeError(`"${name}" is a scalar and has no rows.`);
    const rowBytes = rowCount === 0 ? 0 : length / rowCount;
    const stepBytes = strides ? strides[0]! * ELEMENT_BYTES[dtype] : rowBytes;
    const bytes = new Uint8Array(rowBytes * rowIds.length);
    withFile(this.path, this.#errorType, (file) => {
      for (const [i, row] of rowIds.entries()) {
        if (!Number.isInteger(row) || row < 0 || row >= rowCount) {
          throw new RangeError(`"${name}" has rows 0 to ${rowCount - 1}, not ${row}.`);
        }
        const info = { dtype, shape: shape.slice(1), offset: offset + row * stepBytes, length: rowBytes };
        bytes.set(readTensor(file, strides ? { ...info, strides: strides.slice(1) } : info), i * rowBytes);
      }
    });
    return decode(dtype, bytes);
  }
}

/**
 * The path with symbolic links resolved: the engine refuses weights behind links that leave the folder.
 * @throws WeightFileError of the given type when there is no such file.
 */
export function realPathOf(path: string, ErrorType: WeightFileErrorType): string {
  try {
    return realpathSync.native(path);
  } catch (cause) {
    throw new ErrorType(path, "cannot be opened; check that the file exists.", { cause });
  }
}

/**
 * Open a file, use it, close it.
 * @throws WeightFileError of the given type when the file cannot be opened or read, or is no regular file.
 */
export function withFile<T>(path: string, ErrorType: WeightFileErrorType, use: (file: OpenFile) => T): T {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (cause) {
    throw new ErrorType(path, "cannot be opened; check that the file exists and may be read.", { cause });
  }
  try {
    const status = fstatSync(fd);
    if (!status.isFile()) throw new ErrorType(path, "is not a file.");
    const read = (offset: number, length: number) => readBytes(fd, path, ErrorType, offset, length);
    return use({ size: status.size, read });
  } finally {
    closeSync(fd);
  }
}

function readBytes(fd: number, path: string, ErrorType: WeightFileErrorType, position: number, length: number) {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    let count: number;
    try {
      count = readSync(fd, bytes, done, Math.min(length - done, MAX_READ_BYTES), position + done);
    } catch (cause) {
      throw new ErrorType(path, `cannot be read at byte ${position + done}.`, { cause });
    }
    if (count === 0) throw new ErrorType(path, `ends at byte ${position + done}, before the data that it names.`);
    done += count;
  }
  return bytes;
}

/** A tensor's elements in row-major order. */
function readTensor(file: OpenFile, info: TensorInfo): Uint8Array<ArrayBuffer> {
  const { dtype, shape, offset, length, strides } = info;
  if (!strides || length === 0) return file.read(offset, length);
  const elementBytes = ELEMENT_BYTES[dtype];
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, 0);
  const stored = file.read(offset, (last + 1) * elementBytes);
  const ordered = new Uint8Array(length);
  const copy = elementCopier(stored, ordered, elementBytes);
  const count = length / elementBytes;
  const index = shape.map(() => 0);
  let source = 0;
  for (let target = 0; target < count; target++) {
    copy(target, source);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]! += 1;
      source += strides[axis]!;
      if (index[axis]! < shape[axis]!) break;
      source -= index[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return ordered;
}

/** A function that copies one element, by the element's place in each buffer. */
function elementCopier(from: Uint8Array<ArrayBuffer>, to: Uint8Array<ArrayBuffer>, elementBytes: number) {
  const copier =
    <T extends number | bigint>(source: { [i: number]: T }, target: { [i: number]: T }) =>
    (at: number, taken: number): void => {
      target[at] = source[taken]!;
    };
  if (elementBytes === 8) return copier(new BigUint64Array(from.buffer), new BigUint64Array(to.buffer));
  if (elementBytes === 4) return copier(new Uint32Array(from.buffer), new Uint32Array(to.buffer));
  if (elementBytes === 2) return copier(new Uint16Array(from.buffer), new Uint16Array(to.buffer));
  return copier(from, to);
}

function decode(dtype: WeightDType, bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const { buffer } = bytes;
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer);
    case "F64":
      return Float32Array.from(new Float64Array(buffer));
    case "F16":
      return decodeF16(new Uint16Array(buffer));
    case "BF16":
      return decodeBf16(new Uint16Array(buffer));
    case "F8_E4M3":
      return decodeF8E4m3(bytes);
    case "I64":
      return Float32Array.from(new BigInt64Array(buffer), Number);
    case "I32":
      return Float32Array.from(new Int32Array(buffer));
    case "I16":
      return Float32Array.from(new Int16Array(buffer));
    case "I8":
      return Float32Array.from(new Int8Array(buffer));
    case "U8":
    case "BOOL":
      return Float32Array.from(bytes);
  }
}
