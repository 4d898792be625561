/** The document against the application: every route, and answers as they really come. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeLoadParameters, describeParameters, type PipelineSchemas, serverMessage } from "@everframe/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createServer, type EverframeServer } from "../index.ts";
import { LogFile } from "../log-file.ts";
import { createLogger } from "../logger.ts";
import { openApiPath } from "./openapi.ts";

type Json = Record<string, unknown>;
type Operation = { operationId: string; responses: Record<string, { content?: Record<string, { schema: Json }> }> };
type Description = { openapi: string; paths: Record<string, Record<string, Operation>>; components: { schemas: Json } };

let home: string;
let server: EverframeServer;
let description: Description;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "everframe-"));
  const logFile = new LogFile({ folder: join(home, "logs") });
  const log = createLogger("info", (line) => logFile.write(line));
  server = createServer({ modelsDir: join(home, "models"), log, logFile });
  description = (await (await server.app.request("/openapi.json")).json()) as Description;
});
afterAll(async () => {
  await server.close();
  await rm(home, { recursive: true, force: true });
});

/** Checks an answer against what the document says of it; names what differs. */
async function check(method: string, path: string, pattern: string, body?: unknown): Promise<void> {
  const init = { method: method.toUpperCase(), ...(body === undefined ? {} : { body: body as string }) };
  const response = await server.app.request(path, init);
  const operation = description.paths[pattern]?.[method];
  const answer = operation?.responses[response.status];
  expect(answer, `${method} ${path} answered ${response.status}`).toBeDefined();
  const [type, content] = Object.entries(answer!.content ?? {})[0] ?? [];
  if (content === undefined) {
    expect(await response.text()).toBe("");
    return;
  }
  if (type !== "*/*") expect(response.headers.get("content-type")).toContain(type!.split(";")[0]);
  if (type !== "application/json") return;
  const { components } = description;
  const schema = z.fromJSONSchema({ ...content.schema, $defs: components.schemas } as never, {
    defaultTarget: "draft-2020-12",
  });
  const result = schema.safeParse(await response.json());
  expect(result.error?.issues ?? [], `${method} ${path}`).toEqual([]);
}

/** References as a validator takes them. */
function withLocalReferences(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll("#/components/schemas/", "#/$defs/"));
}

describe("/openapi.json", () => {
  it("[DOC1] has every route of the application, and nothing else", () => {
    const routes = server.app.routes
      .filter(({ path, method }) => method !== "ALL" && path !== "*" && path !== "/*" && !path.startsWith("/docs"))
      .map(({ method, path }) => `${method} ${openApiPath(path.replace(":rest{.+}", "*"))}`);
    const described = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.toSorted()).toEqual([...new Set(routes)].toSorted());
    expect(described.length).toBeGreaterThan(30);
    expect(description.openapi).toMatch(/^3\.1\./);
  });

  it("names each operation once, each reference's target, and each part of a path", () => {
    const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, ...operation }) as Json & Operation & { path: string }),
    );
    const ids = operations.map((one) => one.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, name] of JSON.stringify(description).matchAll(/#\/components\/schemas\/(\w+)/g)) {
      expect(description.components.schemas, name).toHaveProperty(name!);
    }
    for (const { path, parameters = [] } of operations as {
      path: string;
      parameters?: { in: string; name: string }[];
    }[]) {
      const parts = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(parameters.filter((one) => one.in === "path").map((one) => one.name)).toEqual(parts);
    }
  });

  it("[DOC1] tells of a load that does not fit", () => {
    const { responses } = description.paths["/api/v1/pipeline/load"]!["post"]! as { responses: Json };
    expect(responses).toHaveProperty("507");
  });

  it("[DOC2] says what really comes", async () => {
    description = withLocalReferences(description) as Description;
    const load = { pipeline_id: "passthrough", load_params: { width: 64, height: 48 } };
    await check("post", "/api/v1/pipeline/load", "/api/v1/pipeline/load", JSON.stringify(load));
    await check("post", "/api/v1/pipeline/load", "/api/v1/pipeline/load", "{bad");
    await check("post", "/api/v1/pipeline/load", "/api/v1/pipeline/load", '{"pipeline_id":"nope"}');
    await check("post", "/api/v1/assets?filename=a.png", "/api/v1/assets", Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
    await check("post", "/api/v1/assets?filename=a.exe", "/api/v1/assets", "x");
    await check("post", "/api/v1/models/download", "/api/v1/models/download", '{"pipeline_id":"passthrough"}');
    await check("post", "/api/v1/webrtc/offer", "/api/v1/webrtc/offer", '{"sdp":"x","type":"offer"}');
    await check("patch", "/api/v1/webrtc/offer/x", "/api/v1/webrtc/offer/{sessionId}", '{"candidates":[]}');
    await check("delete", "/api/v1/webrtc/offer/x", "/api/v1/webrtc/offer/{sessionId}");
    for (const path of [
      "/api/v1/pipeline/status",
      "/api/v1/pipelines/schemas",
      "/api/v1/webrtc/ice-servers",
      "/api/v1/assets",
      "/api/v1/models/status",
      "/api/v1/sessions",
      "/api/v1/session/parameters",
      "/api/v1/session/frame",
      "/api/v1/session/metrics",
      "/api/v1/hardware/info",
      "/api/v1/logs/current",
      "/api/v1/logs/tail",
      "/health",
      "/healthz",
      "/readyz",
      "/metrics",
      "/openapi.json",
    ]) {
      await check("get", path, path);
    }
    await check("get", "/api/v1/models/status?pipeline_id=longlive", "/api/v1/models/status");
    await check("get", "/api/v1/assets/a.png", "/api/v1/assets/{path}");
    await check("get", "/api/v1/assets/b.png", "/api/v1/assets/{path}");
    await check("delete", "/api/v1/assets/a.png", "/api/v1/assets/{path}");
    await check("get", "/api/v1/sessions/x", "/api/v1/sessions/{id}");
  });

  it("finds what is not as it says", () => {
    expect(serverMessage.safeParse({ type: "stats", fps_in: "many" }).success).toBe(false);
  });
});

describe("/docs", () => {
  it("[DOC3] is a page with its own style and script, and names no other host", async () => {
    const page = await (await server.app.request("/docs")).text();
    const files = [...page.matchAll(/(?:href|src)="(\/docs\/[^"]+)"/g)].map(([, path]) => path!);
    expect(files).toHaveLength(2);
    const texts = await Promise.all(
      files.map(async (path) => {
        const response = await server.app.request(path);
        expect([response.status, response.headers.get("content-type")], path).toEqual([
          200,
          path.endsWith(".css") ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8",
        ]);
        return response.text();
      }),
    );
    expect([page, ...texts].join()).not.toMatch(/https?:\/\/|@import|innerHTML/);
    expect((await server.app.request("/docs/")).headers.get("location")).toBe("/docs");
  });
});

describe("GET /api/v1/pipelines/schemas", () => {
  it("[DOC4] tells of each pipeline what a client needs to draw its controls", async () => {
    const { pipelines } = (await (await server.app.request("/api/v1/pipelines/schemas")).json()) as PipelineSchemas;
    expect(Object.keys(pipelines).sort()).toEqual(["longlive", "longlive-tiny", "passthrough"]);
    const { longlive, passthrough } = pipelines;
    expect(longlive).toMatchObject({
      id: "longlive",
      supported_modes: ["text", "video"],
      default_mode: "text",
      supports_vace: true,
      min_dimension: 16,
      mode_defaults: { video: { noise_scale: 0.7, denoising_step_list: [700, 500] } },
      config_schema: { properties: { noise_scale: { minimum: 0, maximum: 1, default: 0.7 }, seed: { default: 42 } } },
    });
    expect(longlive!.parameters).toEqual(describeParameters());
    expect(longlive!.load_parameters).toEqual(describeLoadParameters());
    const height = longlive!.load_parameters.find((one) => one.name === "height");
    expect(height).toMatchObject({ minimum: 16, maximum: 2048, step: 16, acts: "load", control: "number" });
    expect(passthrough!.parameters.map((one) => one.name)).toEqual(["paused"]);
    expect(passthrough!.load_parameters.map((one) => one.name)).toEqual(["height", "width"]);
  });
});
