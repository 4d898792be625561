/**
 * A machine for the data part of Python's pickle format (protocols 2 to 5,
 * opcodes as in CPython's Lib/pickletools.py). It builds dicts, lists, tuples
 * and plain values, and runs nothing: the few callables that a file may name
 * are decided by a host, everything else ends the reading. Opcodes that exist
 * only to build arbitrary objects (NEWOBJ, INST, EXT1, ...) are not known to it.
 * All sizes are bounded, so a hostile file costs bounded time and memory.
 */

/** A value of Python's, as far as weight files need them. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleList
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | PickleExtension;

export type PickleKey = null | boolean | number | bigint | string;

export class PickleList {
  readonly kind = "list";
  readonly items: PickleValue[] = [];
}

export class PickleTuple {
  readonly kind = "tuple";
  readonly items: readonly PickleValue[];
  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

export class PickleDict {
  readonly kind = "dict";
  readonly entries = new Map<PickleKey, PickleValue>();
}

/** A class or function that the host allows, by name. Not the thing itself. */
export class PickleGlobal {
  readonly kind = "global";
  /** Module and name with a dot between them. */
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A value that only the host knows. */
export abstract class PickleExtension {
  abstract readonly kind: string;
}

/** What a file may name and what it means. The functions may throw PickleError. */
export type PickleHost = {
  /** Whether a global may be named at all. */
  readonly allows: (name: string) => boolean;
  /** What calling an allowed global gives. */
  readonly call: (name: string, args: readonly PickleValue[]) => PickleValue;
  /** What a persistent id (data kept outside the pickle) stands for. */
  readonly persistent: (id: PickleValue) => PickleValue;
};

/** A pickle that is damaged, too large, or asks for something that is not allowed. */
export class PickleError extends Error {
  override readonly name = "PickleError";
}

const MAX_OPERATIONS = 4_000_000;
const MAX_MEMO = 1_000_000;
const MAX_STACK = 1_000_000;
const MAX_MARKS = 1_000;
const MAX_STRING_BYTES = 16 << 20;
const MAX_INTEGER_BYTES = 256;
const MAX_NAME_BYTES = 512;

/**
 * The value that a pickle describes.
 * @throws PickleError when it is refused; nothing of it was run.
 */
export function readPickle(bytes: Uint8Array, host: PickleHost): PickleValue {
  return new PickleMachine(bytes, host).run();
}

class PickleMachine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #host: PickleHost;
  readonly #text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** By place; PyTorch numbers values one after the other. */
  readonly #memo: (PickleValue | undefined)[] = [];
  readonly #stack: PickleValue[] = [];
  /** Heights of the stack at the open marks. */
  readonly #marks: number[] = [];
  #memoCount = 0;
  #at = 0;

  constructor(bytes: Uint8Array, host: PickleHost) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#host = host;
  }

  run(): PickleValue {
    if (this.#bytes[0] !== PROTO)
      throw new PickleError("its pickle does not begin with a protocol number of 2 or more");
    for (let count = 0; count < MAX_OPERATIONS; count++) {
      const opcodeAt = this.#at;
      const opcode = this.#bytes[this.#take(1)]!;
      if (opcode === STOP) return this.pop();
      const operation = OPERATIONS[opcode];
      if (!operation) {
        const code = opcode.toString(16).padStart(2, "0");
        throw new PickleError(
          `its pickle has the operation 0x${code} at byte ${opcodeAt}, which weight files do not use`,
        );
      }
      operation(this);
      if (this.#stack.length > MAX_STACK) throw new PickleError(`its pickle needs a stack of more than ${MAX_STACK}`);
    }
    throw new PickleError(`its pickle has more than ${MAX_OPERATIONS} operations`);
  }

  protocol(): void {
    const protocol = this.byte();
    if (protocol < 2 || protocol > 5) throw new PickleError(`its pickle has protocol ${protocol}, not 2 to 5`);
  }

  frame(): void {
    this.#count(this.#view.getBigUint64(this.#take(8), true), "frame");
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  uint64(): number {
    return this.#count(this.#view.getBigUint64(this.#take(8), true), "string");
  }

  /** A double; the only number in big-endian order. */
  double(): number {
    return this.#view.getFloat64(this.#take(8), false);
  }

  /** Two's complement, little endian, of any length. */
  integer(length: number): number | bigint {
    if (length > MAX_INTEGER_BYTES) throw new PickleError(`its pickle has an integer of ${length} bytes`);
    const start = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[start + i]!);
    value = BigInt.asIntN(length * 8, value);
    const small = Number(value);
    return Number.isSafeInteger(small) ? small : value;
  }

  string(length: number): string {
    try {
      return this.#text.decode(this.blob(length));
    } catch (cause) {
      if (cause instanceof PickleError) throw cause;
      throw new PickleError("its pickle has a text that is not UTF-8; the file is damaged", { cause });
    }
  }

  blob(length: number): Uint8Array {
    if (length > MAX_STRING_BYTES) throw new PickleError(`its pickle has a text of ${length} bytes, which is too long`);
    const start = this.#take(length);
    return this.#bytes.slice(start, start + length);
  }

  mark(): void {
    if (this.#marks.length >= MAX_MARKS) throw new PickleError(`its pickle is nested deeper than ${MAX_MARKS}`);
    this.#marks.push(this.#stack.length);
  }

  /** The values above the last mark, taken off with it. */
  popToMark(): PickleValue[] {
    const height = this.#marks.pop();
    if (height === undefined) throw new PickleError("its pickle ends a group that it did not begin; it is damaged");
    return this.#stack.splice(height);
  }

  /** Remove one value, or the mark when nothing lies above it. */
  drop(): void {
    if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
    else this.pop();
  }

  tuple(length: number): void {
    const items = Array.from({ length }, () => this.pop());
    this.push(new PickleTuple(items.reverse()));
  }

  append(items: readonly PickleValue[]): void {
    const list = this.#top();
    if (!(list instanceof PickleList)) throw new PickleError("its pickle appends to a value that is not a list");
    for (const item of items) list.items.push(item);
  }

  setItems(keysAndValues: readonly PickleValue[]): void {
    const dict = this.#top();
    if (!(dict instanceof PickleDict)) throw new PickleError("its pickle sets items of a value that is not a dict");
    fillDict(dict, keysAndValues);
  }

  pop(): PickleValue {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  memoize(place: number): void {
    if (place >= MAX_MEMO) throw new PickleError(`its pickle remembers more than ${MAX_MEMO} values`);
    if (this.#memo[place] === undefined) this.#memoCount++;
    this.#memo[place] = this.#top();
  }

  memoizeNext(): void {
    this.memoize(this.#memoCount);
  }

  recall(place: number): void {
    const value = this.#memo[place];
    if (value === undefined) throw new PickleError(`its pickle refers to value ${place}, which it does not have`);
    this.push(value);
  }

  /** A name up to the end of the line. */
  line(): string {
    const end = this.#bytes.indexOf(LINE_FEED, this.#at);
    if (end === -1 || end - this.#at > MAX_NAME_BYTES) throw new PickleError("its pickle has a name that does not end");
    const name = this.string(end - this.#at);
    this.#at = end + 1;
    return name;
  }

  global(module: PickleValue, name: PickleValue): void {
    if (typeof module !== "string" || typeof name !== "string") throw new PickleError("its pickle names no global");
    const path = `${module}.${name}`;
    if (!this.#host.allows(path)) {
      const shown = JSON.stringify(path.slice(0, MAX_NAME_BYTES));
      throw new PickleError(
        `it refers to the global ${shown}, which weights do not need. The file is refused and nothing of it was run; ` +
          "convert it to safetensors if you trust its origin",
      );
    }
    this.push(new PickleGlobal(path));
  }

  reduce(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof PickleGlobal && args instanceof PickleTuple)) {
      throw new PickleError("its pickle calls a value that is not a known function. The file is refused");
    }
    this.push(this.#host.call(callee.name, args.items));
  }

  /** Attributes of an ordered dict, e.g. the version numbers that modules keep with their state: not needed. */
  build(): void {
    const state = this.pop();
    if (!(state instanceof PickleDict && this.#top() instanceof PickleDict)) {
      throw new PickleError("its pickle sets attributes of a value that has none. The file is refused");
    }
  }

  persistent(): void {
    this.push(this.#host.persistent(this.pop()));
  }

  /** The topmost value above the last mark: a group cannot reach below itself. */
  #top(): PickleValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0))
      throw new PickleError("its pickle takes a value that is not there");
    return this.#stack.at(-1)!;
  }

  /** Go `length` bytes on; gives where they start. */
  #take(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw new PickleError("its pickle is cut short");
    this.#at = start + length;
    return start;
  }

  #count(length: bigint, what: string): number {
    if (length > BigInt(this.#bytes.length - this.#at)) {
      throw new PickleError(`its pickle has a ${what} of ${length} bytes, but is shorter`);
    }
    return Number(length);
  }
}

function fillDict(dict: PickleDict, keysAndValues: readonly PickleValue[]): PickleDict {
  if (keysAndValues.length % 2 !== 0) throw new PickleError("its pickle has a key without a value");
  for (let i = 0; i < keysAndValues.length; i += 2) {
    const key = keysAndValues[i]!;
    if (key !== null && typeof key === "object") {
      const kind = key instanceof Uint8Array ? "bytes" : key.kind;
      throw new PickleError(`its pickle has a dict with a ${kind} as key; only names and numbers are known`);
    }
    dict.entries.set(key, keysAndValues[i + 1]!);
  }
  return dict;
}

function listOf(items: readonly PickleValue[]): PickleList {
  const list = new PickleList();
  for (const item of items) list.items.push(item);
  return list;
}

const LINE_FEED = 0x0a;
const STOP = 0x2e;
const PROTO = 0x80;

/** By opcode; names as in pickletools. */
const OPERATIONS: Readonly<Record<number, (machine: PickleMachine) => void>> = {
  128: (m) => m.protocol(), // PROTO
  149: (m) => m.frame(), // FRAME
  40: (m) => m.mark(), // MARK
  48: (m) => m.drop(), // POP
  49: (m) => void m.popToMark(), // POP_MARK
  78: (m) => m.push(null), // NONE
  136: (m) => m.push(true), // NEWTRUE
  137: (m) => m.push(false), // NEWFALSE
  74: (m) => m.push(m.int32()), // BININT
  75: (m) => m.push(m.byte()), // BININT1
  77: (m) => m.push(m.uint16()), // BININT2
  138: (m) => m.push(m.integer(m.byte())), // LONG1
  139: (m) => m.push(m.integer(m.uint32())), // LONG4
  71: (m) => m.push(m.double()), // BINFLOAT
  88: (m) => m.push(m.string(m.uint32())), // BINUNICODE
  140: (m) => m.push(m.string(m.byte())), // SHORT_BINUNICODE
  141: (m) => m.push(m.string(m.uint64())), // BINUNICODE8
  66: (m) => m.push(m.blob(m.uint32())), // BINBYTES
  67: (m) => m.push(m.blob(m.byte())), // SHORT_BINBYTES
  142: (m) => m.push(m.blob(m.uint64())), // BINBYTES8
  93: (m) => m.push(new PickleList()), // EMPTY_LIST
  108: (m) => m.push(listOf(m.popToMark())), // LIST
  97: (m) => m.append([m.pop()]), // APPEND
  101: (m) => m.append(m.popToMark()), // APPENDS
  41: (m) => m.push(new PickleTuple([])), // EMPTY_TUPLE
  116: (m) => m.push(new PickleTuple(m.popToMark())), // TUPLE
  133: (m) => m.tuple(1), // TUPLE1
  134: (m) => m.tuple(2), // TUPLE2
  135: (m) => m.tuple(3), // TUPLE3
  125: (m) => m.push(new PickleDict()), // EMPTY_DICT
  100: (m) => m.push(fillDict(new PickleDict(), m.popToMark())), // DICT
  115: (m) => {
    const value = m.pop();
    const key = m.pop();
    m.setItems([key, value]);
  }, // SETITEM
  117: (m) => m.setItems(m.popToMark()), // SETITEMS
  113: (m) => m.memoize(m.byte()), // BINPUT
  114: (m) => m.memoize(m.uint32()), // LONG_BINPUT
  148: (m) => m.memoizeNext(), // MEMOIZE
  104: (m) => m.recall(m.byte()), // BINGET
  106: (m) => m.recall(m.uint32()), // LONG_BINGET
  99: (m) => {
    const module = m.line();
    m.global(module, m.line());
  }, // GLOBAL
  147: (m) => {
    const name = m.pop();
    m.global(m.pop(), name);
  }, // STACK_GLOBAL
  82: (m) => m.reduce(), // REDUCE
  98: (m) => m.build(), // BUILD
  81: (m) => m.persistent(), // BINPERSID
};
