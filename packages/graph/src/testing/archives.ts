/** Test support: writing zip archives and pickles byte by byte, hostile ones included. */

export type ArchiveEntry = {
  name: string;
  bytes: Uint8Array;
  /** Compression method written to the headers; the bytes are stored as they are. Default 0. */
  method?: number;
  /** General purpose flags. Default 0. */
  flags?: number;
};

/** A zip archive. `zip64` writes all sizes and places as zip64 numbers. */
export function zipBytes(entries: readonly ArchiveEntry[], zip64 = false): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const { name, bytes, method = 0, flags = 0 } of entries) {
    const nameBytes = new TextEncoder().encode(name);
    const size = u32(zip64 ? 0xffffffff : bytes.length);
    const common = [u16(45), u16(flags), u16(method), u32(0), u32(0), size, size, u16(nameBytes.length)];
    const extra = zip64 ? joined([u16(1), u16(24), u64(bytes.length), u64(bytes.length), u64(at)]) : new Uint8Array(0);
    const place = u32(zip64 ? 0xffffffff : at);
    directory.push(
      joined([u32(0x02014b50), u16(45), ...common, u16(extra.length), u16(0), u16(0), u16(0), u32(0), place]),
      nameBytes,
      extra,
    );
    // Readers must take the length of the local extra field from the local header: it differs from the directory's.
    const padding = new Uint8Array(5);
    const local = joined([u32(0x04034b50), ...common, u16(padding.length), nameBytes, padding, bytes]);
    parts.push(local);
    at += local.length;
  }
  const listing = joined(directory);
  const count = entries.length;
  const end64 = joined([
    joined([u32(0x06064b50), u64(44), u16(45), u16(45), u32(0), u32(0)]),
    joined([u64(count), u64(count), u64(listing.length), u64(at)]),
    joined([u32(0x07064b50), u32(0), u64(at + listing.length), u32(1)]),
  ]);
  const small = (value: number, most: number) => (zip64 ? most : value);
  const counts = [u16(small(count, 0xffff)), u16(small(count, 0xffff))];
  const places = [u32(small(listing.length, 0xffffffff)), u32(small(at, 0xffffffff))];
  const end = joined([u32(0x06054b50), u16(0), u16(0), ...counts, ...places, u16(0)]);
  return joined([...parts, listing, ...(zip64 ? [end64] : []), end]);
}

/** A checkpoint with the given pickle and storages. */
export function checkpointBytes(
  pickle: Uint8Array,
  storages: Record<string, Uint8Array> = {},
  others: Record<string, string> = {},
): Uint8Array {
  return zipBytes([
    { name: "archive/data.pkl", bytes: pickle },
    ...Object.entries(others).map(([name, text]) => ({
      name: `archive/${name}`,
      bytes: new TextEncoder().encode(text),
    })),
    ...Object.entries(storages).map(([key, bytes]) => ({ name: `archive/data/${key}`, bytes })),
  ]);
}

/** A pickle from its parts: texts are opcodes as in pickletools, arrays and numbers are raw bytes. */
export function pickleBytes(...parts: readonly (string | number | Uint8Array)[]): Uint8Array {
  return joined([
    Uint8Array.of(0x80, 2),
    ...parts.map((part) => {
      if (typeof part === "number") return Uint8Array.of(part);
      return typeof part === "string" ? new TextEncoder().encode(part) : part;
    }),
    Uint8Array.of(0x2e),
  ]);
}

/** BINUNICODE. */
export function unicode(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  return joined([Uint8Array.of(0x58), u32(bytes.length), bytes]);
}

/** LONG1 of 8 bytes. */
export function long(value: bigint): Uint8Array {
  return joined([Uint8Array.of(0x8a, 8), new Uint8Array(BigInt64Array.of(value).buffer)]);
}

/** The opcodes of a tensor, as torch.save writes them (protocol 2, without memo). */
export function tensorOpcodes(options: {
  storageType?: string;
  key?: string;
  elements: number;
  offset?: number;
  shape: readonly number[];
  strides: readonly number[];
  extra?: readonly Uint8Array[];
}): Uint8Array {
  const {
    storageType = "torch\nFloatStorage\n",
    key = "0",
    elements,
    offset = 0,
    shape,
    strides,
    extra = [],
  } = options;
  const list = (sizes: readonly number[]) => joined([text("("), ...sizes.map((n) => long(BigInt(n))), text("t")]);
  return joined([
    text("ctorch._utils\n_rebuild_tensor_v2\n(("),
    unicode("storage"),
    text(`c${storageType}`),
    unicode(key),
    unicode("cpu"),
    long(BigInt(elements)),
    text("tQ"),
    long(BigInt(offset)),
    list(shape),
    list(strides),
    Uint8Array.of(0x89),
    text("ccollections\nOrderedDict\n)R"),
    ...extra,
    text("tR"),
  ]);
}

/** A pickle of a dict from names to the opcodes of values. */
export function dictPickle(items: Record<string, Uint8Array>): Uint8Array {
  return pickleBytes("}(", ...Object.entries(items).flatMap(([name, value]) => [unicode(name), value]), "u");
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function u16(value: number): Uint8Array {
  return new Uint8Array(Uint16Array.of(value).buffer);
}

export function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

export function u64(value: number | bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}
