/** Every bad input and its answer, asked of the application without a socket. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ErrorBody, parseLoadRequest } from "@everframe/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer, type EverframeServer } from "../index.ts";
import { createLogger } from "../logger.ts";

const VIDEO_SDP = (codec: string) =>
  [
    "v=0",
    "o=- 1 2 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0",
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
    "c=IN IP4 0.0.0.0",
    "a=mid:0",
    "a=sendrecv",
    "a=rtcp-mux",
    "a=ice-ufrag:abcd",
    "a=ice-pwd:abcdefghijklmnopqrstuvwx",
    `a=fingerprint:sha-256 ${Array(32).fill("AB").join(":")}`,
    "a=setup:actpass",
    `a=rtpmap:96 ${codec}/90000`,
    "",
  ].join("\r\n");

let home: string;
let server: EverframeServer;
const post = (path: string, body?: unknown) =>
  server.app.request(path, {
    method: "POST",
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
const load = (body: unknown) => post("/api/v1/pipeline/load", body);
const offer = (body: unknown) => post("/api/v1/webrtc/offer", body);
const patch = (id: string, body: unknown) =>
  server.app.request(`/api/v1/webrtc/offer/${id}`, { method: "PATCH", body: JSON.stringify(body) });

/** The error body; also checks the status. */
async function refusal(response: Response | Promise<Response>, status: number): Promise<ErrorBody> {
  const answer = await response;
  const body = (await answer.json()) as ErrorBody;
  expect(answer.status, JSON.stringify(body)).toBe(status);
  expect(body.detail.length).toBeGreaterThan(0);
  return body;
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "everframe-"));
  const studioFolder = join(home, "studio");
  await mkdir(join(studioFolder, "assets"), { recursive: true });
  await writeFile(join(studioFolder, "index.html"), "<h1>studio</h1>");
  await writeFile(join(studioFolder, "assets", "page-abc.js"), "export {};");
  const sdkFolder = join(home, "sdk");
  await mkdir(sdkFolder);
  await writeFile(join(sdkFolder, "everframe.js"), "export {};");
  server = createServer({
    modelsDir: join(home, "models"),
    studioFolder,
    sdkFolder,
    log: createLogger("silent"),
  });
});
afterAll(async () => {
  await server.close();
  await rm(home, { recursive: true, force: true });
});

describe("before a pipeline is loaded", () => {
  it("[LOAD17] says in the status that the one to start with does not exist", async () => {
    const lines: string[] = [];
    const other = createServer({
      modelsDir: join(home, "models"),
      restore: { load: parseLoadRequest({ pipeline_id: "nothing" }) },
      log: createLogger("info", (line) => lines.push(line)),
    });
    const response = await other.app.request("/api/v1/pipeline/status");
    const error = expect.stringMatching(/^Pipeline "nothing" does not exist. Load one of: .*passthrough/);
    expect(await response.json()).toMatchObject({ status: "error", error });
    expect(lines.join()).toContain("does not exist");
    await other.close();
  });

  it("[LOAD15][LOAD17] starts all the same, and says so in the status, when the one to start with does not fit", async () => {
    const other = createServer({
      modelsDir: join(home, "models"),
      restore: { load: parseLoadRequest({ pipeline_id: "longlive-tiny" }) },
      availableBytes: () => 1e6,
      log: createLogger("silent"),
    });
    const response = await other.app.request("/api/v1/pipeline/status");
    const error = expect.stringMatching(/^Out of memory: longlive-tiny needs about/);
    expect(await response.json()).toMatchObject({ status: "error", error });
    await other.close();
  });

  it("[LOAD12] says so in the status", async () => {
    const response = await server.app.request("/api/v1/pipeline/status");
    expect(await response.json()).toEqual({
      status: "not_loaded",
      pipeline_id: null,
      load_params: null,
      loaded_lora_adapters: null,
      error: null,
      model: null,
      loading_stage: null,
    });
  });

  it("[GEN1][RTC1] refuses an offer in the words that clients know", async () => {
    const body = await refusal(offer({ sdp: VIDEO_SDP("VP8"), type: "offer" }), 400);
    expect(body).toEqual({
      detail: "Pipeline not loaded. Please load pipeline first.",
      code: "pipeline_not_loaded",
      retryable: true,
    });
  });
});

describe("POST /api/v1/pipeline/load", () => {
  it("[LOAD6] refuses a pipeline that does not exist, naming those that do", async () => {
    const body = await refusal(load({ pipeline_id: "nope" }), 404);
    expect(body.detail).toContain("passthrough");
  });

  it("[LOAD4] refuses a height that is no multiple of 16, naming one that is", async () => {
    const body = await refusal(load({ pipeline_id: "longlive", load_params: { height: 333 } }), 422);
    expect(body).toMatchObject({ code: "invalid_resolution", detail: expect.stringContaining("576x336") });
  });

  it("[GEN2] answers malformed and missing JSON as FastAPI does", async () => {
    const malformed = await refusal(load("{bad"), 422);
    expect(malformed.detail).toEqual([{ type: "json_invalid", loc: ["body", 1], msg: "JSON decode error", input: {} }]);
    const missing = await refusal(load(undefined), 422);
    expect(missing.detail).toEqual([{ type: "missing", loc: ["body"], msg: "Field required", input: null }]);
  });

  it("[GEN3][LOAD5] names the field that is wrong", async () => {
    const body = await refusal(load({ pipeline_id: 5 }), 422);
    expect(body.detail).toContainEqual(
      expect.objectContaining({ type: "string_type", loc: ["body", "pipeline_id"], input: 5 }),
    );
  });

  it("[GEN4] refuses a body beyond its bound", async () => {
    await refusal(load(JSON.stringify({ pipeline_id: "x".repeat(2_000_000) })), 413);
  });

  it("[LOAD13] says loading, and soon loaded, for passthrough", async () => {
    const response = await load({ pipeline_ids: ["passthrough"], load_params: { width: 64, height: 48 } });
    expect(await response.json()).toEqual({ message: "Pipeline loading initiated successfully" });
    const status = async () => (await server.app.request("/api/v1/pipeline/status")).json();
    await expect.poll(status).toMatchObject({
      status: "loaded",
      pipeline_id: "passthrough",
      model: "passthrough",
      load_params: { width: 64, height: 48, seed: 42, vace_enabled: true },
    });
  });
});

describe("POST /api/v1/webrtc/offer", () => {
  it("[RTC2] refuses garbage, an offer without video, and one without a common codec", async () => {
    expect(await refusal(offer({ sdp: "garbage", type: "offer" }), 400)).toMatchObject({ code: "invalid_sdp" });
    expect(await refusal(offer({ sdp: "", type: "offer" }), 400)).toMatchObject({ code: "invalid_sdp" });
    const audioOnly = VIDEO_SDP("VP8").replace("m=video", "m=audio");
    expect(await refusal(offer({ sdp: audioOnly, type: "offer" }), 400)).toMatchObject({ code: "invalid_sdp" });
    const broken = `m=video 9 x\r\na=rtpmap:96 VP8/90000\r\n`;
    expect(await refusal(offer({ sdp: broken, type: "offer" }), 400)).toMatchObject({ code: "invalid_sdp" });
    const body = await refusal(offer({ sdp: VIDEO_SDP("H264"), type: "offer" }), 400);
    expect(body).toMatchObject({ code: "no_common_codec", detail: expect.stringContaining("VP8") });
  });

  it("[RTC3] refuses what is no offer", async () => {
    for (const [body, loc] of [
      [{ type: "offer" }, ["body", "sdp"]],
      [{ sdp: "x", type: "answer" }, ["body", "type"]],
      [{ sdp: "x", type: "foo" }, ["body", "type"]],
      [{ sdp: 5, type: "offer" }, ["body", "sdp"]],
    ] as const) {
      const { detail } = await refusal(offer(body), 422);
      expect(detail).toContainEqual(expect.objectContaining({ loc }));
    }
  });

  it("[RTC4] refuses initial parameters by the rules of the live ones", async () => {
    for (const initialParameters of [
      { noise_scale: 2 },
      { prompts: [{ text: "a", weight: -1 }] },
      { input_mode: "foo" },
      { vace_context_scale: 3 },
      { denoising_step_list: [700.5] },
      { vace_ref_images: ["not-uploaded.png"] },
    ]) {
      const field = Object.keys(initialParameters)[0]!;
      const { detail } = await refusal(offer({ sdp: VIDEO_SDP("VP8"), type: "offer", initialParameters }), 422);
      const [issue] = detail as { loc: (string | number)[] }[];
      expect(issue!.loc.slice(0, 3)).toEqual(["body", "initialParameters", field]);
    }
    await refusal(offer({ sdp: VIDEO_SDP("VP8"), type: "offer", initialParameters: "text" }), 422);
  });

  it("[RTC5][OPS1] leaves no session behind a refused offer", async () => {
    const response = await server.app.request("/health");
    expect(await response.json()).toMatchObject({ status: "healthy", sessions: 0 });
  });
});

describe("PATCH and DELETE /api/v1/webrtc/offer/{id}", () => {
  it("[RTC9] answers 404 to candidates for a session that is not there", async () => {
    expect(await refusal(patch("abc", { candidates: [] }), 404)).toMatchObject({ code: "session_not_found" });
  });

  it("[RTC10] grants the end of a session that has ended already", async () => {
    const response = await server.app.request("/api/v1/webrtc/offer/abc", { method: "DELETE" });
    expect(response.status).toBe(204);
  });

  it("[RTC11] answers 422 for a body of another shape", async () => {
    await refusal(patch("abc", {}), 422);
    await refusal(patch("abc", { candidates: [{ candidate: null }] }), 422);
  });
});

describe("the rest", () => {
  it("[GEN5] allows any origin", async () => {
    const response = await server.app.request("/health", { headers: { origin: "http://example.com" } });
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    const preflight = await server.app.request("/api/v1/webrtc/offer/abc", {
      method: "OPTIONS",
      headers: {
        origin: "http://example.com",
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "content-type",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-methods")).toContain("PATCH");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("content-type");
  });

  it("[ICE1] gives no STUN server to clients of a server for this machine alone", async () => {
    const response = await server.app.request("/api/v1/webrtc/ice-servers");
    expect(await response.json()).toEqual({ iceServers: [] });
  });

  it("[PAGE1] serves the page, its files, and the page again for paths of its own", async () => {
    const get = async (path: string) => (await server.app.request(path)).text();
    expect(await get("/")).toBe("<h1>studio</h1>");
    expect(await get("/some/view")).toBe("<h1>studio</h1>");
    const script = await server.app.request("/assets/page-abc.js");
    expect(await script.text()).toBe("export {};");
    expect(script.headers.get("content-type")).toContain("text/javascript");
    expect(script.headers.get("cache-control")).toContain("immutable");
  });

  it("[GEN6][PAGE3] serves nothing from outside the page's folder, and no page for what is no path of it", async () => {
    for (const path of [
      "/missing.js",
      "/api/v1/nothing",
      "/..%2f..%2fetc%2fpasswd",
      "/%2e%2e%2fmodels",
      "/a%00b",
      "/%ff",
    ]) {
      expect(await refusal(server.app.request(path), 404), path).toMatchObject({ code: "not_found" });
    }
  });

  it("[PAGE4] serves the example pages, and nothing beside them", async () => {
    const page = await server.app.request("/examples/guide.html");
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(await page.text()).toContain("RTCPeerConnection");
    await refusal(Promise.resolve(server.app.request("/examples/nothing.html")), 404);
    await refusal(Promise.resolve(server.app.request("/examples/%2e%2e/package.json")), 404);
  });

  it("[PAGE5] gives the SDK to pages of any origin", async () => {
    const answer = await server.app.request("/everframe.js", { headers: { Origin: "null" } });
    expect(answer.headers.get("content-type")).toContain("text/javascript");
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(await answer.text()).toBe("export {};");
  });

  it("[GEN7] answers other methods on unknown paths with 405", async () => {
    for (const path of ["/nothing", "/api/v1/nothing", "/"]) {
      expect(await refusal(post(path, {}), 405)).toEqual({
        detail: "Method Not Allowed",
        code: "method_not_allowed",
        retryable: false,
      });
    }
    const odd = await server.app.request("/nothing", { method: "BREW" });
    expect([odd.status, odd.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("[GEN8] answers a method that an endpoint does not have with 405 and names those that it has", async () => {
    const cases: [string, string, string][] = [
      ["GET", "/api/v1/pipeline/load", "POST"],
      ["PUT", "/api/v1/pipeline/status", "GET, HEAD"],
      ["POST", "/api/v1/webrtc/offer/abc", "PATCH, DELETE"],
      ["PATCH", "/api/v1/assets", "POST, GET, HEAD"],
      ["POST", "/api/v1/assets/sub/a.png", "GET, DELETE, HEAD"],
      ["DELETE", "/health", "GET, HEAD"],
    ];
    for (const [method, path, allow] of cases) {
      const response = await server.app.request(path, { method });
      expect([response.status, response.headers.get("allow")], path).toEqual([405, allow]);
      expect(await response.json()).toMatchObject({ code: "method_not_allowed" });
    }
  });

  it("[GEN9] answers HEAD as GET without a body", async () => {
    for (const path of ["/health", "/api/v1/pipeline/status", "/", "/docs", "/openapi.json"]) {
      const [get, head] = await Promise.all(["GET", "HEAD"].map((method) => server.app.request(path, { method })));
      expect([head!.status, await head!.text()], path).toEqual([get!.status, ""]);
      expect(head!.headers.get("content-type"), path).toBe(get!.headers.get("content-type"));
    }
    expect((await server.app.request("/api/v1/nothing", { method: "HEAD" })).status).toBe(404);
  });

  it("[GEN10] reads a body as JSON, whatever its content type says", async () => {
    for (const type of ["application/json; charset=utf-8", "text/plain", "application/octet-stream"]) {
      const response = await server.app.request("/api/v1/pipeline/load", {
        method: "POST",
        headers: { "content-type": type },
        body: JSON.stringify({ pipeline_id: "nope" }),
      });
      expect([response.status, response.headers.get("content-type")], type).toEqual([404, "application/json"]);
    }
  });

  it("[PAGE2] shows a plain page when the studio is not built", async () => {
    const bare = createServer({
      modelsDir: home,
      studioFolder: join(home, "nowhere"),
      log: createLogger("silent"),
    });
    const response = await bare.app.request("/");
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("npm start");
    await bare.close();
  });
});
