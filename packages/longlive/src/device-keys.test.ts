/** Keys on the GPU go the way of those in memory: the same calls on both, the same rows afterwards. */
import { DeviceCopier, DeviceTensor } from "@everframe/graph";
import { defaultParameters } from "@everframe/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DeviceKeys, RowPicker } from "./device-keys.ts";
import { HostKeys, type LayerKeys } from "./key-storage.ts";
import { KvCache } from "./kv-cache.ts";
import { moveInTime } from "./rope.ts";
import { LongLiveStream } from "./stream.ts";
import { openTinyParts, stripeVideo } from "./testing/tiny-parts.ts";

const [LAYERS, HEADS, HEAD_DIM] = [2, 2, 12];
const DIM = HEADS * HEAD_DIM;
const SIZES = { frameTokens: 2, windowFrames: 6, sinkFrames: 1 };

const reason = await DeviceCopier.create().then(
  (copier) => copier.close(),
  (error: Error) => {
    console.warn(`Tests of keys on the GPU are skipped: ${error.message}`);
    return error.message;
  },
);

describe.skipIf(reason)("DeviceKeys", () => {
  let copier: DeviceCopier;
  let picker: RowPicker;
  beforeAll(async () => {
    copier = await DeviceCopier.create();
    picker = await RowPicker.create({ dim: DIM, heads: HEADS }, "webgpu");
  });
  afterAll(async () => {
    await picker?.close();
    await copier?.close();
  });

  function caches(relative: boolean): { host: KvCache; device: KvCache } {
    const sizes = { layers: LAYERS, dim: DIM, capacity: SIZES.windowFrames * SIZES.frameTokens };
    const move = (keys: Float32Array, frames: number) => moveInTime(keys, HEAD_DIM, frames);
    const host = new HostKeys(sizes, relative ? move : undefined);
    const device = new DeviceKeys(sizes, { picker, copier, moves: relative });
    return { host: new KvCache({ ...SIZES, relative }, host), device: new KvCache({ ...SIZES, relative }, device) };
  }

  const numbersOf = async (keys: readonly LayerKeys[]) => {
    const read = (values: LayerKeys["k"]) => (values instanceof DeviceTensor ? copier.download(values) : values);
    return Promise.all(keys.map(async ({ k, v }) => ({ k: await read(k), v: await read(v) })));
  };

  function expectClose(a: readonly { k: Float32Array; v: Float32Array }[], b: typeof a) {
    for (const [i, { k, v }] of a.entries()) {
      expect(k.length).toBe(b[i]!.k.length);
      // Keys that moved were turned by float32 angles here, by float64 ones there.
      expect(Math.max(0, ...k.map((value, n) => Math.abs(value - b[i]!.k[n]!)))).toBeLessThan(1e-6);
      expect(v).toEqual(b[i]!.v);
    }
  }

  /** One call on both: they show the same before it and hold the same after it. */
  async function call(both: { host: KvCache; device: KvCache }, start: number, count: number, seed: number) {
    const tokens = count * SIZES.frameTokens;
    const own = Array.from({ length: LAYERS }, (_, layer) => ({
      k: Float32Array.from({ length: tokens * DIM }, (_, i) => Math.sin(i + 100 * layer + 7 * seed)),
      v: Float32Array.from({ length: tokens * DIM }, (_, i) => Math.cos(i + 100 * layer + 7 * seed)),
    }));
    const upload = (data: Float32Array) => copier.upload({ data, dims: [tokens, DIM] });
    const sent = await Promise.all(own.map(async ({ k, v }) => ({ k: await upload(k), v: await upload(v) })));
    const windows = [both.host.open(start, count), both.device.open(start, count)] as const;
    expect(windows[1]).toEqual(windows[0]);
    const past = await both.device.past(windows[1]);
    for (const { k } of past) {
      if (windows[0].pastFrames > 0) expect((k as DeviceTensor).engineTensor.location).toBe("gpu-buffer");
    }
    expectClose(await numbersOf(past), await numbersOf(await both.host.past(windows[0])));
    await both.host.keep(windows[0], own);
    await both.device.keep(windows[1], sent);
    for (const { k, v } of sent) expect([k.disposed, v.disposed]).toEqual([true, true]);
    for (let i = 0; i < LAYERS; i++) expectClose([await both.device.layer(i)], [await both.host.layer(i)]);
  }

  for (const relative of [false, true]) {
    it(`holds what memory would, ${relative ? "moved in time" : "at absolute positions"}, rolled and computed again`, async () => {
      const both = caches(relative);
      for (let chunk = 0; chunk < 4; chunk++) await call(both, 2 * chunk, 2, chunk);
      await call(both, 6, 2, 10);
      await call(both, 2, 6, 11);
      await call(both, 8, 2, 12);
      both.host.reset();
      both.device.reset();
      for (let i = 0; i < LAYERS; i++) expectClose([await both.device.layer(i)], [await both.host.layer(i)]);
      await call(both, 0, 3, 13);
    });
  }

  it("serves a whole stream, whose pictures are those of the CPU", { timeout: 300_000 }, async () => {
    const size = { width: 64, height: 32 };
    const made = async (device: "cpu" | "webgpu") => {
      const parts = await openTinyParts(size, { device });
      try {
        const held: Float32Array[] = [];
        const stream = new LongLiveStream(parts, {
          seed: 5,
          observe: async (event) => {
            if (event.type === "finished") held.push(Float32Array.from((await event.cache.layer(1)).k));
          },
        });
        const pictures: Float32Array[] = [];
        for (let chunk = 0; chunk < 3; chunk++) {
          const parameters = {
            ...defaultParameters(),
            inputMode: "video" as const,
            vaceEnabled: chunk > 0,
            denoisingStepList: [700],
            prompts: [{ text: chunk < 2 ? "photo" : "pencil sketch", weight: 1 }],
          };
          const { frames } = await stream.generate({ parameters, frames: stripeVideo(40 * chunk) });
          pictures.push(Float32Array.from(frames.at(-1)!.data));
        }
        stream.close();
        return [...pictures, ...held];
      } finally {
        await parts.close();
      }
    };
    const [cpu, gpu] = [await made("cpu"), await made("webgpu")];
    for (const [i, values] of gpu.entries()) {
      // Pictures in steps of 255, keys in float32.
      const most = i < 3 ? 1 : 1e-3;
      expect(Math.max(...values.map((value, n) => Math.abs(value - cpu[i]![n]!)))).toBeLessThanOrEqual(most);
    }
  });
});
