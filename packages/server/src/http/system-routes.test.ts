/** What an operator asks: is it well, what does it do, what does its log say. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createServer, type EverframeServer } from "../index.ts";
import { LogFile } from "../log-file.ts";
import { createLogger } from "../logger.ts";
import { passthrough } from "../pipelines/passthrough.ts";
import type { PipelineDefinition } from "../pipelines/pipeline.ts";

let home: string;
let logFile: LogFile;
let server: EverframeServer;
const get = (path: string) => server.app.request(path);

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "everframe-"));
  logFile = new LogFile({ folder: join(home, "logs") });
  const log = createLogger("info", (line) => logFile.write(line));
  server = createServer({ modelsDir: join(home, "models"), log, logFile });
});
afterEach(async () => {
  await server.close();
  logFile.close();
  await rm(home, { recursive: true, force: true });
});

async function load(body: object): Promise<void> {
  await server.app.request("/api/v1/pipeline/load", { method: "POST", body: JSON.stringify(body) });
  const status = async () => ((await (await get("/api/v1/pipeline/status")).json()) as { status: string }).status;
  await expect.poll(status).toBe("loaded");
}

describe("health", () => {
  it("[OPS4][GEN11] lives at once, and is ready when a pipeline is loaded", async () => {
    expect((await get("/healthz")).status).toBe(200);
    const before = await get("/readyz");
    expect([before.status, before.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await before.json()).toEqual({ status: "not_ready", reason: "No pipeline is loaded." });
    await load({ pipeline_id: "passthrough" });
    const after = await get("/readyz");
    expect([after.status, await after.json()]).toEqual([200, { status: "ok", reason: null }]);
  });
});

describe("GET /readyz with a model", () => {
  it("[OPS4] is not ready while the engine says nothing for long", async () => {
    let silentMs = 9 * 60_000;
    const silent: PipelineDefinition = {
      id: "silent",
      load: async (...args) => ({ ...(await passthrough.load(...args)), silentMs: () => silentMs }),
    };
    const own = createServer({ modelsDir: home, log: createLogger("silent"), pipelines: [silent] });
    await own.app.request("/api/v1/pipeline/load", { method: "POST", body: '{"pipeline_id":"silent"}' });
    await expect.poll(async () => (await own.app.request("/readyz")).status).toBe(200);
    silentMs = 11 * 60_000;
    const response = await own.app.request("/readyz");
    expect([response.status, await response.json()]).toEqual([
      503,
      { status: "not_ready", reason: "The engine has not answered for 11 minutes." },
    ]);
    await own.close();
  });
});

describe("GET /metrics", () => {
  it("[OPS5] counts requests by route, not by path, and tells the pipeline's state", async () => {
    await load({ pipeline_id: "passthrough" });
    for (const id of ["secret-a", "secret-b"]) await get(`/api/v1/sessions/${id}`);
    await get("/some/page");
    await server.app.request("/health", { method: "BREW" });
    const response = await get("/metrics");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const text = await response.text();
    for (const line of [
      'everframe_http_requests_total{method="GET",route="/api/v1/sessions/:id",status="404"} 2',
      'everframe_http_requests_total{method="GET",route="page",status="200"} 1',
      'everframe_http_requests_total{method="other",route="/health",status="405"} 1',
      'everframe_pipeline_status{status="loaded"} 1',
      'everframe_pipeline_status{status="error"} 0',
      'everframe_sessions{state="live"} 0',
      "everframe_session_capacity 8",
    ]) {
      expect(text).toContain(`\n${line}\n`);
    }
    expect(text).not.toContain("secret");
    for (const line of text.trimEnd().split("\n")) {
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{[^}]*\})? -?[\d.e+-]+|\w+_bucket\{le="\+Inf"\} \d+)$/);
    }
    expect(text).toMatch(/\nprocess_resident_memory_bytes \d{7,}\n/);
  });
});

describe("the log", () => {
  it("[OPS6] is a file to save, once there is one", async () => {
    const none = await get("/api/v1/logs/current");
    expect(none.status).toBe(404);
    expect(await none.json()).toMatchObject({
      code: "log_not_found",
      detail: "Log file not found. The application may not have logged anything yet.",
    });
    await load({ pipeline_id: "passthrough" });
    const response = await get("/api/v1/logs/current");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain("text/plain");
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="everframe.log.txt"');
    expect(await response.text()).toContain("pipeline loaded");
  });

  it("[OPS7] gives its last lines, and then what came since", async () => {
    const tail = async (query = "") =>
      (await (await get(`/api/v1/logs/tail${query}`)).json()) as { lines: string[]; offset: number };
    expect(await tail()).toEqual({ lines: [], offset: 0 });
    await load({ pipeline_id: "passthrough" });
    const first = await tail("?lines=1");
    expect(first.lines).toEqual([expect.stringContaining("pipeline loaded")]);
    expect((await tail(`?since_offset=${first.offset}`)).lines).toEqual([]);
    logFile.write("one more\n");
    expect((await tail(`?since_offset=${first.offset}`)).lines).toEqual(["one more"]);
    for (const query of ["?lines=0", "?lines=1001", "?lines=x", "?since_offset=-1"]) {
      expect((await get(`/api/v1/logs/tail${query}`)).status, query).toBe(422);
    }
  });

  it("has nothing to show where it is written to no file", async () => {
    const silent = createServer({ modelsDir: home, log: createLogger("silent") });
    expect((await silent.app.request("/api/v1/logs/current")).status).toBe(404);
    expect(await (await silent.app.request("/api/v1/logs/tail")).json()).toEqual({ lines: [], offset: 0 });
    await silent.close();
  });
});

describe("GET /api/v1/hardware/info", () => {
  it("[OPS8] tells what the machine has, in the fields that clients know", async () => {
    const info = (await (await get("/api/v1/hardware/info")).json()) as Record<string, unknown>;
    expect(info).toMatchObject({ spout_available: false, spout: { available: false }, cores: expect.any(Number) });
    expect(info["memory_gb"]).toBeGreaterThan(0);
    expect(info).toHaveProperty("vram_gb");
  });
});
