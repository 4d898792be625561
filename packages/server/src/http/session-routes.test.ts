/** Sessions as an operator sees and changes them over HTTP, with real clients. */
import {
  allSessionMetrics,
  type SessionInfo,
  type SessionList,
  type SessionMetrics,
  sessionList,
  sessionMetrics,
  sessionParameters,
  sessionParametersAnswer,
} from "@everframe/protocol";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Rig } from "../testing/rig.ts";
import { until } from "../testing/test-client.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  await rig.load("passthrough");
});
afterEach(() => rig.closeClients());
afterAll(() => rig.close());

const json = async <T>(path: string) => (await (await rig.ask(path)).json()) as T;
const post = (path: string, body: object) => rig.ask(path, { method: "POST", body: JSON.stringify(body) });

describe("/api/v1/sessions", () => {
  it("[RUN1][RUN2][RUN8] lists what runs, tells of each by its id, and nothing of a prompt", async () => {
    expect(await json("/api/v1/sessions")).toEqual({ sessions: [], capacity: 8, waiting: 0 });
    const first = await rig.connect({ parameters: { prompts: "a private prompt", input_mode: "video" } });
    const second = await rig.connect();
    await Promise.all([first.receive(5), second.receive(5)]);
    const list = await json<SessionList>("/api/v1/sessions");
    expect(sessionList.parse(list)).toEqual(list);
    const { sessions } = list;
    expect(sessions.map((one) => one.id)).toEqual([first.sessionId, second.sessionId]);
    const info = await json<SessionInfo>(`/api/v1/sessions/${first.sessionId}`);
    expect(info).toEqual({
      id: first.sessionId,
      state: "live",
      pipeline_id: "passthrough",
      model: "passthrough",
      width: 64,
      height: 48,
      input_mode: "video",
      paused: false,
      created_at: expect.any(Number),
    });
    expect(Math.abs(info.created_at - Date.now() / 1000)).toBeLessThan(60);
    expect(JSON.stringify(sessions)).not.toContain("private");
    const newest = await json<{ session_id: string }>("/api/v1/session/parameters");
    expect(newest.session_id).toBe(second.sessionId);
  });

  it("[RUN2][RUN8] answers 404 for a session that is not there", async () => {
    for (const path of ["", "/parameters", "/metrics", "/snapshot"]) {
      const response = await rig.ask(`/api/v1/sessions/abc${path}`);
      expect([response.status, await response.json()], path).toMatchObject([404, { code: "session_not_found" }]);
    }
    expect((await rig.ask("/api/v1/session/parameters")).status).toBe(404);
    const frame = await rig.ask("/api/v1/session/frame");
    expect(frame.status).toBe(404);
    expect(await frame.json()).toMatchObject({
      detail: expect.stringContaining("No frame available (no active session or pipeline not running)"),
    });
    expect(await json("/api/v1/session/metrics")).toEqual({ sessions: {}, gpu: {} });
  });
});

describe("a session's parameters", () => {
  it("[RUN3][RUN4] are read and changed by the rules of the data channel, and its client is told", async () => {
    const client = await rig.connect({ parameters: { prompts: "anime" } });
    await client.receive(5);
    const path = `/api/v1/sessions/${client.sessionId}/parameters`;
    expect(await json(path)).toMatchObject({
      session_id: client.sessionId,
      parameters: { prompts: [{ text: "anime", weight: 1 }], noise_scale: 0.7, input_mode: "text", paused: false },
    });
    const current = await json(path);
    expect(sessionParameters.parse(current)).toEqual(current);
    const response = await post(path, { noise_scale: 0.2, paused: true, base_seed: -1, colour: "red" });
    expect(sessionParametersAnswer.parse(await response.json())).toEqual({
      session_id: client.sessionId,
      parameters: { noise_scale: 0.2, paused: true },
      rejected: [{ field: "base_seed", reason: expect.any(String), allowed: "a whole number from 0" }],
      ignored: ["colour"],
    });
    await until(() => client.told("parameters_updated").length > 0, "the client to be told");
    expect(client.told("parameters_updated")).toEqual([
      { type: "parameters_updated", parameters: { noise_scale: 0.2, paused: true } },
    ]);
    expect(await json(path)).toMatchObject({ parameters: { noise_scale: 0.2, paused: true } });
    await until(() => client.told("stats").at(-1)?.fps_out === 0, "the picture to be held");
    await post("/api/v1/session/parameters", { paused: false });
    await client.receive(5);
  });

  it("[RUN5] are left alone by a request that has nothing good in it", async () => {
    const client = await rig.connect();
    const path = `/api/v1/sessions/${client.sessionId}/parameters`;
    const response = await post(path, { noise_scale: 2 });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      detail: [{ type: "less_than_equal", loc: ["body", "noise_scale"], ctx: { le: 1 } }],
    });
    expect((await rig.ask(path, { method: "POST", body: "[1]" })).status).toBe(422);
    expect(await json(path)).toMatchObject({ parameters: { noise_scale: 0.7 } });
  });

  it("[PAR13] are answered on the data channel as soon as they are in use", async () => {
    const client = await rig.connect();
    await client.receive(5);
    await client.send({ request_id: "mine", base_seed: 5, unknown: 1 });
    await until(() => client.told("parameters_applied").length > 0, "the answer");
    expect(client.told("parameters_applied")).toEqual([
      { type: "parameters_applied", parameters: { base_seed: 5 }, request_ids: ["mine"], ignored: ["unknown"] },
    ]);
  });
});

describe("a session's picture and figures", () => {
  it("[RUN6] is the newest picture as JPEG", async () => {
    const client = await rig.connect({ draw: (data) => data.fill(180, 0, 64 * 48) });
    await client.receive(10);
    const response = await rig.ask(`/api/v1/sessions/${client.sessionId}/snapshot?quality=90`);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "image/jpeg"]);
    const { data, info } = await sharp(await response.arrayBuffer())
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.format, info.width, info.height]).toEqual(["raw", 64, 48]);
    // Y 180 of the limited range is 191 of the full one.
    expect(Math.abs(data[3 * 64 * 24 + 96]! - 191)).toBeLessThan(16);
    expect((await rig.ask("/api/v1/session/frame")).status).toBe(200);
    expect((await rig.ask("/api/v1/session/frame?quality=0")).status).toBe(422);
  });

  it("[RUN6] is 404 before there is a picture", async () => {
    const client = await rig.connect({ direction: "recvonly" });
    const response = await rig.ask(`/api/v1/sessions/${client.sessionId}/snapshot`);
    expect([response.status, await response.json()]).toMatchObject([404, { code: "frame_not_found" }]);
  });

  it("[RUN7][OPS5] counts what came and went, for the session and for all", async () => {
    const client = await rig.connect();
    await client.receive(20);
    const metrics = await json<SessionMetrics>(`/api/v1/sessions/${client.sessionId}/metrics`);
    expect(sessionMetrics.parse(metrics)).toEqual(metrics);
    expect(metrics).toMatchObject({ chunks: 0, chunks_failed: 0, chunk_ms: null });
    expect(metrics.frames_in).toBeGreaterThanOrEqual(metrics.frames_out);
    expect(metrics.frames_out).toBeGreaterThanOrEqual(20);
    expect(metrics.fps_in).toBeGreaterThan(0);
    const all = allSessionMetrics.parse(await json("/api/v1/session/metrics"));
    expect(Object.keys(all.sessions)).toEqual([client.sessionId]);
    const text = await (await rig.ask("/metrics")).text();
    expect(text).toContain('everframe_sessions{state="live"} 1');
    const sent = async () => Number(/frames_sent_total (\d+)/.exec(await (await rig.ask("/metrics")).text())?.[1]);
    const before = await sent();
    expect(before).toBeGreaterThanOrEqual(20);
    await rig.closeClients();
    expect(await sent()).toBeGreaterThanOrEqual(before);
    expect(await (await rig.ask("/metrics")).text()).toContain('everframe_sessions_closed_total{reason="peer_closed"}');
  });
});
