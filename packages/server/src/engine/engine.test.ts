/** The real thread with a stand-in for the model. */
import { defaultParameters } from "@everframe/protocol";
import { afterEach, describe, expect, it } from "vitest";
import type { ChunkStream } from "../pipelines/pipeline.ts";
import type { RgbaFrame } from "../webrtc/media-peer.ts";
import { Engine } from "./engine.ts";

const modelModule = new URL("../testing/stand-in-model.ts", import.meta.url).href;
const engines: Engine[] = [];
const never = new AbortController().signal;

function start(): { engine: Engine; stages: string[]; notices: string[]; crashes: Error[] } {
  const stages: string[] = [];
  const notices: string[] = [];
  const crashes: Error[] = [];
  const engine = new Engine({
    modelModule,
    onStage: (stage) => stages.push(stage),
    onNotice: (text) => notices.push(text),
    onCrash: (error) => crashes.push(error),
  });
  engines.push(engine);
  return { engine, stages, notices, crashes };
}

async function loaded(): Promise<{ engine: Engine; crashes: Error[] }> {
  const started = start();
  await started.engine.load("any", { vace: true }, never);
  return started;
}

function generate(stream: ChunkStream, text: string, options: { frames?: RgbaFrame[]; signal?: AbortSignal } = {}) {
  const parameters = { ...defaultParameters(), prompts: [{ text, weight: 1 }] };
  const { frames, signal = never } = options;
  return stream.generate({ parameters, ...(frames === undefined ? {} : { frames }) }, signal);
}

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
});

describe("Engine", () => {
  it("loads a model, says what it is doing, and makes chunks", async () => {
    const { engine, stages, notices } = start();
    const info = await engine.load("any", { width: 64, height: 48, vace: true }, never);
    expect(info).toEqual({
      model: "stand-in",
      size: { width: 64, height: 48 },
      defaultSize: { width: 32, height: 16 },
    });
    expect(stages).toEqual(["stand-in"]);
    expect(notices).toEqual(["a stand-in notice"]);
    const stream = await engine.openStream(9);
    const chunk = await generate(stream, "grey");
    expect(chunk.frames).toHaveLength(12);
    expect(chunk.frames[0]!.data.every((byte) => byte === 9)).toBe(true);
    expect(chunk.stagesMs).toMatchObject({ denoise_1: 1, denoise_2: 2, total: 3 });
  });

  it("gives frames away and gets them back without a copy left behind", async () => {
    const { engine } = await loaded();
    const stream = await engine.openStream(0);
    const data = new Uint8Array(32 * 16 * 4).fill(5);
    const chunk = await generate(stream, "echo", { frames: [{ width: 32, height: 16, data }] });
    expect(data.byteLength).toBe(0);
    expect(chunk.frames[0]!.data).toEqual(new Uint8Array(32 * 16 * 4).fill(5));
  });

  it("gives images away too, and tells what the model says of the chunk", async () => {
    const { engine } = await loaded();
    const stream = await engine.openStream(0);
    const [one, two, three] = [1, 2, 3].map((level) => ({ width: 1, height: 1, data: new Uint8Array(4).fill(level) }));
    const images = { references: [one!, two!], firstImage: three! };
    const chunk = await stream.generate({ parameters: defaultParameters(), ...images }, never);
    expect(chunk.notices[0]).toMatch(/references \[1x1:1\/1\/1\/1 1x1:2\/2\/2\/2\], first 1x1:3\/3\/3\/3\.$/);
    expect([one, two, three].map((image) => image!.data.byteLength)).toEqual([0, 0, 0]);
  });

  it("[SES19] serves streams in turn, so that none waits for more than the others' one chunk", async () => {
    const { engine } = await loaded();
    const streams = await Promise.all([engine.openStream(1), engine.openStream(2), engine.openStream(3)]);
    const orders = await Promise.all(
      streams.map(async (stream) => {
        const own: number[] = [];
        for (let i = 0; i < 4; i++) own.push((await generate(stream, "grey")).stagesMs["order"]!);
        return own;
      }),
    );
    for (const own of orders) {
      const gaps = own.slice(1).map((order, i) => order - own[i]!);
      expect(gaps).toEqual([3, 3, 3]);
    }
  });

  it("tells how long it has said nothing while it had something to do", async () => {
    const { engine } = await loaded();
    expect(engine.silentMs).toBe(0);
    const stream = await engine.openStream(0);
    const abort = new AbortController();
    const running = generate(stream, "endless", { signal: abort.signal });
    await new Promise((resolve) => setTimeout(resolve, 60));
    const before = engine.silentMs;
    expect(before).toBeGreaterThan(20);
    abort.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    expect(engine.silentMs).toBe(0);
    const next = generate(stream, "grey");
    expect(engine.silentMs).toBeLessThan(before);
    await next;
  });

  it("passes a model's errors on as they are, and lives on", async () => {
    const { engine, crashes } = await loaded();
    const stream = await engine.openStream(0);
    await expect(generate(stream, "throw")).rejects.toMatchObject({
      code: "chunk_failed",
      message: expect.stringContaining("a stand-in failure"),
    });
    await expect(generate(stream, "exhaust")).rejects.toMatchObject({ code: "out_of_memory" });
    expect((await generate(stream, "grey")).frames).toHaveLength(12);
    expect(crashes).toEqual([]);
  });

  it("tells why a model cannot be loaded", async () => {
    const { engine } = start();
    await expect(engine.load("broken", { vace: true }, never)).rejects.toMatchObject({ code: "model_corrupt" });
    await expect(engine.load("unreadable", { vace: true }, never)).rejects.toThrow(/^a stand-in surprise$/);
  });

  it("gives up at once what is aborted, running or waiting, and goes on with the rest", async () => {
    const { engine } = await loaded();
    const [one, two] = [await engine.openStream(1), await engine.openStream(2)];
    const abort = new AbortController();
    const running = generate(one, "endless", { signal: abort.signal });
    const waiting = generate(two, "grey");
    abort.abort(new Error("given up"));
    await expect(running).rejects.toThrow("given up");
    expect((await waiting).frames).toHaveLength(12);
  });

  it("fails what waits when the thread dies, tells of it once, and refuses what comes after", async () => {
    const { engine, crashes } = await loaded();
    const stream = await engine.openStream(1);
    const dying = generate(stream, "die");
    const waiting = engine.openStream(2);
    const outcomes = await Promise.allSettled([dying, waiting]);
    expect(outcomes.map((one) => one.status)).toEqual(["rejected", "rejected"]);
    await expect(generate(stream, "grey")).rejects.toThrow("code 7");
    expect(crashes).toHaveLength(1);
    await engine.stop();
  });

  it("stops in the middle of a chunk and of a load", async () => {
    const { engine, crashes } = await loaded();
    const running = generate(await engine.openStream(1), "endless");
    const loading = start();
    const load = loading.engine.load("endless", { vace: true }, never);
    const outcomes = Promise.allSettled([running, load]);
    await Promise.all([engine.stop(), loading.engine.stop()]);
    expect((await outcomes).map((one) => one.status)).toEqual(["rejected", "rejected"]);
    expect([...crashes, ...loading.crashes]).toEqual([]);
  });
});
