/**
 * Where the keys and values of a window lie: in this process's memory, or on
 * the GPU (`DeviceKeys`), from where they never come back. `KvCache` says what
 * happens to them.
 */
import type { Values } from "./values.ts";

export type LayerKeys = {
  /** Keys after norm and rotation. [tokens, dim] */
  readonly k: Values;
  /** Values. [tokens, dim] */
  readonly v: Values;
};

export type KeyStorageSizes = {
  readonly layers: number;
  readonly dim: number;
  /** Tokens that fit. */
  readonly capacity: number;
};

/** All rows are tokens; those before a row are in order and without gaps. */
export type KeyStorage = {
  readonly layers: number;
  clear(): void;
  /** Rows `from` to `end` go to row `to`; their keys move in time by `frames`. No row after them counts any more. */
  roll(rows: { from: number; end: number; to: number; frames: number }): void;
  /** The first rows of each layer; to be used until the next `roll` or `keep`. [rows, dim] */
  past(rows: number): Promise<readonly LayerKeys[]>;
  /**
   * Where keys of some rows may be written before they are kept, so that they need no memory of their own; undefined
   * where there is no such place. [rows, dim]
   */
  own(from: number, rows: number): readonly LayerKeys[] | undefined;
  /** Puts own keys from their row `from` on to row `to`. The keys are the storage's afterwards. */
  keep(own: readonly LayerKeys[], from: number, to: number): Promise<void>;
  /** A layer's rows, zeros after the last. [capacity, dim] */
  read(layer: number): Promise<{ k: Float32Array; v: Float32Array }>;
};

/** Moves keys [tokens, dim] in time by a number of frames, in place. */
export type MoveKeys = (keys: Float32Array, frames: number) => void;

export class HostKeys implements KeyStorage {
  readonly #sizes: KeyStorageSizes;
  readonly #layers: readonly { k: Float32Array; v: Float32Array }[];
  readonly #move: MoveKeys;
  /** Elements up to the last one that was ever written: memory behind it costs nothing until it is touched. */
  #touched = 0;

  /** @param move Default: keys keep the rotation that they came with. */
  constructor(sizes: KeyStorageSizes, move: MoveKeys = () => {}) {
    this.#sizes = sizes;
    this.#move = move;
    const elements = sizes.capacity * sizes.dim;
    this.#layers = Array.from({ length: sizes.layers }, () => ({
      k: new Float32Array(elements),
      v: new Float32Array(elements),
    }));
  }

  get layers(): number {
    return this.#layers.length;
  }

  clear(): void {
    for (const { k, v } of this.#layers) {
      k.fill(0, 0, this.#touched);
      v.fill(0, 0, this.#touched);
    }
  }

  roll({ from, end, to, frames }: { from: number; end: number; to: number; frames: number }): void {
    const { dim } = this.#sizes;
    for (const { k, v } of this.#layers) {
      k.copyWithin(to * dim, from * dim, end * dim);
      v.copyWithin(to * dim, from * dim, end * dim);
      this.#move(k.subarray(to * dim, (to + end - from) * dim), frames);
    }
  }

  async past(rows: number): Promise<readonly LayerKeys[]> {
    const end = rows * this.#sizes.dim;
    return this.#layers.map(({ k, v }) => ({ k: k.subarray(0, end), v: v.subarray(0, end) }));
  }

  own(from: number, rows: number): readonly LayerKeys[] {
    const { dim } = this.#sizes;
    const [start, end] = [from * dim, (from + rows) * dim];
    this.#touched = Math.max(this.#touched, end);
    return this.#layers.map(({ k, v }) => ({ k: k.subarray(start, end), v: v.subarray(start, end) }));
  }

  async keep(own: readonly LayerKeys[], from: number, to: number): Promise<void> {
    const { dim } = this.#sizes;
    const put = (values: Values, into: Float32Array) => {
      const part = hostPart(values, from * dim);
      this.#touched = Math.max(this.#touched, to * dim + part.length);
      const isThere = part.buffer === into.buffer && part.byteOffset === into.byteOffset + 4 * to * dim;
      if (!isThere) into.set(part, to * dim);
    };
    for (const [i, { k, v }] of this.#layers.entries()) {
      put(own[i]!.k, k);
      put(own[i]!.v, v);
    }
  }

  async read(layer: number): Promise<{ k: Float32Array; v: Float32Array }> {
    return this.#layers[layer]!;
  }
}

function hostPart(values: Values, from: number): Float32Array {
  if (values instanceof Float32Array) return values.subarray(from);
  throw new TypeError("internal: keys on the GPU were given to a cache that is not there.");
}
