/** Sessions of a pipeline that works in chunks, over real WebRTC, with a stand-in for the model. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { HubCache } from "../models/hub-cache.ts";
import { longlive } from "../pipelines/longlive.ts";
import { Rig } from "../testing/rig.ts";
import { until } from "../testing/test-client.ts";

const modelModule = new URL("../testing/stand-in-model.ts", import.meta.url).href;
let rig: Rig;

beforeAll(async () => {
  const places = { modelsDir: "unused", cache: new HubCache("unused") };
  rig = await Rig.start({ pipelines: [longlive("longlive", { places, loraDir: "unused", modelModule })] });
  await rig.load("longlive", { seed: 90, width: 64, height: 48 });
});
afterEach(() => rig.closeClients());
afterAll(() => rig.close());

/** Brightness of the newest picture's middle, 0 to 255. */
function brightness(client: { frames: { width: number; data: Uint8Array }[] }): number {
  const frame = client.frames.at(-1)!;
  return frame.data[frame.width * 24 + 32]!;
}

describe("a session in text mode", () => {
  it("[RTC7] makes video for a client that only receives", async () => {
    const client = await rig.connect({ direction: "recvonly", parameters: { prompts: "grey" } });
    await client.receive(30);
    expect(client.hadStream).toBe(true);
    expect(client.frames.at(-1)).toMatchObject({ width: 64, height: 48 });
    await until(() => client.told("stats").some((one) => one.chunk_ms === 3), "the figures of a chunk");
    const stats = client.told("stats").find((one) => one.chunk_ms === 3)!;
    expect(stats).toMatchObject({ model: "stand-in", fps_in: 0, stages_ms: { denoise_1: 1, denoise_2: 2 } });
    expect(stats.fps_out).toBeGreaterThan(0);
  });

  it("uses the seed of the load until the client names another", async () => {
    const client = await rig.connect({ parameters: { prompts: "grey" } });
    await client.receive(15);
    const before = brightness(client);
    await client.send({ base_seed: 200 });
    await until(() => brightness(client) > before + 60, "a brighter picture");
  });
});

describe("a session in video mode", () => {
  it("[PAR10] makes chunks of the client's frames, and goes over from text while it runs", async () => {
    const client = await rig.connect({
      parameters: { input_mode: "text", prompts: "grey" },
      draw: (data) => data.fill(220, 0, 64 * 48),
    });
    await client.receive(15);
    expect(brightness(client)).toBeLessThan(130);
    await client.send({ input_mode: "video" });
    await until(() => brightness(client) > 180, "the client's own picture");
  });

  it("[SES3] gives two clients each their own stream", async () => {
    const bright = await rig.connect({
      parameters: { input_mode: "video" },
      draw: (data) => data.fill(220, 0, 64 * 48),
    });
    const dark = await rig.connect({ parameters: { input_mode: "video" }, draw: (data) => data.fill(30, 0, 64 * 48) });
    await Promise.all([bright.receive(30), dark.receive(30)]);
    expect(brightness(bright)).toBeGreaterThan(180);
    expect(brightness(dark)).toBeLessThan(70);
  });

  it("plays a model that is slower than the camera at the model's rate", async () => {
    const client = await rig.connect({ parameters: { input_mode: "video", prompts: "slow" } });
    await client.receive(40);
    const { fps_in, fps_out } = client.told("stats").at(-1)!;
    expect(fps_out).toBeGreaterThan(0);
    // 12 frames take at least 400 ms.
    expect(fps_out).toBeLessThan(33);
    expect(fps_in).toBeGreaterThan(0);
  });
});

describe("failures", () => {
  it("[STR6] tells of a chunk that failed, and goes on", async () => {
    const client = await rig.connect({ parameters: { prompts: "grey" } });
    await client.receive(5);
    await client.send({ reset_cache: true });
    await until(() => client.told("error").length === 1, "the error");
    expect(client.told("error")[0]).toEqual({
      type: "error",
      code: "chunk_failed",
      message: "A chunk of video could not be made: a stand-in failure, once",
      retryable: true,
    });
    await client.receive(30);
    expect(client.told("error")).toHaveLength(1);
    expect(client.told("stream_stopped")).toEqual([]);
  });

  it("[STR6] stops the stream after three failures in a row, and says why", async () => {
    const since = rig.logLines.length;
    const client = await rig.connect({ parameters: { prompts: "throw" } });
    await until(() => client.told("stream_stopped").length === 1, "the end");
    expect(client.told("stream_stopped")[0]).toEqual({
      type: "stream_stopped",
      reason: "chunks_failed",
      code: "chunk_failed",
      error_message: expect.stringContaining("a stand-in failure"),
    });
    expect(client.told("error")).toHaveLength(2);
    expect(await rig.sessionCount()).toBe(0);
    const warnings = rig.logLines.slice(since).filter((line) => line.includes("chunk failed"));
    expect(warnings).toHaveLength(3);
  });

  it("[STR6] stops the stream at once when memory is out", async () => {
    const client = await rig.connect({ parameters: { prompts: "exhaust" } });
    await until(() => client.told("stream_stopped").length === 1, "the end");
    expect(client.told("stream_stopped")[0]).toMatchObject({ code: "out_of_memory", reason: "chunks_failed" });
    expect(client.told("error")).toEqual([]);
  });

  it("[SES8] tells every session when the engine dies, says so in the status, and loads again", async () => {
    const bystander = await rig.connect({ parameters: { prompts: "grey" } });
    await bystander.receive(5);
    const fatal = await rig.connect({ parameters: { prompts: "die" } });
    for (const client of [bystander, fatal]) {
      await until(() => client.told("stream_stopped").length === 1, "the end");
      expect(client.told("stream_stopped")[0]).toMatchObject({ reason: "pipeline_failed", code: "load_failed" });
    }
    expect(await rig.status()).toMatchObject({ status: "error", error: expect.stringContaining("Load it again") });
    await expect(rig.connect()).rejects.toThrow(/Pipeline not loaded/);
    await rig.load("longlive", { seed: 90, width: 64, height: 48 });
    const next = await rig.connect({ parameters: { prompts: "grey" } });
    await next.receive(5);
  });
});
