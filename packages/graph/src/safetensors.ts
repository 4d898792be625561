/**
 * Reader of .safetensors files (format of huggingface/safetensors: a little
 * endian u64 header length, a JSON header, then the tensors' bytes). Only the
 * header is read on open; tensors and rows are read when asked for, because
 * weight files can be larger than memory. Graphs refer to tensors by byte
 * offset and never pass through here.
 */
import { closeSync, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { decodeBf16, decodeF8E4m3, decodeF16 } from "./float-formats.ts";

/** Element types of the format that this reader accepts. */
export type SafetensorsDType = "F64" | "F32" | "F16" | "BF16" | "F8_E4M3" | "I64" | "I32" | "U8";

/** Where a tensor lies. `offset` is the absolute byte in the file, `length` is in bytes. */
export type TensorInfo = {
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
};

/** A file that is missing, cut short or not in the safetensors format. `path` names the file. */
export class SafetensorsError extends Error {
  override readonly name = "SafetensorsError";
  readonly path: string;
  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${path}: ${problem}`, options);
    this.path = path;
  }
}

// The limit of the reference implementation; it keeps a damaged length field from taking all memory.
const MAX_HEADER_BYTES = 100_000_000;
const MAX_READ_BYTES = 1 << 30;
const ELEMENT_BYTES: Readonly<Record<SafetensorsDType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  I64: 8,
  I32: 4,
  U8: 1,
};

/** A safetensors file whose header has been read and checked. Holds no open file. */
export class SafetensorsFile {
  /** Real path of the file: symbolic links are resolved. */
  readonly path: string;
  /** Texts of the header's `__metadata__` entry. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly #tensors: ReadonlyMap<string, TensorInfo>;

  private constructor(path: string, tensors: ReadonlyMap<string, TensorInfo>, metadata: Record<string, string>) {
    this.path = path;
    this.#tensors = tensors;
    this.metadata = metadata;
  }

  /**
   * Read and check the header.
   * @throws SafetensorsError when the file cannot be read, is cut short, or its header is not valid.
   */
  static open(path: string): SafetensorsFile {
    let realPath: string;
    try {
      realPath = realpathSync(path);
    } catch (cause) {
      throw new SafetensorsError(path, "cannot be opened; check that the file exists.", { cause });
    }
    return withFile(realPath, (fd) => {
      const fileBytes = fstatSync(fd).size;
      if (fileBytes < 8) throw new SafetensorsError(path, `has ${fileBytes} bytes; not even a header length fits.`);
      const headerBytes = new DataView(readBytes(fd, realPath, 0, 8).buffer).getBigUint64(0, true);
      if (headerBytes > MAX_HEADER_BYTES) {
        throw new SafetensorsError(path, `states a header of ${headerBytes} bytes; this is not a safetensors file.`);
      }
      const dataStart = 8 + Number(headerBytes);
      if (dataStart > fileBytes) {
        throw new SafetensorsError(path, `is cut short: a header of ${headerBytes} bytes in a file of ${fileBytes}.`);
      }
      const text = new TextDecoder().decode(readBytes(fd, realPath, 8, Number(headerBytes)));
      const { tensors, metadata } = parseHeader(path, text, dataStart, fileBytes);
      return new SafetensorsFile(realPath, tensors, metadata);
    });
  }

  /** Tensor names in the order of the header. */
  names(): string[] {
    return [...this.#tensors.keys()];
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** @throws SafetensorsError when there is no such tensor. */
  info(name: string): TensorInfo {
    const info = this.#tensors.get(name);
    if (!info) throw new SafetensorsError(this.path, `has no tensor "${name}".`);
    return info;
  }

  /** A tensor's bytes as stored, little endian, in an own buffer. */
  readRaw(name: string): Uint8Array<ArrayBuffer> {
    const { offset, length } = this.info(name);
    return withFile(this.path, (fd) => readBytes(fd, this.path, offset, length));
  }

  /**
   * A tensor's elements as f32, row major, whatever the storage type. I64 and
   * F64 lose precision beyond 24 bits; use `readRaw` for exact integers.
   */
  read(name: string): Float32Array {
    return decode(this.info(name).dtype, this.readRaw(name));
  }

  /**
   * Rows of a tensor's first axis as f32, in the given order, one after the
   * other: shape [rowIds.length, ...shape[1:]].
   * @throws RangeError when a row does not exist.
   */
  rows(name: string, rowIds: readonly number[]): Float32Array {
    const { dtype, shape, offset, length } = this.info(name);
    const rowCount = shape[0];
    if (rowCount === undefined) throw new RangeError(`"${name}" is a scalar and has no rows.`);
    const rowBytes = rowCount === 0 ? 0 : length / rowCount;
    const bytes = new Uint8Array(rowBytes * rowIds.length);
    withFile(this.path, (fd) => {
      for (const [i, row] of rowIds.entries()) {
        if (!Number.isInteger(row) || row < 0 || row >= rowCount) {
          throw new RangeError(`"${name}" has rows 0 to ${rowCount - 1}, not ${row}.`);
        }
        bytes.set(readBytes(fd, this.path, offset + row * rowBytes, rowBytes), i * rowBytes);
      }
    });
    return decode(dtype, bytes);
  }
}

function withFile<T>(path: string, use: (fd: number) => T): T {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (cause) {
    throw new SafetensorsError(path, "cannot be opened.", { cause });
  }
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function readBytes(fd: number, path: string, position: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    // One read call returns at most 2 GiB.
    const count = readSync(fd, bytes, done, Math.min(length - done, MAX_READ_BYTES), position + done);
    if (count === 0)
      throw new SafetensorsError(path, `ends at byte ${position + done}, before the data that it names.`);
    done += count;
  }
  return bytes;
}

function decode(dtype: SafetensorsDType, bytes: Uint8Array<ArrayBuffer>): Float32Array {
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
    case "U8":
      return Float32Array.from(bytes);
  }
}

function parseHeader(path: string, text: string, dataStart: number, fileBytes: number) {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw new SafetensorsError(path, "has a header that is not JSON; the file is damaged.", { cause });
  }
  if (!isRecord(header)) throw new SafetensorsError(path, "has a header that is not a JSON object.");
  const tensors = new Map<string, TensorInfo>();
  const metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name !== "__metadata__") {
      tensors.set(name, parseEntry(path, name, entry, dataStart, fileBytes));
    } else if (isRecord(entry)) {
      for (const [key, value] of Object.entries(entry)) metadata[key] = String(value);
    }
  }
  let end = dataStart;
  let previous = "the header";
  for (const [name, info] of [...tensors].sort(([, a], [, b]) => a.offset - b.offset)) {
    if (info.length === 0) continue;
    if (info.offset < end) throw new SafetensorsError(path, `tensor "${name}" overlaps ${previous}.`);
    end = info.offset + info.length;
    previous = `tensor "${name}"`;
  }
  return { tensors, metadata };
}

function parseEntry(path: string, name: string, entry: unknown, dataStart: number, fileBytes: number): TensorInfo {
  const fail = (problem: string): never => {
    throw new SafetensorsError(path, `tensor "${name}" ${problem}.`);
  };
  if (!isRecord(entry)) return fail("has no description");
  const { dtype, shape, data_offsets: range } = entry as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
  if (!isDType(dtype)) return fail(`has the unsupported dtype ${JSON.stringify(dtype)}`);
  if (!isSizeList(shape)) return fail("has a shape that is not a list of sizes");
  if (!isSizeList(range) || range.length !== 2) return fail("has data_offsets that are not two byte positions");
  const [begin, end] = range as [number, number];
  if (begin > end) return fail(`ends (${end}) before it begins (${begin})`);
  if (dataStart + end > fileBytes) {
    return fail(`ends at byte ${dataStart + end} of a file of ${fileBytes}: the file is cut short, fetch it again`);
  }
  const expected = shape.reduce((a, b) => a * b, 1) * ELEMENT_BYTES[dtype];
  if (end - begin !== expected) {
    return fail(`has ${end - begin} bytes, but ${dtype} [${shape.join(", ")}] takes ${expected}`);
  }
  return { dtype, shape, offset: dataStart + begin, length: end - begin };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDType(value: unknown): value is SafetensorsDType {
  return typeof value === "string" && Object.hasOwn(ELEMENT_BYTES, value);
}

function isSizeList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
