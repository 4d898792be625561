/**
 * Reader of .safetensors files (format of huggingface/safetensors: a little
 * endian u64 header length, a JSON header, then the tensors' bytes). Only the
 * header is read on open; tensors and rows are read when asked for, because
 * weight files can be larger than memory. Graphs refer to tensors by byte
 * offset and never pass through here.
 */
import {
  ELEMENT_BYTES,
  type OpenFile,
  realPathOf,
  TensorFile,
  type TensorInfo,
  type WeightDType,
  WeightFileError,
  withFile,
} from "./weight-file.ts";

/** A file that is missing, cut short or not in the safetensors format. `path` names the file. */
export class SafetensorsError extends WeightFileError {
  override readonly name = "SafetensorsError";
}

// The limit of the reference implementation; it keeps a damaged length field from taking all memory.
const MAX_HEADER_BYTES = 100_000_000;

/** A safetensors file whose header has been read and checked. `metadata` is the header's `__metadata__` entry. */
export class SafetensorsFile extends TensorFile {
  private constructor(path: string, tensors: ReadonlyMap<string, TensorInfo>, metadata: Record<string, string>) {
    super(path, tensors, metadata, SafetensorsError);
  }

  /**
   * Read and check the header.
   * @throws SafetensorsError when the file cannot be read, is cut short, or its header is not valid.
   */
  static open(path: string): SafetensorsFile {
    return withFile(path, SafetensorsError, (file) => {
      const { tensors, metadata } = readHeader(path, file);
      return new SafetensorsFile(realPathOf(path, SafetensorsError), tensors, metadata);
    });
  }
}

function readHeader(path: string, file: OpenFile) {
  if (file.size < 8) throw new SafetensorsError(path, `has ${file.size} bytes; not even a header length fits.`);
  const headerBytes = new DataView(file.read(0, 8).buffer).getBigUint64(0, true);
  if (headerBytes > MAX_HEADER_BYTES) {
    throw new SafetensorsError(path, `states a header of ${headerBytes} bytes; this is not a safetensors file.`);
  }
  const dataStart = 8 + Number(headerBytes);
  if (dataStart > file.size) {
    throw new SafetensorsError(path, `is cut short: a header of ${headerBytes} bytes in a file of ${file.size}.`);
  }
  const text = new TextDecoder().decode(file.read(8, Number(headerBytes)));
  return parseHeader(path, text, dataStart, file.size);
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
      // The format has texts only here; anything else could be nested without end.
      for (const [key, value] of Object.entries(entry)) if (typeof value === "string") metadata[key] = value;
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
  if (!isDType(dtype))
    return fail(`has ${typeof dtype === "string" ? `the unsupported dtype "${dtype.slice(0, 40)}"` : "no dtype"}`);
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

function isDType(value: unknown): value is WeightDType {
  return typeof value === "string" && Object.hasOwn(ELEMENT_BYTES, value);
}

function isSizeList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
