/**
 * The central directory of a zip archive (PKWARE APPNOTE 6.3, with the zip64
 * records of 4.3.14 and 4.5.3), read to find where stored entries lie. Nothing
 * is unpacked, and of the file only the directory and the headers of entries
 * asked for are read. Every number is checked against the file's size before
 * it is used.
 */

/** The bytes that an archive is in. */
export type ByteSource = { readonly size: number; read(offset: number, length: number): Uint8Array<ArrayBuffer> };

/** An archive that is damaged or uses what this reader does not know. */
export class ZipError extends Error {
  override readonly name = "ZipError";
}

type Entry = {
  readonly method: number;
  readonly encrypted: boolean;
  readonly packedSize: number;
  readonly size: number;
  readonly headerOffset: number;
};

/** Where an entry's bytes lie in the archive. */
export type StoredRange = { readonly offset: number; readonly length: number };

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const LOCATOR_SIGNATURE = 0x07064b50;
const LOCATOR_BYTES = 20;
const END64_SIGNATURE = 0x06064b50;
const END64_BYTES = 56;
const ENTRY_SIGNATURE = 0x02014b50;
const ENTRY_BYTES = 46;
const HEADER_SIGNATURE = 0x04034b50;
const HEADER_BYTES = 30;
const ZIP64_EXTRA = 1;
const STORED = 0;
// Far above what a checkpoint has (some ten thousand entries); keeps a damaged count from taking all memory.
const MAX_DIRECTORY_BYTES = 64 << 20;

export class ZipDirectory {
  readonly #source: ByteSource;
  readonly #entries: ReadonlyMap<string, Entry>;
  /** Entries end before this byte. */
  readonly #start: number;

  private constructor(source: ByteSource, entries: ReadonlyMap<string, Entry>, start: number) {
    this.#source = source;
    this.#entries = entries;
    this.#start = start;
  }

  /** @throws ZipError when there is no directory at the end of the source or it contradicts itself. */
  static read(source: ByteSource): ZipDirectory {
    const { start, length, count } = findDirectory(source);
    if (length > MAX_DIRECTORY_BYTES) throw new ZipError(`the zip directory has ${length} bytes, which is too much`);
    const entries = parseEntries(view(source.read(start, length)), count, start);
    return new ZipDirectory(source, entries, start);
  }

  /** Names of all entries, folders included. */
  names(): string[] {
    return [...this.#entries.keys()];
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /**
   * Where an entry's bytes lie, by its own header.
   * @throws ZipError when there is no such entry, it is compressed or encrypted, or its header is damaged.
   */
  locate(name: string): StoredRange {
    const entry = this.#entries.get(name);
    if (!entry) throw new ZipError(`the archive has no entry ${shown(name)}`);
    const problem = (text: string) => new ZipError(`the archive's entry ${shown(name)} ${text}`);
    if (entry.encrypted) throw problem("is encrypted");
    if (entry.method !== STORED || entry.packedSize !== entry.size) {
      throw problem(`is compressed (method ${entry.method}), but weights are read in place; pack the archive stored`);
    }
    if (entry.headerOffset + HEADER_BYTES > this.#start) throw problem("begins behind the archive's directory");
    const header = view(this.#source.read(entry.headerOffset, HEADER_BYTES));
    if (header.getUint32(0, true) !== HEADER_SIGNATURE) throw problem("has no header where the directory says");
    if (header.getUint16(8, true) !== entry.method) throw problem("is stored otherwise than the directory says");
    const offset = entry.headerOffset + HEADER_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
    if (offset + entry.size > this.#start) throw problem("reaches into the archive's directory; the file is damaged");
    return { offset, length: entry.size };
  }
}

function findDirectory(source: ByteSource): { start: number; length: number; count: number } {
  const tailBytes = Math.min(source.size, END_BYTES + MAX_COMMENT_BYTES);
  const tailStart = source.size - tailBytes;
  const tail = view(source.read(tailStart, tailBytes));
  // The record nearest the end whose comment reaches exactly to the end.
  for (let at = tailBytes - END_BYTES; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END_SIGNATURE) continue;
    if (at + END_BYTES + tail.getUint16(at + 20, true) !== tailBytes) continue;
    const end = tailStart + at;
    return readEnd64(source, end) ?? checkedDirectory(end, readEnd(tail, at));
  }
  throw new ZipError("the archive has no directory at its end; the file is cut short, fetch it again");
}

function readEnd(tail: DataView, at: number) {
  const parts = [tail.getUint16(at + 4, true), tail.getUint16(at + 6, true)];
  const count = tail.getUint16(at + 10, true);
  if (parts.some((part) => part !== 0) || tail.getUint16(at + 8, true) !== count) {
    throw new ZipError("the archive is one of several parts");
  }
  return { start: tail.getUint32(at + 16, true), length: tail.getUint32(at + 12, true), count };
}

/** The directory by the zip64 record, where the archive has one. `end` is the byte of the ordinary end record. */
function readEnd64(source: ByteSource, end: number) {
  if (end < LOCATOR_BYTES) return undefined;
  const locator = view(source.read(end - LOCATOR_BYTES, LOCATOR_BYTES));
  if (locator.getUint32(0, true) !== LOCATOR_SIGNATURE) return undefined;
  const recordAt = wholeNumber(locator, 8);
  if (recordAt + END64_BYTES > end - LOCATOR_BYTES) throw new ZipError("the archive's zip64 record is out of place");
  const record = view(source.read(recordAt, END64_BYTES));
  if (record.getUint32(0, true) !== END64_SIGNATURE) throw new ZipError("the archive's zip64 record is damaged");
  if (record.getUint32(16, true) !== 0 || record.getUint32(20, true) !== 0) {
    throw new ZipError("the archive is one of several parts");
  }
  return checkedDirectory(recordAt, {
    start: wholeNumber(record, 48),
    length: wholeNumber(record, 40),
    count: wholeNumber(record, 32),
  });
}

function checkedDirectory(end: number, directory: { start: number; length: number; count: number }) {
  const { start, length, count } = directory;
  if (start + length > end) throw new ZipError("the archive's directory is out of place; the file is damaged");
  if (count * ENTRY_BYTES > length) throw new ZipError(`the archive's directory is too short for ${count} entries`);
  return directory;
}

function parseEntries(directory: DataView, count: number, start: number): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  const decoder = new TextDecoder();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > directory.byteLength || directory.getUint32(at, true) !== ENTRY_SIGNATURE) {
      throw new ZipError(`entry ${i} of the archive's directory is damaged`);
    }
    const nameBytes = directory.getUint16(at + 28, true);
    const extraBytes = directory.getUint16(at + 30, true);
    const next = at + ENTRY_BYTES + nameBytes + extraBytes + directory.getUint16(at + 32, true);
    if (next > directory.byteLength) throw new ZipError(`entry ${i} of the archive's directory is cut short`);
    const name = decoder.decode(new Uint8Array(directory.buffer, at + ENTRY_BYTES, nameBytes));
    if (entries.has(name)) throw new ZipError(`the archive has two entries ${shown(name)}`);
    const entry = parseEntry(directory, at, at + ENTRY_BYTES + nameBytes, extraBytes);
    if (entry.headerOffset > start) throw new ZipError(`entry ${i} of the archive's directory points behind it`);
    entries.set(name, entry);
    at = next;
  }
  return entries;
}

function parseEntry(directory: DataView, at: number, extraAt: number, extraBytes: number): Entry {
  const numbers = [
    directory.getUint32(at + 24, true),
    directory.getUint32(at + 20, true),
    directory.getUint32(at + 42, true),
  ];
  // The zip64 field holds, in this order, only those of the three numbers that do not fit 32 bits.
  const saturated = numbers.flatMap((number, i) => (number === 0xffffffff ? [i] : []));
  if (saturated.length > 0) {
    const field = findExtra(directory, extraAt, extraBytes, ZIP64_EXTRA);
    if (!field || field.length < saturated.length * 8)
      throw new ZipError("an entry of the archive lacks its zip64 sizes");
    for (const [place, i] of saturated.entries()) numbers[i] = wholeNumber(directory, field.at + place * 8);
  }
  const [size = 0, packedSize = 0, headerOffset = 0] = numbers;
  return {
    method: directory.getUint16(at + 10, true),
    encrypted: (directory.getUint16(at + 8, true) & 1) === 1,
    size,
    packedSize,
    headerOffset,
  };
}

function findExtra(directory: DataView, start: number, bytes: number, wanted: number) {
  const end = start + bytes;
  let at = start;
  while (at + 4 <= end) {
    const length = directory.getUint16(at + 2, true);
    if (at + 4 + length > end) return undefined;
    if (directory.getUint16(at, true) === wanted) return { at: at + 4, length };
    at += 4 + length;
  }
  return undefined;
}

/** A u64 that fits a number exactly; no file is larger. */
function wholeNumber(bytes: DataView, at: number): number {
  const value = bytes.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ZipError(`the archive states the impossible size ${value}`);
  return Number(value);
}

function view(bytes: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}
