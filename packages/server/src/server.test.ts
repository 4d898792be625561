/** The server over real WebRTC, in one process: client and server by the same library. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LossyPath } from "./testing/lossy-path.ts";
import { Random } from "./testing/random.ts";
import { Rig } from "./testing/rig.ts";
import { TestClient, until } from "./testing/test-client.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start({ maxSessions: 2 });
});
afterEach(() => rig.closeClients());
afterAll(() => rig.close());

describe("a passthrough session", () => {
  beforeAll(() => rig.load("passthrough"));

  it("[RTC6][STR8] sends the client's frames back, in their size, on a track that belongs to a stream", async () => {
    const client = await rig.connect({ parameters: { input_mode: "video" } });
    await client.receive(30);
    expect(client.hadStream).toBe(true);
    expect(client.frames.at(-1)).toMatchObject({ width: 64, height: 48 });
  });

  it("sends back the picture that was sent", async () => {
    const bright = 180;
    const client = await rig.connect({
      draw: (data) => {
        data.fill(40, 0, (64 * 48) / 2).fill(bright, (64 * 48) / 2, 64 * 48);
      },
    });
    await client.receive(30);
    const { data } = client.frames.at(-1)!;
    expect(Math.abs(data[64 * 5 + 10]! - 40)).toBeLessThan(16);
    expect(Math.abs(data[64 * 40 + 10]! - bright)).toBeLessThan(16);
  });

  it("[STR13] sends a whole picture when a client that lost too much asks for one", async () => {
    const path = new LossyPath(new Random(1), 0);
    const client = await TestClient.connect({ ask: path.wrap(rig.ask) });
    try {
      await client.receive(10);
      const before = await client.keyFrames();
      path.loss = 1;
      await until(async () => (await client.keyFrames()).asked > before.asked, "the client to ask");
      path.loss = 0;
      await until(async () => (await client.keyFrames()).received > before.received, "the whole picture");
      await client.receive(10);
    } finally {
      client.close();
      path.close();
    }
  });

  it("[STR7] tells the figures about once a second", async () => {
    const client = await rig.connect();
    await until(() => client.told("stats").length >= 2, "two stats messages");
    const last = client.told("stats").at(-1)!;
    expect(last).toMatchObject({ model: "passthrough", width: 64, height: 48, chunk_ms: null });
    expect(last.fps_in).toBeGreaterThan(0);
    expect(last.fps_out).toBeGreaterThan(0);
  });

  it("[PAR7][PAR8][PAR9] answers bad messages on the channel and goes on", async () => {
    const client = await rig.connect();
    await client.receive(5);
    await client.send("make it blue");
    await client.send("[1]");
    await client.send({ noise_scale: "much", base_seed: 5, unknown_key: 1 });
    await client.send({ vace_ref_images: ["/etc/passwd"] });
    await until(() => client.told("parameters_rejected").length === 2, "two rejections");
    expect(client.told("error").map((one) => one.code)).toEqual(["invalid_request", "invalid_request"]);
    const [first, second] = client.told("parameters_rejected");
    expect(first!.rejected).toEqual([
      { field: "noise_scale", reason: expect.any(String), allowed: "a number from 0 to 1" },
    ]);
    expect(second!.rejected[0]!.field).toBe("vace_ref_images");
    await client.receive(5);
  });

  it("[PAR16] takes messages as long as its answer says", async () => {
    const client = await rig.connect();
    expect(client.maxMessageBytes).toBe(256 * 1024);
    const texts = Array.from({ length: 16 }, (_, i) => `${i}`.padEnd(4096, "x"));
    await client.send({ prompts: texts, transition: { target_prompts: texts }, request_id: "long" });
    await until(() => client.told("parameters_applied").length === 1, "the answer");
    expect(client.told("parameters_applied")[0]!.request_ids).toEqual(["long"]);
    await client.send("x".repeat(client.maxMessageBytes));
    await until(() => client.told("error").length === 1, "the other answer");
    await client.receive(5);
  });

  it("[STR5] holds the picture while paused and goes on after it", async () => {
    const client = await rig.connect();
    await client.receive(10);
    await client.send({ paused: true });
    await until(() => client.told("stats").at(-1)?.fps_out === 0, "the rate to fall to nothing");
    await client.send({ paused: false });
    await until(() => (client.told("stats").at(-1)?.fps_out ?? 0) > 0, "the rate to rise again");
  });

  it("[SES1] frees the session at once when the client closes its data channel", async () => {
    const client = await rig.connect();
    await client.receive(5);
    expect(await rig.sessionCount()).toBe(1);
    client.close();
    await until(async () => (await rig.sessionCount()) === 0, "the session to be freed", 1000);
  });

  it("[SES2][RTC9][RTC10] tells the client and frees the session on DELETE, after which candidates for it are refused", async () => {
    const client = await rig.connect();
    await client.receive(5);
    const path = `/api/v1/webrtc/offer/${client.sessionId}`;
    expect((await rig.ask(path, { method: "DELETE" })).status).toBe(204);
    expect(await rig.sessionCount()).toBe(0);
    await until(() => client.told("stream_stopped").length === 1, "the message");
    expect(client.told("stream_stopped")[0]).toMatchObject({ reason: "deleted" });
    expect((await rig.ask(path, { method: "DELETE" })).status).toBe(204);
    const patch = { method: "PATCH", body: JSON.stringify({ candidates: [] }) };
    expect((await rig.ask(path, patch)).status).toBe(404);
  });

  it("[SES6] refuses more sessions than its limit with a text that says so", async () => {
    await rig.connect();
    await rig.connect();
    const body = JSON.stringify({ sdp: "v=0", type: "offer" });
    const refusal = await rig.ask("/api/v1/webrtc/offer", { method: "POST", body });
    expect([refusal.status, refusal.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await refusal.json()).toMatchObject({
      code: "too_many_sessions",
      detail: expect.stringContaining("already has 2 sessions, its limit"),
      retryable: true,
      capacity: 2,
      queue_position: 1,
      ticket: expect.any(String),
    });
    expect(await rig.sessionCount()).toBe(2);
  });

  it("[RTC8] takes useless candidates without complaint, and still connects by the good ones", async () => {
    const client = await rig.connect();
    const candidates = ["", "end-of-candidates", "a=end-of-candidates", "garbage", "candidate:1 1 udp x y z"].map(
      (candidate) => ({ candidate, sdpMid: "0" }),
    );
    const path = `/api/v1/webrtc/offer/${client.sessionId}`;
    expect((await rig.ask(path, { method: "PATCH", body: JSON.stringify({ candidates }) })).status).toBe(204);
    await client.receive(5);
  });

  it("[SES16] announces another load, keeps the connection, and goes on in the new size", async () => {
    const client = await rig.connect();
    await client.receive(5);
    await rig.load("passthrough", { width: 128, height: 96 });
    await until(() => client.told("pipeline_reloaded").length === 1, "the message");
    expect(client.told("pipeline_reloading")).toEqual([{ type: "pipeline_reloading", pipeline_id: "passthrough" }]);
    expect(client.told("pipeline_reloaded")[0]).toEqual({
      type: "pipeline_reloaded",
      pipeline_id: "passthrough",
      model: "passthrough",
      width: 128,
      height: 96,
    });
    await until(() => client.frames.at(-1)?.width === 128, "pictures of the new size");
    expect(client.told("stream_stopped")).toEqual([]);
  });

  it("[LOAD8] keeps a session through a load that asks for what is loaded", async () => {
    await rig.load("passthrough");
    const client = await rig.connect();
    await client.receive(5);
    await rig.load("passthrough");
    await client.receive(10);
    expect(client.told("stream_stopped")).toEqual([]);
  });

  it("[OPS2] writes one line for each step of a session, and never a prompt", async () => {
    const since = rig.logLines.length;
    const client = await rig.connect({ parameters: { prompts: "a very private prompt" } });
    await client.receive(5);
    await client.send({ prompts: "another private prompt" });
    await client.receive(5);
    client.close();
    await until(() => rig.logLines.slice(since).some((line) => line.includes("session closed")), "the last line");
    const lines = rig.logLines.slice(since).map((line) => line.replace(/^\S+ /, ""));
    expect(lines.map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual([
      "INFO session opened",
      "INFO session connected",
      "INFO session closed",
    ]);
    expect(lines.join()).not.toContain("private");
  });
});
