/** A session is recorded over HTTP, as an operator or the studio does it. */
import { spawnSync } from "node:child_process";
import type { ErrorBody, RecordingAnswer, RecordingInfo } from "@everframe/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Rig } from "../testing/rig.ts";

const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
  await rig.load("passthrough");
});
afterAll(() => rig.close());

const post = async (path: string) => {
  const response = await rig.ask(path, { method: "POST" });
  return { code: response.status, ...((await response.json()) as RecordingAnswer) };
};

describe.skipIf(!hasFfmpeg)("recording a session", () => {
  it("[REC1][REC3][REC8] by either spelling, until it is stopped, and gives the file in ranges", async () => {
    const client = await rig.connect({ width: 128, height: 96 });
    await client.receive(5);
    const path = `/api/v1/sessions/${client.sessionId}/recording`;
    const alias = `/api/v1/recordings/${client.sessionId}`;
    expect(await post(`${path}/stop`)).toMatchObject({ code: 200, status: "not_recording", recording: null });
    expect((await rig.ask(path)).status).toBe(404);
    expect(await post(`${path}/start?format=webm`)).toMatchObject({ code: 200, status: "started" });
    expect(await post(`${alias}/start`)).toMatchObject({ status: "already_recording", recording: { format: "webm" } });
    await client.receive(20);
    const early = await rig.ask(path);
    expect([early.status, ((await early.json()) as ErrorBody).code]).toEqual([409, "recording_running"]);
    expect(await post(`${alias}/stop`)).toMatchObject({ code: 200, status: "stopped" });
    client.close();

    const info = (await (await rig.ask(`${path}/info`)).json()) as RecordingInfo;
    expect(info).toMatchObject({ state: "finished", error: null });
    expect(info.frames).toBeGreaterThanOrEqual(20);
    const whole = await rig.ask(alias);
    expect([whole.status, whole.headers.get("content-type")]).toEqual([200, "video/webm"]);
    expect(whole.headers.get("content-disposition")).toBe(`attachment; filename="${info.name}"`);
    const bytes = new Uint8Array(await whole.arrayBuffer());
    expect(bytes.byteLength).toBe(info.bytes);
    expect([...bytes.subarray(0, 4)]).toEqual([0x1a, 0x45, 0xdf, 0xa3]);
    const part = await rig.ask(path, { headers: { Range: "bytes=0-3" } });
    expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 4]);
    expect((await rig.ask(path, { method: "DELETE" })).status).toBe(204);
    expect((await rig.ask(path)).status).toBe(404);
  });
});

it("[REC8] knows no session that is not there", async () => {
  for (const path of ["/api/v1/sessions/none/recording/start", "/api/v1/recordings/none/stop"]) {
    expect((await rig.ask(path, { method: "POST" })).status).toBe(404);
  }
  const wrong = await rig.ask("/api/v1/sessions/none/recording/start?format=gif", { method: "POST" });
  expect(wrong.status).toBe(422);
});
