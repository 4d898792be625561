/** Attention of large pictures in windows: against plain loops, over tiles that do not divide, and where it is off. */
import { fileURLToPath } from "node:url";
import { Graph, SafetensorsFile, Session } from "@everframe/graph";
import { defaultParameters, type Parameters } from "@everframe/protocol";
import { describe, expect, it } from "vitest";
import { planWindows, seenRows, windowedAttention } from "./attention-window.ts";
import { type AttentionWindow, readModelConfig, type TransformerConfig } from "./config.ts";
import { LongLiveStream } from "./stream.ts";
import { openTinyParts, stripeVideo } from "./testing/tiny-parts.ts";
import { transformerGraph } from "./transformer.ts";
import { vaceGraph } from "./vace.ts";

const FOLDER = fileURLToPath(new URL("../../../models/longlive-tiny", import.meta.url));
const shipped = readModelConfig(FOLDER);
const { attentionWindow: _, ...transformer } = shipped.transformer;
const tiny = { ...shipped, transformer };
const small: TransformerConfig = { ...tiny.transformer, dim: 8, heads: 2 };

const windowed = (size: readonly [number, number], whole = size): TransformerConfig => ({
  ...small,
  attentionWindow: { size, whole },
});
/** A grid of patches of 2x2 latents. */
const gridOf = (rows: number, columns: number) => ({ height: 2 * rows, width: 2 * columns });

describe("planWindows", () => {
  it.each([
    [20, 36, 11, 20],
    [7, 10, 4, 5],
    [11, 31, 11, 20],
    [30, 5, 11, 20],
  ])("tiles %d x %d tokens with neighbourhoods of %d x %d", (rows, columns, high, wide) => {
    const config = windowed([high, wide]);
    const plan = planWindows(config, gridOf(rows, columns))!;
    const size = plan.tiles[0]!.length;
    expect(new Set(plan.tiles.flat())).toEqual(new Set(Array.from({ length: rows * columns }, (_, token) => token)));
    expect(plan.tiles.flat().length).toBeLessThan(1.6 * rows * columns);
    for (const [token, place] of plan.places.entries()) {
      expect(plan.tiles[Math.floor(place / size)]![place % size]).toBe(token);
    }
    const [rowsSeen, columnsSeen] = [Math.min(high, rows), Math.min(wide, columns)];
    expect(new Set(plan.spread).size).toBe(rowsSeen * columnsSeen);
    expect(Math.max(...plan.spread)).toBeLessThan(rows * columns);
    for (const [tile, seen] of plan.seen.entries()) {
      expect(seen).toHaveLength(rowsSeen * columnsSeen);
      expect(new Set(seen.map((token) => Math.floor(token / columns))).size).toBe(rowsSeen);
      expect(new Set(seen.map((token) => token % columns)).size).toBe(columnsSeen);
      expect(seen).toEqual(expect.arrayContaining([...plan.tiles[tile]!]));
    }
  });

  it("is off where the picture fits into the window, and where there is none", () => {
    expect(planWindows(windowed([11, 20]), gridOf(11, 20))).toBeUndefined();
    expect(planWindows(small, gridOf(20, 36))).toBeUndefined();
  });

  it("is off up to the whole pictures of a smaller window, and has its size above them", () => {
    const config = windowed([5, 8], [11, 20]);
    expect(planWindows(config, gridOf(11, 20))).toBeUndefined();
    for (const grid of [gridOf(12, 20), gridOf(11, 21)]) {
      const { seen, spread } = planWindows(config, grid)!;
      expect([...seen, spread].map((tokens) => tokens.length)).toEqual(Array(seen.length + 1).fill(5 * 8));
    }
  });

  it("leaves the graphs of such pictures as they are", () => {
    const file = SafetensorsFile.open(`${FOLDER}/${tiny.transformer.weights}`);
    const grid = gridOf(4, 6);
    const graphs = (transformer: TransformerConfig) => {
      const config = { ...tiny, transformer };
      return [
        transformerGraph(config, { main: file, vace: file }, grid),
        vaceGraph(config, config.vace!, { main: file, vace: file }, grid),
      ].map(({ bytes }) => Buffer.from(bytes).toString("base64"));
    };
    const attentionWindow: AttentionWindow = { size: [2, 3], whole: [11, 20] };
    expect(graphs({ ...tiny.transformer, attentionWindow })).toEqual(graphs(tiny.transformer));
  });
});

describe("windowedAttention", () => {
  it.each(["fused", "plain"] as const)("agrees with plain loops over what each query sees, %s", async (attention) => {
    const [rows, columns, ownFrames, frames] = [7, 10, 2, 3];
    const config = windowed([4, 5]);
    const grid = gridOf(rows, columns);
    const plan = planWindows(config, grid)!;
    const g = new Graph("windows", { attention });
    const attend = windowedAttention(g, config, grid)!;
    const q = g.input("q", [`${rows * columns}*frames`, config.dim]);
    const [k, v] = ["k", "v"].map((name) => g.input(name, ["keys", config.dim]));
    g.output("out", attend(q, { k: k!, v: v! }));
    const session = await Session.create(g.build());
    const tensor = (count: number, seed: number) => ({
      data: Float32Array.from({ length: count * rows * columns * config.dim }, (_, i) => Math.sin(seed + 1.7 * i * i)),
      dims: [count * rows * columns, config.dim],
    });
    const [queries, keys, values] = [tensor(ownFrames, 1), tensor(frames, 2), tensor(frames, 3)];
    // The first frame is a reference image.
    const inputs = { q: queries!, k: keys!, v: values!, seen_rows: seenRows(plan, frames, 1) };
    const { out } = await session.run(inputs);
    await session.close();

    const headDim = config.dim / config.heads;
    const perFrame = rows * columns;
    let worst = 0;
    for (let query = 0; query < ownFrames * perFrame; query++) {
      const tile = Math.floor(plan.places[query % perFrame]! / plan.tiles[0]!.length);
      const seenOf = (f: number) => (f === 0 ? plan.spread : plan.seen[tile]!).map((token) => f * perFrame + token);
      const seen = [0, 1, 2].flatMap(seenOf);
      for (let head = 0; head < config.heads; head++) {
        const channel = (row: number, c: number) => row * config.dim + head * headDim + c;
        const weights = seen.map((key) => {
          let dot = 0;
          for (let c = 0; c < headDim; c++) dot += queries.data[channel(query, c)]! * keys.data[channel(key, c)]!;
          return Math.exp(dot / Math.sqrt(headDim));
        });
        const total = weights.reduce((a, b) => a + b, 0);
        for (let c = 0; c < headDim; c++) {
          const wanted = seen.reduce((sum, key, i) => sum + weights[i]! * values.data[channel(key, c)]!, 0) / total;
          worst = Math.max(worst, Math.abs(wanted - (out!.data as Float32Array)[channel(query, c)]!));
        }
      }
    }
    expect(worst).toBeLessThan(1e-6);
  });

  it("changes a stream's pictures little where a window is a little smaller than the picture", async () => {
    const [full, windowed] = [await pictures(undefined), await pictures([4, 5])];
    const difference = full.reduce((sum, value, i) => sum + Math.abs(value - windowed[i]!), 0) / full.length;
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(6);
  });
});

/** Two chunks with condition, of 4 x 6 tokens, with a clean pass that keeps the keys only. */
async function pictures(size: readonly [number, number] | undefined): Promise<Uint8Array> {
  const attentionWindow = size ? { attentionWindow: { size, whole: size } } : {};
  const parts = await openTinyParts({ width: 96, height: 64 }, attentionWindow);
  const stream = new LongLiveStream(parts, { seed: 7 });
  const parameters: Parameters = {
    ...defaultParameters(),
    inputMode: "video",
    prompts: [{ text: "oil painting", weight: 1 }],
  };
  const frames: Uint8Array[] = [];
  for (const phase of [0, 84]) {
    const chunk = await stream.generate({ parameters, frames: stripeVideo(phase) });
    frames.push(...chunk.frames.map(({ data }) => data));
  }
  stream.close();
  await parts.close();
  return Buffer.concat(frames);
}
