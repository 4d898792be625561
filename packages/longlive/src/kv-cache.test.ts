import { describe, expect, it } from "vitest";
import { HostKeys, type MoveKeys } from "./key-storage.ts";
import { KvCache, type KvCacheSizes } from "./kv-cache.ts";

const SIZES = { frameTokens: 2, windowFrames: 12, sinkFrames: 3, relative: false };
const [LAYERS, DIM] = [2, 3];
const FRAME = SIZES.frameTokens * DIM;

function cacheOf(sizes: KvCacheSizes, move?: MoveKeys): KvCache {
  const capacity = sizes.windowFrames * sizes.frameTokens;
  return new KvCache(sizes, new HostKeys({ layers: LAYERS, dim: DIM, capacity }, move));
}

/** Keys that carry their absolute frame (values: frame + 0.5), plus `mark` in the hundreds. */
function keysOf(start: number, count: number, mark = 0) {
  const k = new Float32Array(count * FRAME).map((_, i) => 100 * mark + start + Math.floor(i / FRAME));
  return Array.from({ length: LAYERS }, (_, layer) => ({
    k: k.map((value) => value + 1000 * layer),
    v: k.map((value) => value + 0.5),
  }));
}

function framesOf(keys: Float32Array): number[] {
  return Array.from({ length: keys.length / FRAME }, (_, i) => keys[i * FRAME]!);
}

/** One call: the frames that its queries see. */
async function call(cache: KvCache, start: number, count: number, mark = 0): Promise<number[]> {
  const window = cache.open(start, count);
  const own = keysOf(start, count, mark);
  const seen = [
    ...framesOf((await cache.past(window))[0]!.k as Float32Array),
    ...framesOf(own[0]!.k).slice(window.droppedFrames),
  ];
  await cache.keep(window, own);
  return seen;
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe("KvCache", () => {
  it("shows text chunks the sink and the nine newest frames", async () => {
    const cache = cacheOf(SIZES);
    const expected = [range(0, 2), range(0, 5), range(0, 8), range(0, 11)];
    for (const [chunk, frames] of expected.entries()) expect(await call(cache, 3 * chunk, 3)).toEqual(frames);
    for (let chunk = 4; chunk < 9; chunk++) {
      expect(await call(cache, 3 * chunk, 3)).toEqual([0, 1, 2, ...range(3 * chunk - 6, 3 * chunk + 2)]);
    }
  });

  it("takes keys that are written in its own memory as any others, and does not show them before", async () => {
    const [copied, written] = [cacheOf(SIZES), cacheOf(SIZES)];
    for (let chunk = 0; chunk < 8; chunk++) {
      await call(copied, 3 * chunk, 3, chunk);
      const window = written.open(3 * chunk, 3);
      const own = written.own(window)! as readonly { k: Float32Array; v: Float32Array }[];
      // A pass that comes to nothing, then one that counts.
      for (const mark of [77, chunk]) {
        for (const [i, { k, v }] of keysOf(3 * chunk, 3, mark).entries()) {
          own[i]!.k.set(k);
          own[i]!.v.set(v);
        }
        const past = (await written.past(window))[0]!.k as Float32Array;
        expect(framesOf(past)).not.toContain(7700 + 3 * chunk);
      }
      await written.keep(window, own);
      for (let layer = 0; layer < LAYERS; layer++)
        expect(await written.layer(layer)).toEqual(await copied.layer(layer));
    }
    written.reset();
    expect((await written.layer(0)).k.every((value) => value === 0)).toBe(true);
    // Keys behind the sink's keep their place only as copies: the sink is not written again.
    const window = copied.open(18, 6);
    expect([window.droppedFrames, copied.own(copied.open(12, 12)) === undefined]).toEqual([0, true]);
  });

  it("shows video chunks, the first of four frames, the same window", async () => {
    const cache = cacheOf(SIZES);
    expect(await call(cache, 0, 4)).toEqual(range(0, 3));
    expect(await call(cache, 4, 3)).toEqual(range(0, 6));
    expect(await call(cache, 7, 3)).toEqual(range(0, 9));
    expect(await call(cache, 10, 3)).toEqual([0, 1, 2, ...range(4, 12)]);
    for (let chunk = 4; chunk < 9; chunk++) {
      const start = 3 * chunk + 1;
      expect(await call(cache, start, 3)).toEqual([0, 1, 2, ...range(start - 6, start + 2)]);
    }
  });

  it("computes a chunk again in place, without moving on", async () => {
    const cache = cacheOf(SIZES);
    for (let chunk = 0; chunk < 5; chunk++) await call(cache, 3 * chunk, 3);
    expect(await call(cache, 12, 3, 7)).toEqual([0, 1, 2, ...range(6, 11), 712, 713, 714]);
    expect(cache.endFrame).toBe(15);
    expect(cache.frames).toBe(12);
    expect(await call(cache, 15, 3)).toEqual([0, 1, 2, ...range(9, 11), 712, 713, 714, 15, 16, 17]);
  });

  it("rewrites the sink when it is computed again from frame 0", async () => {
    const cache = cacheOf(SIZES);
    for (let chunk = 0; chunk < 4; chunk++) await call(cache, 3 * chunk, 3);
    expect(await call(cache, 0, 12, 7)).toEqual(range(700, 711));
    expect(framesOf((await cache.layer(0)).k)).toEqual(range(700, 711));
    expect(framesOf((await cache.layer(1)).k)).toEqual(range(1700, 1711));
    expect(framesOf((await cache.layer(1)).v)).toEqual(range(700, 711).map((value) => value + 0.5));
  });

  it("keeps the old sink when it is computed again from a later frame", async () => {
    const cache = cacheOf(SIZES);
    for (let chunk = 0; chunk < 5; chunk++) await call(cache, 3 * chunk, 3);
    expect(await call(cache, 3, 12, 7)).toEqual([0, 1, 2, ...range(706, 714)]);
  });

  it("rolls a window without sink", async () => {
    const cache = cacheOf({ ...SIZES, windowFrames: 6, sinkFrames: 0 });
    expect(await call(cache, 0, 4)).toEqual(range(0, 3));
    expect(await call(cache, 4, 3)).toEqual(range(1, 6));
    expect(await call(cache, 1, 6, 7)).toEqual(range(701, 706));
    expect(await call(cache, 7, 3)).toEqual([704, 705, 706, 7, 8, 9]);
  });

  it("holds nothing after a reset", async () => {
    const cache = cacheOf(SIZES);
    await call(cache, 0, 4);
    cache.reset();
    expect([cache.frames, cache.endFrame]).toEqual([0, 0]);
    expect((await cache.layer(0)).k.every((value) => value === 0)).toBe(true);
    expect(await call(cache, 0, 3)).toEqual(range(0, 2));
  });

  it("counts positions within the window when keys can be moved", async () => {
    // Moving a key adds to its number, so that it says where it stands in time.
    const move = (keys: Float32Array, frames: number) => keys.set(keys.map((value) => value + frames));
    const cache = cacheOf({ ...SIZES, relative: true }, move);
    const positions: number[] = [];
    for (let chunk = 0; chunk < 6; chunk++) {
      const window = cache.open(3 * chunk, 3);
      positions.push(window.firstPosition);
      await cache.keep(window, keysOf(window.firstPosition, 3));
    }
    expect(positions).toEqual([0, 3, 6, 9, 9, 9]);
    expect(framesOf((await cache.layer(0)).k)).toEqual(range(0, 11));
    expect(cache.open(6, 12)).toMatchObject({ firstPosition: 0, droppedFrames: 3, pastFrames: 3 });
    expect(cache.open(15, 3)).toMatchObject({ firstPosition: 9 });
  });
});
