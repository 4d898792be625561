/** Streams of longlive-tiny at a small size: real weights, real sessions. */
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultParameters, type ParameterUpdate } from "@everframe/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMPAT } from "./compat.ts";
import { LongLiveModel } from "./model.ts";
import type { Frame } from "./preprocess.ts";
import type { Chunk, LongLiveStream } from "./stream.ts";
import type { StreamEvent } from "./stream-event.ts";

const FOLDER = fileURLToPath(new URL("../../../models/longlive-tiny", import.meta.url));
const SIZE = { width: 64, height: 48 };

let model: LongLiveModel;
beforeAll(async () => {
  model = await LongLiveModel.load(FOLDER, SIZE);
});
afterAll(() => model.close());

/** Twelve frames of a moving ramp, larger than the model's size. */
function video(phase: number): Frame[] {
  return Array.from({ length: 12 }, (_, f) => {
    const data = new Uint8Array(80 * 60 * 4).fill(255);
    for (let i = 0; i < 80 * 60; i++) {
      data.set([(i + 5 * f + phase) % 256, (3 * i + phase) % 256, Math.floor(i / 80) * 4], 4 * i);
    }
    return { width: 80, height: 60, data };
  });
}

const TEXT: ParameterUpdate = { inputMode: "text", denoisingStepList: [1000, 500] };
const NORMAL: ParameterUpdate = { inputMode: "video", vaceEnabled: false };
const VACE: ParameterUpdate = { inputMode: "video", vaceEnabled: true };

function generate(stream: LongLiveStream, update: ParameterUpdate, prompt: string, phase = 0): Promise<Chunk> {
  const parameters = { ...defaultParameters(), prompts: [{ text: prompt, weight: 1 }], ...update };
  return stream.generate({ parameters, frames: video(phase) });
}

const bytesOf = (chunk: Chunk) => Buffer.concat(chunk.frames.map(({ data }) => data));
const same = (a: Chunk, b: Chunk) => bytesOf(a).equals(bytesOf(b));

describe("LongLiveStream", () => {
  it("gives 13 pictures at the start of a video, 9 at the start of text or a condition, then 12", async () => {
    const expected = [
      [NORMAL, 13],
      [VACE, 9],
      [TEXT, 9],
    ] as const;
    for (const [update, first] of expected) {
      const stream = model.openStream({ seed: 1 });
      const chunks = [];
      for (let i = 0; i < 3; i++) chunks.push(await generate(stream, update, "photo"));
      expect(chunks.map(({ frames }) => frames.length)).toEqual([first, 12, 12]);
      expect(chunks.map(({ reset }) => reset)).toEqual([true, false, false]);
      expect(chunks[0]!.frames[0]).toMatchObject(SIZE);
    }
  });

  it("repeats itself bit for bit with the same seed, and not with another", async () => {
    const run = async (seed: number) => {
      const stream = model.openStream({ seed });
      const chunks: Chunk[] = [];
      for (let i = 0; i < 3; i++) chunks.push(await generate(stream, NORMAL, "oil painting", 7 * i));
      return Buffer.concat(chunks.map(bytesOf));
    };
    const first = await run(42);
    expect(first.equals(await run(42))).toBe(true);
    expect(first.equals(await run(43))).toBe(false);
  });

  it("keeps streams apart: in turn they give what each gives alone", async () => {
    const plans = [
      { seed: 1, update: NORMAL, prompts: ["black and white", "black and white", "sepia", "sepia"] },
      { seed: 2, update: VACE, prompts: ["anime", "thermal camera", "thermal camera", "anime"] },
      { seed: 3, update: TEXT, prompts: ["sepia", "sepia", "photo", "photo"] },
    ];
    const chunkOf = (stream: LongLiveStream, { update, prompts }: (typeof plans)[number], i: number) =>
      generate(stream, update, prompts[i]!, 11 * i);
    const alone: Chunk[][] = [];
    for (const plan of plans) {
      const stream = model.openStream(plan);
      const chunks: Chunk[] = [];
      for (let i = 0; i < 4; i++) chunks.push(await chunkOf(stream, plan, i));
      alone.push(chunks);
    }
    const streams = plans.map((plan) => model.openStream(plan));
    for (let i = 0; i < 4; i++) {
      for (const [s, plan] of plans.entries()) {
        expect(same(await chunkOf(streams[s]!, plan, i), alone[s]![i]!)).toBe(true);
      }
    }
  });

  it("changes the pictures with prompt, noise scale, input and condition scale", async () => {
    const first = async (update: ParameterUpdate, prompt = "photo", phase = 0) =>
      // What follows the input's stillness would see an input that the model does not.
      generate(model.openStream({ seed: 5, evenPictures: false }), update, prompt, phase);
    const normal = await first(NORMAL);
    expect(same(normal, await first(NORMAL, "pencil sketch"))).toBe(false);
    expect(same(normal, await first({ ...NORMAL, noiseScale: 0.4 }))).toBe(false);
    expect(same(normal, await first(NORMAL, "photo", 90))).toBe(false);
    const vace = await first(VACE);
    expect(same(vace, await first({ ...VACE, vaceContextScale: 0.5 }))).toBe(false);
    expect(same(vace, await first(VACE, "photo", 90))).toBe(false);
    const unseen = { ...VACE, vaceContextScale: 0 };
    expect(same(await first(unseen), await first(unseen, "photo", 90))).toBe(true);
  });

  it("starts anew for other steps and on demand, not for a new prompt, noise scale or mode", async () => {
    const stream = model.openStream({ seed: 1 });
    const resets: boolean[] = [];
    const push = async (update: ParameterUpdate, prompt: string) =>
      resets.push((await generate(stream, update, prompt)).reset);
    await push(NORMAL, "photo");
    await push(NORMAL, "sepia");
    await push({ ...NORMAL, noiseScale: 0.5 }, "sepia");
    await push({ ...NORMAL, denoisingStepList: [800, 400] }, "sepia");
    await push({ ...NORMAL, denoisingStepList: [800, 400] }, "sepia");
    await push({ ...NORMAL, denoisingStepList: [800, 400], resetCache: true }, "sepia");
    await push({ ...VACE, denoisingStepList: [800, 400] }, "sepia");
    expect(resets).toEqual([true, false, false, true, false, true, false]);
  });

  it("goes on without a cut when the prompt of a text stream changes, and does what the new prompt says", async () => {
    const [stream, other] = [model.openStream({ seed: 1 }), model.openStream({ seed: 1 })];
    for (let i = 0; i < 2; i++) await Promise.all([generate(stream, TEXT, "photo"), generate(other, TEXT, "photo")]);
    const changed = await generate(stream, TEXT, "sepia");
    expect(changed.reset).toBe(false);
    expect(same(changed, await generate(other, TEXT, "photo"))).toBe(false);
  });

  it("fits the first step of a noised video to its noise scale", async () => {
    const stepsOf = async (update: ParameterUpdate) => {
      const seen: (readonly number[])[] = [];
      const observe = (event: StreamEvent) => event.type === "start" && seen.push(event.steps);
      await generate(model.openStream({ seed: 1, observe }), update, "photo");
      return seen[0];
    };
    expect(await stepsOf({ ...NORMAL, noiseScale: 0.7 })).toEqual([600, 500]);
    expect(await stepsOf({ ...NORMAL, noiseScale: 0.05 })).toEqual([0, 500]);
    expect(await stepsOf(VACE)).toEqual([700, 500]);
    expect(await stepsOf({ inputMode: "text" })).toEqual([1000, 750, 500, 250]);
  });

  it("shows the empty prompt until it is told another", async () => {
    const stream = model.openStream({ seed: 1 });
    const parameters = { ...defaultParameters(), ...TEXT };
    const silent = await stream.generate({ parameters });
    expect(same(silent, await generate(model.openStream({ seed: 1 }), TEXT, ""))).toBe(true);
  });

  it("starts anew after a chunk that failed or was aborted", async () => {
    // Noise that repeats after a restart, so that the chunks can be compared.
    const stream = model.openStream({ seed: 1, compat: { ...COMPAT.everframe, freshNoise: false } });
    const fresh = await generate(stream, NORMAL, "photo");
    const parameters = { ...defaultParameters(), ...NORMAL };
    await expect(stream.generate({ parameters })).rejects.toMatchObject({ code: "chunk_failed" });
    const again = await generate(stream, NORMAL, "photo");
    expect(again.reset).toBe(true);
    expect(same(again, fresh)).toBe(true);
    const abort = AbortSignal.abort(new Error("the viewer left"));
    await expect(stream.generate({ parameters, frames: video(0) }, abort)).rejects.toThrow("the viewer left");
    expect(same(await generate(stream, NORMAL, "photo"), fresh)).toBe(true);
  });

  it("stops between steps for an abort that comes while one is computed", async () => {
    const control = new AbortController();
    const passes: string[] = [];
    const observe = (event: StreamEvent) => {
      if (event.type !== "pass") return;
      passes.push(event.kind);
      // As a message to the thread would: only seen once the thread is let go.
      setImmediate(() => control.abort(new Error("the viewer left")));
    };
    const stream = model.openStream({ seed: 1, observe });
    const parameters = { ...defaultParameters(), ...NORMAL };
    const making = stream.generate({ parameters, frames: video(0) }, control.signal);
    await expect(making).rejects.toThrow("the viewer left");
    expect(passes).toEqual(["denoise"]);
  });

  it("keeps the prompts that a transition has led to when a chunk fails", async () => {
    const sepia = [{ text: "sepia", weight: 1 }];
    const transition = { targetPrompts: sepia, numSteps: 2, temporalInterpolationMethod: "linear" as const };
    const stream = model.openStream({ seed: 1 });
    for (const update of [TEXT, { ...TEXT, transition }, { ...TEXT, transition }]) {
      await generate(stream, update, "photo");
    }
    const failing = stream.generate({ parameters: { ...defaultParameters(), ...NORMAL } });
    await expect(failing).rejects.toMatchObject({ code: "chunk_failed" });
    const after = await generate(stream, { ...TEXT, baseSeed: 50 }, "photo");
    // Noise goes on from what was made before it, so the other stream has to come as far.
    const direct = model.openStream({ seed: 1 });
    for (let i = 0; i < 3; i++) await generate(direct, TEXT, "sepia");
    const expected = await generate(direct, { ...TEXT, baseSeed: 50, resetCache: true }, "sepia");
    expect([after.reset, same(after, expected)]).toEqual([true, true]);
  });

  it("refuses a second chunk while one is being made, and any after it is closed", async () => {
    const stream = model.openStream({ seed: 1 });
    const running = generate(stream, NORMAL, "photo");
    await expect(generate(stream, NORMAL, "photo")).rejects.toThrow("internal");
    expect((await running).frames).toHaveLength(13);
    stream.close();
    await expect(generate(stream, NORMAL, "photo")).rejects.toThrow("closed");
  });

  it("says how long each station took", async () => {
    const { timingsMs } = await generate(model.openStream({ seed: 1 }), VACE, "photo");
    expect(timingsMs.denoise).toHaveLength(2);
    const { resize, encode, vace, denoise, cache, decode, text, total } = timingsMs;
    const parts = [resize, encode, vace, ...denoise, decode];
    expect(Math.min(...parts)).toBeGreaterThan(0);
    expect(parts.reduce((a, b) => a + b, text + cache)).toBeLessThanOrEqual(total);
  });
});

describe("a model's choice of noise and context", () => {
  const folder = mkdtempSync(join(tmpdir(), "model-"));
  const models: LongLiveModel[] = [];
  afterAll(async () => {
    for (const variant of models) await variant.close();
    rmSync(folder, { recursive: true });
  });

  /** The model with other settings in its config. */
  async function variant(settings: Record<string, unknown>): Promise<LongLiveModel> {
    cpSync(FOLDER, folder, { recursive: true });
    const config = JSON.parse(readFileSync(join(FOLDER, "config.json"), "utf8"));
    writeFileSync(join(folder, "config.json"), JSON.stringify({ ...config, ...settings }));
    const loaded = await LongLiveModel.load(folder, SIZE);
    models.push(loaded);
    return loaded;
  }

  /** Mean difference between the last pictures of two chunks of a video that stands still. */
  async function restlessness(variant: LongLiveModel, update: ParameterUpdate): Promise<number> {
    const stream = variant.openStream({ seed: 1 });
    const still = Array.from({ length: 12 }, () => video(0)[0]!);
    const parameters = { ...defaultParameters(), prompts: [{ text: "photo", weight: 1 }], ...update };
    const chunks: Chunk[] = [];
    for (let i = 0; i < 5; i++) chunks.push(await stream.generate({ parameters, frames: still }));
    const [a, b] = [chunks[3]!.frames.at(-1)!.data, chunks[4]!.frames.at(-1)!.data];
    return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
  }

  it("lets a still picture rest where the noise over videos is fixed", async () => {
    const [fresh, fixed] = [await variant({ noise: "fresh" }), await variant({ noise: "fixed" })];
    expect(await restlessness(fixed, NORMAL)).toBeLessThan(0.5 * (await restlessness(fresh, NORMAL)));
    expect(await restlessness(fixed, VACE)).toBeLessThan(0.5 * (await restlessness(fresh, VACE)));
    expect(await restlessness(fixed, TEXT)).toBeGreaterThan(1);
  });

  it("makes no pass for the context where the last step's keys serve, except after no step at all", async () => {
    const passes = async (context: string, update: ParameterUpdate) => {
      const seen: string[] = [];
      const observe = (event: StreamEvent) => event.type === "pass" && seen.push(event.kind);
      const stream = (await variant({ context })).openStream({ seed: 1, observe });
      for (const prompt of ["photo", "sepia"]) await generate(stream, update, prompt);
      return seen.join(" ");
    };
    expect(await passes("last_step", NORMAL)).toBe("denoise denoise denoise denoise");
    expect(await passes("clean_pass", NORMAL)).toBe("denoise denoise clean recache denoise denoise clean");
    expect(await passes("last_step", { ...NORMAL, noiseScale: 0 })).toBe("clean clean");
  });
});

describe("LongLiveModel.load", () => {
  it("loads any size that tokens fill, and names the nearest one otherwise", async () => {
    const other = await LongLiveModel.load(FOLDER, { width: 32, height: 16, vace: false });
    expect(other.vaceLoaded).toBe(false);
    const chunk = await generate(other.openStream({ seed: 1 }), VACE, "photo");
    expect(chunk.frames).toHaveLength(13); // Without condition branch the video is noised instead.
    expect(chunk.frames[0]).toMatchObject({ width: 32, height: 16 });
    await other.close();
    await expect(LongLiveModel.load(FOLDER, { width: 100, height: 48 })).rejects.toMatchObject({
      code: "invalid_resolution",
      message: expect.stringContaining("96x48"),
    });
  });

  it("says what is missing or broken in a folder", async () => {
    const folder = mkdtempSync(join(tmpdir(), "model-"));
    try {
      const load = () => LongLiveModel.load(folder, SIZE);
      await expect(load()).rejects.toMatchObject({ code: "model_missing" });
      cpSync(FOLDER, folder, { recursive: true });
      rmSync(join(folder, "vae.safetensors"));
      await expect(load()).rejects.toMatchObject({
        code: "model_missing",
        message: expect.stringContaining("vae.safetensors"),
      });
      cpSync(join(FOLDER, "vae.safetensors"), join(folder, "vae.safetensors"));
      truncateSync(join(folder, "transformer.safetensors"), 1000);
      await expect(load()).rejects.toMatchObject({ code: "model_corrupt" });
      cpSync(join(FOLDER, "transformer.safetensors"), join(folder, "transformer.safetensors"));
      const config = JSON.parse(readFileSync(join(FOLDER, "config.json"), "utf8"));
      config.transformer.dim = 128;
      writeFileSync(join(folder, "config.json"), JSON.stringify(config));
      await expect(load()).rejects.toMatchObject({ code: "model_corrupt" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("tells its stages and stops when asked to", async () => {
    const stages: string[] = [];
    const control = new AbortController();
    const onStage = (stage: string) => {
      stages.push(stage);
      if (stage === "transformer") control.abort(new Error("not wanted any more"));
    };
    const loading = LongLiveModel.load(FOLDER, { ...SIZE, onStage, signal: control.signal });
    await expect(loading).rejects.toThrow("not wanted any more");
    expect(stages).toEqual(["text encoder", "transformer"]);
  });
});
