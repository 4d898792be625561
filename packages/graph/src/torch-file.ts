/**
 * Reader of PyTorch checkpoints (`.pt`, `.pth`: the zip format of torch.save
 * since PyTorch 1.6). The pickle in it is interpreted, never executed, and
 * only dicts of tensors and plain values are accepted. Storages are entries
 * that are stored without compression, so a tensor is a byte range of the
 * file, as in a safetensors file, and stays on disk.
 */
import { PickleDict, PickleError, PickleList, PickleTuple, type PickleValue } from "./pickle.ts";
import { readTorchPickle, TorchTensor } from "./torch-pickle.ts";
import {
  ELEMENT_BYTES,
  type OpenFile,
  realPathOf,
  TensorFile,
  type TensorInfo,
  WeightFileError,
  withFile,
} from "./weight-file.ts";
import { type StoredRange, ZipDirectory, ZipError } from "./zip-directory.ts";

export type TorchFileOptions = {
  /** Take only this entry of the outer dict, e.g. "generator"; tensors then have their names within it. Default: all. */
  entry?: string;
  /** With `entry`: take the whole file when it has no such entry. Default false. */
  optionalEntry?: boolean;
};

/** A checkpoint that is missing, damaged or refused. */
export class TorchFileError extends WeightFileError {
  override readonly name = "TorchFileError";
}

const MAX_PICKLE_BYTES = 64 << 20;
const MAX_DEPTH = 16;
const MAX_VALUES = 500_000;
const MAX_NAME_LENGTH = 512;
// A view may repeat elements (a stride of 0), so its size is not bounded by the file's.
const MAX_REPEATED_ELEMENTS = 1 << 20;

/**
 * A checkpoint whose description has been read and checked. Tensors in nested dicts and lists are named by the path to
 * them, with dots between; numbers, texts and flags beside them are in `metadata` under such names.
 */
export class TorchFile extends TensorFile {
  private constructor(path: string, tensors: ReadonlyMap<string, TensorInfo>, metadata: Record<string, string>) {
    super(path, tensors, metadata, TorchFileError);
  }

  /**
   * Read the archive's directory and its pickle.
   * @throws TorchFileError when the file cannot be read, is damaged, of another format, or contains anything that a
   * dict of tensors does not need.
   */
  static open(path: string, options: TorchFileOptions = {}): TorchFile {
    return withFile(path, TorchFileError, (file) => {
      try {
        const { tensors, metadata } = readCheckpoint(path, file, options);
        return new TorchFile(realPathOf(path, TorchFileError), tensors, metadata);
      } catch (cause) {
        if (!(cause instanceof ZipError || cause instanceof PickleError)) throw cause;
        throw new TorchFileError(path, `cannot be used as a PyTorch checkpoint: ${cause.message}.`, { cause });
      }
    });
  }
}

function readCheckpoint(path: string, file: OpenFile, options: TorchFileOptions) {
  checkMagic(path, file);
  const zip = ZipDirectory.read(file);
  const folder = folderOf(path, zip);
  const byteOrder = smallText(file, zip, `${folder}byteorder`) ?? "little";
  if (byteOrder !== "little") {
    throw new TorchFileError(path, `has ${JSON.stringify(byteOrder)} byte order; save it on a little-endian machine.`);
  }
  const pickle = zip.locate(`${folder}data.pkl`);
  if (pickle.length > MAX_PICKLE_BYTES) throw new TorchFileError(path, `has a pickle of ${pickle.length} bytes.`);
  const root = readTorchPickle(file.read(pickle.offset, pickle.length));
  const places = new Map<string, StoredRange>();
  return flatten(path, pickEntry(path, root, options), (tensor) => {
    const { key } = tensor.storage;
    const place = places.get(key) ?? zip.locate(`${folder}data/${key}`);
    places.set(key, place);
    return tensorInfo(tensor, place);
  });
}

function checkMagic(path: string, file: OpenFile): void {
  const [first, second, third, fourth] = file.size < 4 ? [] : file.read(0, 4);
  if (first === 0x50 && second === 0x4b && third === 0x03 && fourth === 0x04) return;
  const legacy = first === 0x80 && second !== undefined && second >= 2 && second <= 5;
  throw new TorchFileError(
    path,
    legacy
      ? "is in PyTorch's format from before version 1.6, or a bare pickle; load it in a current PyTorch and save it " +
          "again, or convert it to safetensors."
      : "is not a PyTorch checkpoint: it is no zip archive.",
  );
}

/** The one folder that all records are in, with its slash. */
function folderOf(path: string, zip: ZipDirectory): string {
  const pickles = zip.names().filter((name) => name.endsWith("/data.pkl"));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    throw new TorchFileError(
      path,
      `is a zip archive with ${pickles.length} entries data.pkl: not a PyTorch checkpoint.`,
    );
  }
  const folder = pickle.slice(0, -"data.pkl".length);
  if (zip.has(`${folder}constants.pkl`)) {
    throw new TorchFileError(path, "is a TorchScript program; save its state_dict() instead.");
  }
  return folder;
}

/** Text of a record of a few bytes, or undefined where the archive has none. */
function smallText(file: OpenFile, zip: ZipDirectory, name: string): string | undefined {
  if (!zip.has(name)) return undefined;
  const { offset, length } = zip.locate(name);
  return new TextDecoder().decode(file.read(offset, Math.min(length, 16))).trim();
}

function pickEntry(path: string, root: PickleValue, { entry, optionalEntry }: TorchFileOptions): PickleDict {
  if (!(root instanceof PickleDict)) throw new TorchFileError(path, "holds no dict of tensors at its top.");
  if (entry === undefined) return root;
  const picked = root.entries.get(entry);
  if (picked instanceof PickleDict) return picked;
  if (picked === undefined && optionalEntry) return root;
  const dicts = [...root.entries].flatMap(([key, value]) =>
    value instanceof PickleDict ? [`"${String(key).slice(0, 80)}"`] : [],
  );
  const known = dicts.length > 0 ? `there are ${dicts.slice(0, 20).join(", ")}` : "it has none";
  throw new TorchFileError(path, `has no dict "${entry}"; ${known}.`);
}

/** All tensors and plain values below a dict, by path. */
function flatten(path: string, root: PickleDict, describe: (tensor: TorchTensor) => TensorInfo) {
  const tensors = new Map<string, TensorInfo>();
  const metadata = new Map<string, string>();
  let count = 0;
  const visit = (name: string, value: PickleValue, depth: number): void => {
    // Values may refer to themselves or to one another many times, so neither depth nor number is bounded by the file.
    if (++count > MAX_VALUES) throw new TorchFileError(path, `holds more than ${MAX_VALUES} values; pick an entry.`);
    if (depth > MAX_DEPTH)
      throw new TorchFileError(path, `is nested deeper than ${MAX_DEPTH} at "${name.slice(0, 80)}".`);
    if (name.length > MAX_NAME_LENGTH) throw new TorchFileError(path, `has a name of ${name.length} characters.`);
    if (value instanceof TorchTensor) {
      if (tensors.has(name)) throw new TorchFileError(path, `has two tensors of the name "${name}".`);
      try {
        tensors.set(name, describe(value));
      } catch (cause) {
        if (!(cause instanceof ZipError)) throw cause;
        throw new TorchFileError(path, `tensor "${name}": ${cause.message}.`, { cause });
      }
    } else if (value instanceof PickleDict) {
      for (const [key, item] of value.entries) visit(joined(name, key), item, depth + 1);
    } else if (value instanceof PickleList || value instanceof PickleTuple) {
      for (const [i, item] of value.items.entries()) visit(joined(name, i), item, depth + 1);
    } else if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      metadata.set(name, String(value));
    }
  };
  for (const [key, value] of root.entries) visit(String(key), value, 0);
  return { tensors, metadata: Object.fromEntries(metadata) };
}

function joined(prefix: string, key: unknown): string {
  return `${prefix}.${String(key)}`;
}

/** @throws ZipError when the storage's entry is too small. */
function tensorInfo(tensor: TorchTensor, place: StoredRange): TensorInfo {
  const { storage, shape, strides } = tensor;
  const elementBytes = ELEMENT_BYTES[storage.dtype];
  if (storage.elements * elementBytes > place.length) {
    throw new ZipError(`its data has ${place.length} bytes, but ${storage.elements} ${storage.dtype} take more`);
  }
  const elements = shape.reduce((a, b) => a * b, 1);
  if (elements > Math.max(storage.elements, MAX_REPEATED_ELEMENTS)) {
    throw new ZipError(`it repeats its data to ${elements} elements, which is too many`);
  }
  const info = {
    dtype: storage.dtype,
    shape,
    offset: place.offset + tensor.offset * elementBytes,
    length: elements * elementBytes,
  };
  return isRowMajor(shape, strides) ? info : { ...info, strides };
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    // The stride of an axis of one is never used.
    if (shape[axis] !== 1 && strides[axis] !== step) return false;
    step *= shape[axis]!;
  }
  return true;
}
