/** What clients do with their connections, over real WebRTC with a stand-in for the model. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { HubCache } from "../models/hub-cache.ts";
import { longlive } from "../pipelines/longlive.ts";
import { Rig } from "../testing/rig.ts";
import { sleep, type TestClient, until } from "../testing/test-client.ts";

const modelModule = new URL("../testing/stand-in-model.ts", import.meta.url).href;
const SIZE = { width: 64, height: 48 };
let rig: Rig;

beforeAll(async () => {
  const places = { modelsDir: "unused", cache: new HubCache("unused") };
  rig = await Rig.start({ pipelines: [longlive("longlive", { places, loraDir: "unused", modelModule })] });
  await rig.load("longlive", { seed: 90, ...SIZE });
});
afterEach(() => rig.closeClients());
afterAll(() => rig.close());

/** How many chunks the client's stream has made, as the model counts them. */
function streamChunks(client: TestClient): number {
  return client.told("stats").at(-1)?.stages_ms["stream_chunk"] ?? 0;
}

describe("a client that comes back", () => {
  it("[SES11] takes its session over with a new connection: same id, same parameters, same state of the model", async () => {
    const first = await rig.connect({ parameters: { prompts: "grey", base_seed: 150 } });
    await until(() => streamChunks(first) >= 5, "some chunks");
    const second = await rig.connect({ sessionId: first.sessionId });
    expect(second.sessionId).toBe(first.sessionId);
    await second.receive(20);
    expect(Math.abs(second.frames.at(-1)!.data[64 * 24 + 32]! - (16 + (150 * 219) / 255))).toBeLessThan(12);
    await until(() => streamChunks(second) > 0, "the figures of a chunk");
    expect(streamChunks(second)).toBeGreaterThanOrEqual(5);
    expect(first.told("stream_stopped")).toEqual([]);
    expect(await rig.sessionCount()).toBe(1);
    first.close();
    await sleep(300);
    await second.receive(10);
  });

  it("[SES10] restarts ICE on the same connection, and the stream goes on", async () => {
    const client = await rig.connect({ parameters: { prompts: "grey" } });
    await client.receive(10);
    const channels = client.isChannelClosed;
    await client.restartIce();
    await client.receive(30);
    expect([channels, client.isChannelClosed]).toEqual([false, false]);
    await client.send({ base_seed: 12 });
    await until(() => client.told("parameters_applied").length > 0, "the answer");
    expect(await rig.sessionCount()).toBe(1);
  });

  it("[SES12] is told 404 when its session is gone", async () => {
    await expect(rig.connect({ sessionId: "00000000-0000-0000-0000-000000000000" })).rejects.toThrow(
      /session_not_found/,
    );
  });
});

describe("offers", () => {
  it("[RTC12] without initialParameters begin in text mode", async () => {
    const client = await rig.connect();
    await client.receive(15);
    expect(client.told("error")).toEqual([]);
  });

  it("[RTC12] with a video section that has no track get video, too", async () => {
    const client = await rig.connect({ direction: "trackless", parameters: { prompts: "grey" } });
    await client.receive(15);
    expect(client.frames.at(-1)).toMatchObject(SIZE);
  });
});

describe("data channels", () => {
  it("[SES20] may be closed and opened anew while the stream goes on", async () => {
    const client = await rig.connect({ parameters: { prompts: "grey" } });
    await client.receive(10);
    await client.send({ base_seed: 10 });
    client.closeChannel();
    await until(() => client.isChannelClosed, "the channel to close");
    await sleep(1500);
    await client.receive(10);
    const stats = client.told("stats").length;
    client.openChannel("again");
    await client.send({ base_seed: 11, request_id: "anew" });
    await until(
      () => client.told("parameters_applied").some((one) => one.request_ids.includes("anew")),
      "the answer on the new channel",
    );
    await until(() => client.told("stats").length > stats, "figures on the new channel");
    expect(await rig.sessionCount()).toBe(1);
  });

  it("[SES20] may be several, of which the newest carries what the server says", async () => {
    const client = await rig.connect({ parameters: { prompts: "grey" } });
    await client.receive(5);
    client.openChannel("second");
    await client.send({ base_seed: 10 });
    await until(() => client.told("parameters_applied").length > 0, "the answer");
    const before = client.messages.length;
    await until(() => client.messages.length > before, "more messages");
    await client.receive(5);
  });

  it("[PAR15] can be flooded, and the last message counts", async () => {
    const client = await rig.connect({ parameters: { prompts: "grey" } });
    await client.receive(5);
    for (let i = 0; i < 3000; i++) await client.send({ base_seed: i % 100 });
    await client.send({ base_seed: 240 });
    await until(() => client.told("error").some((one) => one.code === "too_many_messages"), "the warning");
    await until(() => client.frames.at(-1)!.data[64 * 24 + 32]! > 200, "the last message's brightness");
  });
});

describe("the client's pictures", () => {
  it("[STR9] may have any size and change it", async () => {
    const client = await rig.connect({ parameters: { input_mode: "video" }, width: 1, height: 1 });
    await client.receive(15);
    for (const [width, height] of [
      [1, 1],
      [640, 2],
      [321, 243],
      [1280, 720],
    ] as const) {
      client.resize(width, height);
      await client.receive(15);
      expect(client.told("stream_stopped")).toEqual([]);
    }
  });

  it("[STR10] are asked for when they stop, and taken when they come again", async () => {
    const client = await rig.connect({ parameters: { input_mode: "video" } });
    await client.receive(15);
    client.setCamera(false);
    await until(() => client.told("error").some((one) => one.code === "no_input"), "the question");
    client.setCamera(true);
    await client.receive(24);
    expect(client.told("error")).toHaveLength(1);
  });
});

describe("a reload while people watch", () => {
  afterAll(() => rig.load("longlive", { seed: 90, ...SIZE }));

  it("[SES16][SES17] brings no chunk of the old pipeline after it was announced", async () => {
    const client = await rig.connect({ parameters: { prompts: "slow grey" } });
    await client.receive(15);
    const isOld = () => client.frames.at(-1)!.width === 64;
    expect(isOld()).toBe(true);
    await rig.load("longlive", { seed: 200, width: 128, height: 96 });
    await until(() => client.told("pipeline_reloaded").length === 1, "the message");
    await until(() => !isOld(), "the new size");
    const seen = client.received;
    await client.receive(24);
    expect(client.frames.slice(-(client.received - seen)).every((one) => one.width === 128)).toBe(true);
    expect(client.told("stream_stopped")).toEqual([]);
  });

  it("[SES16] goes to a passthrough and back while the client watches", async () => {
    const client = await rig.connect({ parameters: { prompts: "grey" } });
    await client.receive(15);
    for (const [pipeline, params, width] of [
      ["passthrough", {}, 64],
      ["longlive", { width: 32, height: 16 }, 32],
      ["passthrough", { width: 128, height: 96 }, 128],
    ] as const) {
      await rig.load(pipeline, params);
      await until(() => client.frames.at(-1)?.width === width, `pictures of ${pipeline}`);
      await client.receive(10);
    }
    expect(client.told("pipeline_reloaded")).toHaveLength(3);
  });

  it("[SES18] that fails ends the stream with the reason, and another load serves anew", async () => {
    const client = await rig.connect({ parameters: { prompts: "grey" } });
    await client.receive(5);
    await expect(rig.load("longlive", { loras: [{ path: "nowhere.safetensors" }] })).rejects.toThrow(/nowhere/);
    await until(() => client.told("stream_stopped").length === 1, "the end");
    expect(client.told("stream_stopped")[0]).toMatchObject({ reason: "pipeline_failed", code: "lora_unusable" });
    expect(await rig.sessionCount()).toBe(0);
    await rig.load("longlive", { seed: 90, ...SIZE });
    await (await rig.connect({ parameters: { prompts: "grey" } })).receive(5);
  });

  it("[LOAD16] that runs out of memory leaves room for a smaller one", async () => {
    await expect(rig.load("longlive", { seed: 90, width: 2048, height: 2048 })).rejects.toThrow(/^Out of memory/);
    await rig.load("longlive", { seed: 90, ...SIZE });
    await (await rig.connect({ parameters: { prompts: "grey" } })).receive(5);
  });
});
