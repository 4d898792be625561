/**
 * Self attention of pictures larger than a model was trained on: a query sees
 * only a neighbourhood, in every frame of the window in time. Queries go in
 * tiles that share their neighbourhood, so the tiles are a batch of one dense
 * attention (blocks with a halo: HaloNet, arXiv:2103.12731).
 */
import { divideDim, type Graph, ShapeError, type TensorLike, type Value } from "@everframe/graph";
import type { TransformerConfig } from "./config.ts";
import { type KeyValues, type LatentGrid, times } from "./wan-block.ts";

/** How the tokens of a frame are split. All positions are those of a frame, in (row, column) order. */
export type WindowPlan = {
  readonly frameTokens: number;
  /** Tokens of each tile, as many in each; tiles overlap where they do not divide the picture. */
  readonly tiles: readonly (readonly number[])[];
  /** Tokens that each tile's queries see, as many in each. */
  readonly seen: readonly (readonly number[])[];
  /** Tokens all over the frame, as many as a tile sees: what every tile sees of a reference image. */
  readonly spread: readonly number[];
  /** Where each token is found in the tiles one after the other. */
  readonly places: readonly number[];
};

/** Share of a neighbourhood's side that its tile takes: less is nearer to a neighbourhood of each query's own, more is faster. */
const TILE_SHARE = 0.6;

/** @returns undefined where attention is full: the model has no window, or the picture is no larger than its `whole`. */
export function planWindows({ patch, attentionWindow }: TransformerConfig, grid: LatentGrid): WindowPlan | undefined {
  if (!attentionWindow) return undefined;
  const sizes = [grid.height / patch[1], grid.width / patch[2]] as const;
  if (sizes.every((size, axis) => size <= attentionWindow.whole[axis]!)) return undefined;
  const windows = sizes.map((size, axis) => Math.min(size, attentionWindow.size[axis]!)) as [number, number];
  const [rows, columns] = sizes.map((size, axis) => spansOf(size, windows[axis]!)) as [Spans, Spans];
  const tokensOf = (row: readonly number[], column: readonly number[]) =>
    row.flatMap((y) => column.map((x) => y * sizes[1] + x));
  const pairs = rows.flatMap((row) => columns.map((column) => ({ row, column })));
  const tiles = pairs.map(({ row, column }) => tokensOf(row.tile, column.tile));
  const places: number[] = [];
  for (const [place, token] of tiles.flat().entries()) places[token] = place;
  return {
    frameTokens: sizes[0] * sizes[1],
    tiles,
    seen: pairs.map(({ row, column }) => tokensOf(row.seen, column.seen)),
    spread: tokensOf(spreadOver(sizes[0], windows[0]), spreadOver(sizes[1], windows[1])),
    places,
  };
}

type Spans = readonly { readonly tile: readonly number[]; readonly seen: readonly number[] }[];

/** Tiles along one axis and what they see: the tile in the middle, moved inside the picture. */
function spansOf(size: number, window: number): Spans {
  const count = size <= window ? 1 : Math.max(2, Math.round(size / (TILE_SHARE * window)));
  const length = Math.min(window, Math.ceil(size / count));
  return Array.from({ length: count }, (_, i) => {
    const start = Math.min(i * length, size - length);
    const around = start - Math.floor((window - length) / 2);
    return { tile: range(start, length), seen: range(Math.min(Math.max(0, around), size - window), window) };
  });
}

function range(start: number, length: number): number[] {
  return Array.from({ length }, (_, i) => start + i);
}

/** `count` positions of `size`, evenly spaced. */
function spreadOver(size: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * size) / count));
}

/**
 * How the blocks of a graph attend: undefined where attention is full. Declares the input `seen_rows` i64
 * [tiles, rows], which `seenRows` makes.
 */
export function windowedAttention(
  g: Graph,
  config: TransformerConfig,
  grid: LatentGrid,
): ((q: Value, seen: KeyValues) => Value) | undefined {
  const plan = planWindows(config, grid);
  if (!plan) return undefined;
  const rows = g.input("seen_rows", [plan.tiles.length, "seen_rows"], "i64");
  return (q, seen) => windowAttention(g, plan, { q, ...seen, rows }, config.heads);
}

/**
 * Rows of the keys of `frames` frames that each tile sees. Of the first `references` frames, which are pictures of
 * their own, all tiles see the same: a part of each would give every tile other colours.
 * @returns [tiles, frames * tokens seen]
 */
export function seenRows({ seen, spread, frameTokens }: WindowPlan, frames: number, references = 0): TensorLike {
  const rows = seen.flatMap((tokens) =>
    range(0, frames).flatMap((f) => (f < references ? spread : tokens).map((token) => BigInt(f * frameTokens + token))),
  );
  return { data: BigInt64Array.from(rows), dims: [seen.length, rows.length / seen.length] };
}

/**
 * Attention in the plan's tiles.
 * @param q [frames * frameTokens, D]
 * @param k, v of all frames that are seen [keys, D]
 * @param rows from `seenRows` [tiles, rows]
 * @returns [frames * frameTokens, D]
 */
function windowAttention(
  g: Graph,
  plan: WindowPlan,
  { q, k, v, rows }: { q: Value; k: Value; v: Value; rows: Value },
  heads: number,
): Value {
  const { frameTokens, tiles, places } = plan;
  const dim = q.shape[1]!;
  const frames = divideDim(q.shape[0]!, frameTokens);
  if (frames === undefined) throw new ShapeError(`windowAttention: ${q.shape[0]} queries are not whole frames.`);
  const [count, size] = [tiles.length, tiles[0]!.length];
  const cut = g.gather(g.reshape(q, [frames, frameTokens, dim]), g.constI64(tiles.flat(), [count, size]), 1);
  const tiled = g.reshape(g.transpose(cut, [1, 0, 2, 3]), [count, times(size, frames), dim]);
  const mixed = g.attention(tiled, g.gather(k, rows), g.gather(v, rows), { heads }); // [tiles, frames * size, D]
  const perFrame = g.transpose(g.reshape(mixed, [count, frames, size, dim]), [1, 0, 2, 3]);
  const whole = g.gather(g.reshape(perFrame, [frames, count * size, dim]), g.constI64(places), 1);
  return g.reshape(whole, q.shape);
}
