/** Conditions and adapters through the stream that viewers get: longlive-tiny at a small size, all repairs on. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultParameters, type Lora, type ParameterUpdate } from "@everframe/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LongLiveModel } from "./model.ts";
import type { Chunk, ChunkInput, LongLiveStream } from "./stream.ts";
import { stripes, stripeVideo } from "./testing/tiny-parts.ts";
import { randomTensor, type TestTensor, writeWeights } from "./testing/weights.ts";

const FOLDER = fileURLToPath(new URL("../../../models/longlive-tiny", import.meta.url));
const SIZE = { width: 64, height: 48 };
const FRAMES = stripeVideo(0);

let model: LongLiveModel;
let folder: string;
beforeAll(async () => {
  model = await LongLiveModel.load(FOLDER, SIZE);
  folder = mkdtempSync(join(tmpdir(), "adapters-"));
});
afterAll(async () => {
  await model.close();
  rmSync(folder, { recursive: true });
});

function generate(stream: LongLiveStream, input: Omit<ChunkInput, "parameters"> = {}, update: ParameterUpdate = {}) {
  const prompts = [{ text: "sepia", weight: 1 }];
  const parameters = { ...defaultParameters(), inputMode: "video" as const, prompts, ...update };
  return stream.generate({ frames: FRAMES, ...input, parameters });
}

const bytesOf = (chunk: Chunk) => Buffer.concat(chunk.frames.map(({ data }) => data));
const same = (a: Chunk, b: Chunk) => bytesOf(a).equals(bytesOf(b));

/** The second chunk of a stream whose first had no condition but the video. */
async function second(input: Omit<ChunkInput, "parameters">, update: ParameterUpdate = {}): Promise<Chunk> {
  const stream = model.openStream({ seed: 3 });
  await generate(stream);
  return generate(stream, input, update);
}

describe("a condition", () => {
  it("is told by masks what to keep: white as without mask, other masks otherwise", async () => {
    const grey = (value: number) => ({ width: 8, height: 8, data: new Uint8Array(256).fill(value) });
    const half = stripes(0);
    half.data.fill(0, 0, half.data.length / 2).fill(255, half.data.length / 2);
    const plain = await second({});
    expect(same(await second({ masks: [grey(255)] }), plain)).toBe(true);
    const mixed = await second({ masks: [half] });
    expect(same(mixed, plain)).toBe(false);
    expect(same(await second({ masks: [grey(0)] }), mixed)).toBe(false);
    expect(mixed.frames).toHaveLength(12);
  });

  it("takes references until they are changed or cleared, with video, over noised video and with text alone", async () => {
    const modes: ParameterUpdate[] = [{}, { vaceUseInputVideo: false }, { inputMode: "text" }];
    for (const update of modes) {
      const run = async (given: readonly (ChunkInput["references"] | undefined)[]) => {
        const stream = model.openStream({ seed: 3 });
        const chunks: Chunk[] = [];
        for (const references of given) chunks.push(await generate(stream, references ? { references } : {}, update));
        return chunks;
      };
      const [a, b] = [[stripes(10)], [stripes(10), stripes(140)]];
      const none = await run([undefined, undefined]);
      const kept = await run([a, undefined]);
      expect(kept.map((chunk, i) => same(chunk, none[i]!))).toEqual([false, false]);
      expect(same(kept[1]!, (await run([a, a]))[1]!)).toBe(true);
      expect(same(kept[1]!, (await run([a, b]))[1]!)).toBe(false);
      expect(same(kept[1]!, (await run([a, []]))[1]!)).toBe(false);
    }
  });

  it("holds references that came while conditions were switched off, or with a chunk that failed", async () => {
    const references = [stripes(10)];
    const text = { inputMode: "text" as const };
    const run = async (first: (stream: LongLiveStream) => Promise<unknown>) => {
      const stream = model.openStream({ seed: 3 });
      await first(stream);
      return generate(stream, {}, { ...text, resetCache: true, baseSeed: 0 });
    };
    const off = await run((stream) => generate(stream, { references }, { ...text, vaceEnabled: false }));
    const without = await run((stream) => generate(stream, {}, { ...text, vaceEnabled: false }));
    expect(same(off, without)).toBe(false);
    const failed = (given: { references?: ChunkInput["references"] }) =>
      run(async (stream) => {
        const failing = generate(stream, { ...given, frames: [] } as Omit<ChunkInput, "parameters">);
        await expect(failing).rejects.toMatchObject({ code: "chunk_failed" });
      });
    expect(same(await failed({ references }), await failed({}))).toBe(false);
  });

  it("starts from one picture and leads to another when asked to, in one chunk", async () => {
    const plain = await second({});
    const image = stripes(77);
    for (const images of [{ firstImage: image }, { lastImage: image }]) {
      const stream = model.openStream({ seed: 3 });
      await generate(stream);
      const chunk = await generate(stream, images);
      expect(chunk.frames).toHaveLength(12);
      expect(same(chunk, plain)).toBe(false);
      expect((await generate(stream)).frames).toHaveLength(12);
    }
    const text = model.openStream({ seed: 3 });
    expect((await generate(text, { firstImage: image }, { inputMode: "text" })).frames).toHaveLength(9);
  });
});

describe("adapters", () => {
  function adapter(name: string): string {
    const tensors: Record<string, TestTensor> = {};
    for (const layer of ["self_attn.o", "cross_attn.v", "ffn.2"]) {
      const inner = layer === "ffn.2" ? 1024 : 256;
      tensors[`diffusion_model.blocks.1.${layer}.lora_A.weight`] = randomTensor([4, inner], 1);
      tensors[`diffusion_model.blocks.1.${layer}.lora_B.weight`] = randomTensor([256, 4], 2);
    }
    const path = join(folder, name);
    writeWeights(path, tensors);
    return path;
  }

  it("change the pictures alike whether merged or live, live ones by their scale", async () => {
    const path = adapter("style.safetensors");
    // In 8 bits a merged adapter is rounded otherwise than a live one.
    const exact = join(folder, "exact");
    cpSync(FOLDER, exact, { recursive: true });
    const config = JSON.parse(readFileSync(join(exact, "config.json"), "utf8"));
    config.transformer.linears = "f32";
    writeFileSync(join(exact, "config.json"), JSON.stringify(config));
    const load = (lora: Omit<Lora, "path">) => LongLiveModel.load(exact, { ...SIZE, loras: [{ path, ...lora }] });
    const without = await LongLiveModel.load(exact, SIZE);
    const merged = await load({ scale: 0.3, mergeMode: "permanent_merge" });
    const live = await load({ scale: 0.3, mergeMode: "runtime_peft" });
    try {
      const first = (of: LongLiveModel) => generate(of.openStream({ seed: 3 }));
      const [plain, fromMerged, fromLive] = [await first(without), await first(merged), await first(live)];
      const difference = (a: Chunk, b: Chunk) => {
        const [x, y] = [bytesOf(a), bytesOf(b)];
        return x.reduce((most, byte, i) => Math.max(most, Math.abs(byte - y[i]!)), 0);
      };
      expect(difference(fromMerged, fromLive)).toBeLessThanOrEqual(1);
      expect(difference(fromLive, plain)).toBeGreaterThan(3);

      const stream = live.openStream({ seed: 3 });
      await generate(stream);
      const scales = (scale: number) => ({ loraScales: [{ path, scale }] });
      const off = await generate(stream, {}, { ...scales(0), baseSeed: 0 });
      expect([off.reset, off.notices]).toEqual([true, []]);
      const bare = without.openStream({ seed: 3 });
      await generate(bare);
      const wanted = await generate(bare, {}, { resetCache: true, baseSeed: 0 });
      expect(difference(off, wanted)).toBeLessThanOrEqual(1);
      expect((await generate(stream, {}, scales(0))).reset).toBe(false);
      expect((await generate(stream, {}, { ...scales(1), manageCache: false })).reset).toBe(false);
    } finally {
      await without.close();
      await merged.close();
      await live.close();
    }
  });

  it("that cannot be used are refused when the model is loaded", async () => {
    const loras = [{ path: join(folder, "none.safetensors"), scale: 1, mergeMode: "permanent_merge" as const }];
    await expect(LongLiveModel.load(FOLDER, { ...SIZE, loras })).rejects.toMatchObject({ code: "lora_unusable" });
  });
});
