/**
 * Keys and values of a window on the GPU. Each change is one small graph a
 * layer: it picks rows of the old and the new ones, so that a chunk's keys
 * replace those before without a byte crossing to the processor.
 */
import { type Device, type DeviceCopier, type DeviceTensor, Graph, Session } from "@everframe/graph";
import type { KeyStorage, KeyStorageSizes, LayerKeys } from "./key-storage.ts";
import { timeTurn } from "./rope.ts";
import { free, tensorOf } from "./values.ts";

export type RowPickerSizes = { readonly dim: number; readonly heads: number };

/** Session of the graph that picks rows; one serves all caches of a model. */
export class RowPicker {
  readonly dim: number;
  readonly headDim: number;
  readonly #session: Session;

  private constructor({ dim, heads }: RowPickerSizes, session: Session) {
    this.dim = dim;
    this.headDim = dim / heads;
    this.#session = session;
  }

  static async create(sizes: RowPickerSizes, device: Device): Promise<RowPicker> {
    const { dim, heads } = sizes;
    const g = new Graph("row picker", { device });
    const joined = (name: string) => g.concat([g.input(name, ["held", dim]), g.input(`own_${name}`, ["own", dim])], 0);
    const rows = g.input("rows", ["rows"], "i64");
    const [cos, sin] = ["cos", "sin"].map((name) => g.input(name, ["rows", dim / heads / 2]));
    g.output("picked_k", g.rotary(g.gather(joined("k"), rows), cos!, sin!, { heads }));
    g.output("picked_v", g.gather(joined("v"), rows));
    return new RowPicker(sizes, await Session.create(g.build(), { keep: ["picked_k", "picked_v"] }));
  }

  /**
   * @param own keys behind the held ones; undefined for none
   * @param rows of the held and own ones together
   * @param turns the frames by which each of the rows moves in time
   */
  async pick(
    held: LayerKeys | undefined,
    own: LayerKeys | undefined,
    rows: readonly number[],
    turns: readonly number[],
  ): Promise<DeviceLayer> {
    const part = (keys: LayerKeys | undefined, name: "k" | "v") => tensorOf(keys?.[name] ?? NOTHING, [0, this.dim]);
    const pairs = this.headDim / 2;
    const [cos, sin] = [new Float32Array(rows.length * pairs), new Float32Array(rows.length * pairs)];
    const turnOf = new Map([...new Set(turns)].map((frames) => [frames, timeTurn(this.headDim, frames)]));
    for (const [i, frames] of turns.entries()) {
      cos.set(turnOf.get(frames)!.cos, i * pairs);
      sin.set(turnOf.get(frames)!.sin, i * pairs);
    }
    const { kept } = await this.#session.runKeeping({
      k: part(held, "k"),
      v: part(held, "v"),
      own_k: part(own, "k"),
      own_v: part(own, "v"),
      rows: { data: BigInt64Array.from(rows, BigInt), dims: [rows.length] },
      cos: { data: cos, dims: [rows.length, pairs] },
      sin: { data: sin, dims: [rows.length, pairs] },
    });
    return { k: kept["picked_k"]!, v: kept["picked_v"]! };
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}

const NOTHING = new Float32Array(0);

type DeviceLayer = { readonly k: DeviceTensor; readonly v: DeviceTensor };

/** Rows of the held ones in their new order, and by how many frames each moves in time. */
type Order = { readonly rows: readonly number[]; readonly turns: readonly number[] };

export class DeviceKeys implements KeyStorage {
  readonly #sizes: KeyStorageSizes;
  readonly #picker: RowPicker;
  readonly #copier: DeviceCopier;
  readonly #moves: boolean;
  #held: readonly (DeviceLayer | undefined)[];
  /** Rows of each held layer. */
  #rows = 0;
  /** Rolled, but not yet carried out: `roll` cannot wait. */
  #pending: Order | undefined;
  /** What `past` showed, where it was not all that is held. */
  #shown: readonly DeviceLayer[] = [];

  /** @param parts.moves whether rolled keys move in time; else they keep the rotation that they came with */
  constructor(sizes: KeyStorageSizes, parts: { picker: RowPicker; copier: DeviceCopier; moves: boolean }) {
    this.#sizes = sizes;
    this.#picker = parts.picker;
    this.#copier = parts.copier;
    this.#moves = parts.moves;
    this.#held = this.#none();
  }

  get layers(): number {
    return this.#sizes.layers;
  }

  clear(): void {
    this.#replace(this.#none(), 0);
  }

  roll({ from, end, to, frames }: { from: number; end: number; to: number; frames: number }): void {
    const { rows, turns } = this.#pending ?? { rows: range(0, this.#rows), turns: this.#still(this.#rows) };
    const turn = this.#moves ? frames : 0;
    this.#pending = {
      rows: [...rows.slice(0, to), ...rows.slice(from, end)],
      turns: [...turns.slice(0, to), ...turns.slice(from, end).map((before) => before + turn)],
    };
  }

  async past(rows: number): Promise<readonly LayerKeys[]> {
    if (this.#pending) {
      const { rows: order, turns } = this.#pending;
      this.#replace(await this.#pick(order, turns), order.length);
    }
    if (rows > 0 && rows === this.#rows) return this.#held as readonly DeviceLayer[];
    this.#hide();
    if (rows === 0) return this.#held.map(() => ({ k: NOTHING, v: NOTHING }));
    this.#shown = await this.#pick(range(0, rows), this.#still(rows));
    return this.#shown;
  }

  /** A pass's results get places of their own on the GPU. */
  own(): undefined {}

  async keep(own: readonly LayerKeys[], from: number, to: number): Promise<void> {
    const ownRows = (own[0]!.k as DeviceTensor).dims[0]!;
    const order = this.#pending ?? { rows: range(0, this.#rows), turns: this.#still(this.#rows) };
    const rows = [...order.rows.slice(0, to), ...range(this.#rows + from, this.#rows + ownRows)];
    const turns = [...order.turns.slice(0, to), ...this.#still(ownRows - from)];
    const kept = await this.#pick(rows, turns, own);
    for (const { k, v } of own) free(k, v);
    this.#replace(kept, rows.length);
  }

  async read(layer: number): Promise<{ k: Float32Array; v: Float32Array }> {
    const { capacity, dim } = this.#sizes;
    const held = this.#held[layer];
    const whole = async (tensor: DeviceTensor | undefined) => {
      const values = new Float32Array(capacity * dim);
      if (tensor) values.set(await this.#copier.download(tensor));
      return values;
    };
    return { k: await whole(held?.k), v: await whole(held?.v) };
  }

  async #pick(
    rows: readonly number[],
    turns: readonly number[],
    own: readonly (LayerKeys | undefined)[] = [],
  ): Promise<DeviceLayer[]> {
    const picked: DeviceLayer[] = [];
    for (const [i, held] of this.#held.entries()) picked.push(await this.#picker.pick(held, own[i], rows, turns));
    return picked;
  }

  #replace(held: readonly (DeviceLayer | undefined)[], rows: number): void {
    for (const layer of this.#held) if (layer) free(layer.k, layer.v);
    this.#hide();
    this.#held = held;
    this.#rows = rows;
    this.#pending = undefined;
  }

  #hide(): void {
    for (const { k, v } of this.#shown) free(k, v);
    this.#shown = [];
  }

  #none(): undefined[] {
    return Array.from({ length: this.#sizes.layers }, () => undefined);
  }

  #still(rows: number): number[] {
    return new Array<number>(rows).fill(0);
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
