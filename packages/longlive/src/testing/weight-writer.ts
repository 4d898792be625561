/**
 * Writes weight files piece by piece in the two formats that checkpoints come
 * in: safetensors, and the zip archive of torch.save (stored entries, zip64,
 * a pickle of protocol 2 that rebuilds each tensor over a storage of its own).
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { STORED_BYTES, type StoredType } from "./random-tensor.ts";

export type TensorSource<Type extends StoredType = StoredType> = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: Type;
  /** All bytes in order; called once. */
  readonly bytes: () => Iterable<Uint8Array>;
};

export function writeSafetensors(path: string, tensors: readonly TensorSource[]): void {
  let end = 0;
  const header: Record<string, unknown> = {};
  for (const { name, shape, type } of tensors) {
    const begin = end;
    end += bytesOf(shape, type);
    header[name] = { dtype: type, shape, data_offsets: [begin, end] };
  }
  const json = JSON.stringify(header);
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  withNewFile(path, (write) => {
    write(u64(text.length));
    write(text);
    for (const { bytes } of tensors) for (const piece of bytes()) write(piece);
  });
}

/** Types that PyTorch has a storage of its own for. */
export type TorchType = Exclude<StoredType, "F8_E4M3">;

/** @param entry outer dict that holds the tensors; default: none */
export function writeTorchArchive(path: string, tensors: readonly TensorSource<TorchType>[], entry?: string): void {
  withNewFile(path, (write) => {
    const directory: Buffer[] = [];
    let at = 0;
    const put = (bytes: Uint8Array) => {
      write(bytes);
      at += bytes.length;
    };
    const add = (name: string, size: number, pieces: () => Iterable<Uint8Array>) => {
      const start = at;
      const nameBytes = Buffer.from(name);
      // The checksum stands behind the data, since it is only known then (bit 3 of the flags).
      put(Buffer.concat([u32(0x04034b50), fields(45, 8, 0, 0, 0), u32(0), u32(MOST), u32(MOST)]));
      // Data begins at a multiple of 64 bytes, by a field that readers pass over.
      const padding = Buffer.alloc(ALIGNMENT - 1 - ((at + nameBytes.length + 28) % ALIGNMENT));
      put(Buffer.concat([u16(nameBytes.length), u16(24 + padding.length), nameBytes]));
      put(Buffer.concat([u16(1), u16(16), u64(size), u64(size), Buffer.from("FB"), u16(padding.length), padding]));
      let checksum = 0;
      for (const piece of pieces()) {
        checksum = crc32(piece, checksum);
        put(piece);
      }
      put(Buffer.concat([u32(0x08074b50), u32(checksum), u64(size), u64(size)]));
      directory.push(
        Buffer.concat([u32(0x02014b50), u16(45), fields(45, 8, 0, 0, 0), u32(checksum), u32(MOST), u32(MOST)]),
        Buffer.concat([u16(nameBytes.length), u16(28), fields(0, 0, 0), u32(0), u32(MOST), nameBytes]),
        Buffer.concat([u16(1), u16(24), u64(size), u64(size), u64(start)]),
      );
    };
    const pickle = stateDict(tensors, entry);
    add("archive/data.pkl", pickle.length, () => [pickle]);
    for (const [i, { shape, type, bytes }] of tensors.entries()) {
      add(`archive/data/${i}`, bytesOf(shape, type), bytes);
    }
    add("archive/version", 2, () => [Buffer.from("3\n")]);
    const listing = Buffer.concat(directory);
    const start = at;
    const count = tensors.length + 2;
    put(listing);
    const end = at;
    put(Buffer.concat([u32(0x06064b50), u64(44), fields(45, 45), u32(0), u32(0), u64(count), u64(count)]));
    put(Buffer.concat([u64(listing.length), u64(start), u32(0x07064b50), u32(0), u64(end), u32(1)]));
    put(Buffer.concat([u32(0x06054b50), fields(0, 0, 0xffff, 0xffff), u32(MOST), u32(MOST), u16(0)]));
  });
}

const ALIGNMENT = 64;
/** Stands for a number that follows in 64 bits. */
const MOST = 0xffffffff;

const STORAGE: Readonly<Record<TorchType, string>> = {
  F32: "FloatStorage",
  F16: "HalfStorage",
  BF16: "BFloat16Storage",
};

/** Pickle of a dict of tensors, the n-th one over the storage "n". */
function stateDict(tensors: readonly TensorSource<TorchType>[], entry: string | undefined): Buffer {
  const items = tensors.map(({ name, shape, type }, i) => {
    const elements = shape.reduce((a, b) => a * b, 1);
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const tuple = (sizes: readonly number[]) => ["(", ...sizes.map(pickledNumber), "t"];
    return joined(
      pickledText(name),
      "ctorch._utils\n_rebuild_tensor_v2\n((",
      pickledText("storage"),
      `ctorch\n${STORAGE[type]}\n`,
      pickledText(String(i)),
      pickledText("cpu"),
      pickledNumber(elements),
      "tQ",
      pickledNumber(0),
      ...tuple(shape),
      ...tuple(strides),
      Buffer.of(0x89), // no gradient
      "ccollections\nOrderedDict\n)RtR",
    );
  });
  const dict = joined("}(", ...items, "u");
  const root = entry === undefined ? dict : joined("}(", pickledText(entry), dict, "u");
  return joined(Buffer.of(0x80, 2), root, ".");
}

function pickledText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from("X"), u32(bytes.length), bytes]);
}

function pickledNumber(value: number): Buffer {
  return Buffer.concat([Buffer.of(0x8a, 8), u64(value)]);
}

function joined(...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
}

function bytesOf(shape: readonly number[], type: StoredType): number {
  return shape.reduce((a, b) => a * b, STORED_BYTES[type]);
}

function withNewFile(path: string, use: (write: (bytes: Uint8Array) => void) => void): void {
  const file = openSync(path, "w");
  try {
    use((bytes) => {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    });
  } finally {
    closeSync(file);
  }
}

function fields(...values: readonly number[]): Buffer {
  return Buffer.concat(values.map(u16));
}

function u16(value: number): Buffer {
  return Buffer.from(Uint16Array.of(value).buffer);
}

function u32(value: number): Buffer {
  return Buffer.from(Uint32Array.of(value).buffer);
}

function u64(value: number): Buffer {
  return Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
}
