/** Fetching models over HTTP, from a hub on this machine. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelStatus } from "@everframe/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createServer, type EverframeServer } from "../index.ts";
import { createLogger } from "../logger.ts";
import { artifactsOf } from "../models/model-catalogue.ts";
import { HubServer, type Repo } from "../testing/hub-server.ts";
import { until } from "../testing/test-client.ts";

let home: string;
let hub: HubServer;
let server: EverframeServer;
let logged = "";

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "everframe-"));
  const repos: Record<string, Repo> = {};
  for (const { repos: names, files } of artifactsOf("longlive")) {
    repos[names[0]] = Object.fromEntries(files.map(({ path }) => [path, Buffer.alloc(2000, path)]));
  }
  hub = await HubServer.start(repos);
  server = createServer({
    modelsDir: join(home, "models"),
    hub: { cacheDir: join(home, "hub"), endpoint: hub.endpoint, token: "hf_secret", offline: false },
    log: createLogger("debug", (line) => {
      logged += line;
    }),
  });
});
afterEach(async () => {
  await server.close();
  await hub.close();
  await rm(home, { recursive: true, force: true });
});

const start = (id: unknown) =>
  server.app.request("/api/v1/models/download", { method: "POST", body: JSON.stringify({ pipeline_id: id }) });
const cancel = (id: string) => server.app.request(`/api/v1/models/download?pipeline_id=${id}`, { method: "DELETE" });
const status = async (id: string) =>
  (await (await server.app.request(`/api/v1/models/status?pipeline_id=${id}`)).json()) as ModelStatus;
/** Holds answers with bytes back until it is called. */
function holdBytes(): () => void {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  hub.beforeBytes = () => held;
  return release;
}

describe("the models' routes", () => {
  it("[MOD1] fetch what a pipeline lacks, and tell how far it is", async () => {
    expect(await status("longlive")).toMatchObject({ downloaded: false, progress: null });
    expect((await status("longlive")).missing).toContain("LongLive-1.3B/models/lora.pt");
    const release = holdBytes();
    const response = await start("longlive");
    expect([response.status, await response.json()]).toEqual([200, { message: "Model download started for longlive" }]);
    await until(async () => (await status("longlive")).progress?.current_file !== null, "the first file");
    expect(await status("longlive")).toMatchObject({
      downloaded: false,
      progress: { is_downloading: true, percentage: 0, current_artifact: "Wan2.1-T2V-1.3B", total_bytes: 20_000 },
    });
    release();
    await until(async () => (await status("longlive")).progress === null, "the end of the download");
    expect(await status("longlive")).toEqual({ downloaded: true, progress: null, missing: [] });
    expect(logged).toContain("licence=apache-2.0");
    expect(logged).not.toContain("hf_secret");
  });

  it("[MOD2] refuse a second download of the same, and take one of another", async () => {
    const release = holdBytes();
    await start("longlive");
    const response = await start("longlive");
    expect([response.status, await response.json()]).toEqual([
      409,
      { detail: "Download already in progress for longlive", code: "download_running", retryable: true },
    ]);
    expect((await start("vae")).status).toBe(200);
    release();
    await until(async () => (await status("longlive")).downloaded, "the download");
  });

  it("[MOD3] keep the text of a failure until the next download", async () => {
    hub.repos["daydreamlive/WanVideo_comfy"] = {};
    await start("longlive");
    await until(async () => (await status("longlive")).progress?.is_downloading === false, "the failure");
    const { downloaded, progress } = await status("longlive");
    expect(downloaded).toBe(false);
    expect(progress?.error).toContain("daydreamlive/WanVideo_comfy has no umt5-xxl-enc-fp8_e4m3fn.safetensors");
    expect((await start("longlive")).status).toBe(200);
    expect((await status("longlive")).progress).toMatchObject({ is_downloading: true, error: null });
  });

  it("[MOD4] give a download up on request, and with the server", async () => {
    holdBytes();
    await start("longlive");
    expect(await (await cancel("longlive")).json()).toEqual({ message: "Model download cancelled for longlive" });
    expect((await status("longlive")).progress).toBeNull();
    expect(await (await cancel("longlive")).json()).toEqual({ message: "No model download is running for longlive" });
    await start("longlive"); // left running for the end of this test, which closes the server
  });

  it("[MOD4] begin no download once the server ends", async () => {
    await server.close();
    const response = await start("longlive");
    expect([response.status, await response.json()]).toMatchObject([503, { code: "shutting_down" }]);
  });

  it("[MOD5] have nothing to fetch for a pipeline without files", async () => {
    expect((await start("passthrough")).status).toBe(200);
    expect(await status("passthrough")).toEqual({ downloaded: true, progress: null, missing: [] });
    expect(await status("nope")).toMatchObject({ downloaded: true });
  });

  it("[MOD6] answer bad requests in the words that clients know", async () => {
    const empty = await start("");
    expect([empty.status, await empty.json()]).toMatchObject([400, { detail: "pipeline_id is required" }]);
    expect((await start("nope")).status).toBe(404);
    expect((await start(undefined)).status).toBe(422);
    const missing = await server.app.request("/api/v1/models/status");
    expect([missing.status, await missing.json()]).toMatchObject([
      422,
      { detail: [{ loc: ["query", "pipeline_id"] }] },
    ]);
  });
});
