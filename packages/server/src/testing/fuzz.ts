/**
 * Throws random and mutated requests at every endpoint of a server, and
 * messages at a data channel. What comes back must be an answer: never an
 * unexpected failure, and every refusal in the form that clients know.
 */
import { ERRORS, errorBody } from "@everframe/protocol";
import { passthrough } from "../pipelines/passthrough.ts";
import type { PipelineDefinition } from "../pipelines/pipeline.ts";
import { SessionParameters } from "../sessions/parameters.ts";
import { mutateJson, mutateText } from "./mutate.ts";
import { Random } from "./random.ts";
import { Rig } from "./rig.ts";
import { TestClient, until } from "./test-client.ts";

export type FuzzReport = {
  requests: number;
  messages: number;
  /** How often each status came. */
  statuses: Record<number, number>;
  /** What should not have been; at most the first twenty. */
  faults: string[];
};

type Operation = { method: string; path: string; requestBody?: { content: Record<string, unknown> } };

/** Offers cost a connection each, so most requests are others. */
const OFFER_SHARE = 0.01;
const MESSAGE_SHARE = 0.2;
const MAX_FAULTS = 20;
const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);

const PARAMETERS = {
  prompts: [
    { text: "a forest", weight: 1 },
    { text: "a city", weight: 0.5 },
  ],
  prompt_interpolation_method: "slerp",
  transition: { target_prompts: [{ text: "x", weight: 1 }], num_steps: 4, temporal_interpolation_method: "linear" },
  noise_scale: 0.7,
  noise_controller: true,
  denoising_step_list: [700, 500],
  manage_cache: true,
  reset_cache: true,
  kv_cache_attention_bias: 0.3,
  lora_scales: [{ path: "a.safetensors", scale: 1 }],
  vace_enabled: true,
  vace_use_input_video: true,
  vace_context_scale: 1,
  vace_ref_images: ["a.png"],
  first_frame_image: "a.png",
  paused: false,
  base_seed: 42,
  input_mode: "video",
  request_id: 1,
};
const BODIES: Record<string, unknown> = {
  "/api/v1/pipeline/load": {
    pipeline_id: "passthrough",
    load_params: { width: 320, height: 176, seed: 42, vace_enabled: true, loras: [{ path: "x", scale: 1 }] },
  },
  "/api/v1/models/download": { pipeline_id: "longlive" },
  "/api/v1/webrtc/offer/{sessionId}": {
    candidates: [{ candidate: "candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host", sdpMid: "0", sdpMLineIndex: 0 }],
  },
};
const HEADERS: Record<string, readonly string[]> = {
  Range: ["bytes=0-", "bytes=5-1", "bytes=-0", "bytes=9999999999-", "lines=1-2", "bytes=0-1,3-4"],
  "If-None-Match": ["*", '"x"', "W/", ""],
  "If-Modified-Since": ["yesterday", "Thu, 01 Jan 1970 00:00:00 GMT"],
  "Content-Length": ["-1", "1e9", "99999999999", "x"],
  Origin: ["null", "https://evil.example", "http://localhost:3000", "://"],
  Host: ["localhost", "evil.example", "[::1", "", "a b"],
  Authorization: ["Bearer", "Bearer x.y", "Basic eDp5"],
  Cookie: ["everframe_access=", "=;;;=", "everframe_access=x; everframe_access=y"],
  Accept: ["text/html", "*/*", ";;;"],
  "X-Forwarded-For": ["1.1.1.1", "x", ","],
};

/** @param count of requests and messages together */
export async function fuzz(
  seed: number,
  count: number,
  onProgress: (done: number) => void = () => {},
): Promise<FuzzReport> {
  const random = new Random(seed);
  const report: FuzzReport = { requests: 0, messages: 0, statuses: {}, faults: [] };
  const fault = (text: string) => {
    if (report.faults.length < MAX_FAULTS) report.faults.push(text);
  };
  const onRejection = (reason: unknown) => fault(`unhandled: ${String(reason)}`);
  process.on("unhandledRejection", onRejection);
  // Loads of models that are none, so that chance may load them; and no encoder, which would be a process each.
  const models = ["longlive", "longlive-tiny"].map((id): PipelineDefinition => ({ ...passthrough, id }));
  const rig = await Rig.start({ pipelines: models, ffmpeg: "/nowhere/ffmpeg", maxSessions: 4, graceMs: 1000 });
  const parameters = new SessionParameters({}, (path) => path);
  try {
    await rig.load("passthrough");
    let client = await rig.connect();
    await client.receive(3);
    const operations = await readOperations(rig);
    const sdp = await offerSdp(rig);
    for (let i = 0; i < count; i++) {
      if (random.chance(MESSAGE_SHARE)) {
        report.messages += 1;
        const message = mutateJson(random, PARAMETERS);
        // The channel takes some hundred a second; what reads it is given all.
        if (report.messages % 50 === 0 && !client.isChannelClosed) await client.send(message);
        const answers = parameters.receive(message);
        if (answers.some((one) => one.type === "error" && one.code === "internal")) fault(`message: ${message}`);
        if (random.chance(0.1)) {
          parameters.take();
          parameters.takeApplied();
        }
      } else {
        report.requests += 1;
        const { path, init } = makeRequest(random, operations, client.sessionId, sdp);
        const response = await rig.ask(path, init);
        report.statuses[response.status] = (report.statuses[response.status] ?? 0) + 1;
        const problem = await problemOf(response);
        if (problem !== undefined) fault(`${init.method} ${path.slice(0, 200)} ${shorten(init.body)}: ${problem}`);
      }
      if (i % 1000 === 999) {
        onProgress(i + 1);
        await endSessions(rig, client.sessionId);
        if (client.isChannelClosed) client = await rig.connect();
      }
    }
    await checkThatItServes(rig);
  } catch (error) {
    fault(`the end: ${String(error)}`);
  } finally {
    await rig.close();
    process.off("unhandledRejection", onRejection);
  }
  const unexpected = rig.logLines.find((line) => / (ERROR (request|WebRTC)|FATAL) /.test(line));
  if (unexpected !== undefined) fault(`logged: ${unexpected.slice(0, 500)}`);
  return report;
}

async function readOperations(rig: Rig): Promise<Operation[]> {
  const { paths } = (await (await rig.ask("/openapi.json")).json()) as {
    paths: Record<string, Record<string, Omit<Operation, "method" | "path">>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
}

/** Of a real client, to be mutated. */
async function offerSdp(rig: Rig): Promise<string> {
  let sdp = "";
  const spy = async (path: string, init?: RequestInit) => {
    if (path.endsWith("/offer")) ({ sdp } = JSON.parse(String(init?.body)) as { sdp: string });
    return rig.ask(path, init);
  };
  const client = await TestClient.connect({ ask: spy });
  client.close();
  return sdp;
}

function makeRequest(random: Random, operations: readonly Operation[], sessionId: string, sdp: string) {
  const isOffer = random.chance(OFFER_SHARE);
  const offers = operations.filter((one) => one.path === "/api/v1/webrtc/offer");
  const others = operations.filter((one) => one.path !== "/api/v1/webrtc/offer");
  const { method, path: pattern, requestBody } = random.pick(isOffer ? offers : others);
  const ids = [sessionId, "none", "a.png", "..", "%2e%2e", "%00", "é".repeat(100), encodeURIComponent("../x"), "%"];
  const path = pattern.replace(/\{\w+\}/g, () => random.pick(ids)) + query(random);
  const headers: Record<string, string> = {};
  if (random.chance(0.2)) {
    const name = random.pick(Object.keys(HEADERS));
    headers[name] = random.pick(HEADERS[name]!);
  }
  // Nobody's own session: its end would end the messages.
  const isEnd = method === "DELETE" && path.includes(sessionId);
  const verb = isEnd ? "GET" : random.chance(0.02) ? random.pick(["PUT", "OPTIONS", "HEAD", "POST", "PATCH"]) : method;
  if (verb === "GET" || verb === "HEAD") return { path, init: { method: verb, headers } };
  const type = Object.keys(requestBody?.content ?? {})[0];
  const body =
    type === "application/octet-stream"
      ? bytes(random)
      : isOffer
        ? offerBody(random, sdp)
        : mutateJson(random, BODIES[pattern] ?? PARAMETERS);
  return { path, init: { method: verb, headers, body } };
}

function offerBody(random: Random, sdp: string): string {
  const offer = { sdp, type: "offer", initialParameters: PARAMETERS, sessionId: null, ticket: "x" };
  if (random.chance(0.5)) return mutateJson(random, offer);
  return JSON.stringify({ ...offer, initialParameters: {}, sdp: mutateText(random, sdp) });
}

function query(random: Random): string {
  if (random.chance(0.4)) return "";
  const names = ["filename", "type", "pipeline_id", "lines", "since_offset", "quality", "format", "token", "x"];
  const values = [
    "a.png",
    "image",
    "longlive",
    "10",
    "-1",
    "1e9",
    "NaN",
    "mp4",
    "../x.png",
    "",
    "\0",
    "é",
    "a".repeat(300),
  ];
  const search = new URLSearchParams();
  for (let i = random.int(1, 3); i > 0; i--) search.append(random.pick(names), random.pick(values));
  return `?${random.chance(0.1) ? mutateText(random, search.toString()).replace(/[\0\n#\\]/g, "") : search}`;
}

function bytes(random: Random): Uint8Array<ArrayBuffer> {
  const data = Uint8Array.from({ length: random.int(0, 300) }, () => random.int(0, 255));
  if (random.chance(0.5)) data.set(PNG.subarray(0, Math.min(PNG.length, data.length)));
  return data;
}

/** What is wrong with an answer; undefined when nothing is. */
async function problemOf(response: Response): Promise<string | undefined> {
  if (response.status < 400) {
    await response.body?.cancel();
    return undefined;
  }
  const text = await response.text();
  if (response.headers.get("content-type")?.startsWith("text/html")) return undefined; // the page that asks for the token
  if (text === "") return undefined; // the answer to HEAD
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return `${response.status} is no JSON: ${text.slice(0, 200)}`;
  }
  // A server that is not ready says so in a body of its own.
  if (response.status === 503 && (body as { status?: string }).status === "not_ready") return undefined;
  if (!errorBody.safeParse(body).success) return `${response.status} is no error body: ${text.slice(0, 200)}`;
  const { code } = body as { code: keyof typeof ERRORS };
  if (code === "internal") return "500 internal";
  return ERRORS[code].status === response.status ? undefined : `${code} with status ${response.status}`;
}

/** Ends all sessions but one: offers that nobody follows would wait for their clients. */
async function endSessions(rig: Rig, but?: string): Promise<void> {
  const { sessions } = (await (await rig.ask("/api/v1/sessions")).json()) as { sessions: { id: string }[] };
  const others = sessions.filter(({ id }) => id !== but);
  await Promise.all(others.map(({ id }) => rig.ask(`/api/v1/webrtc/offer/${id}`, { method: "DELETE" })));
}

async function checkThatItServes(rig: Rig): Promise<void> {
  await endSessions(rig);
  await rig.closeClients();
  await rig.load("passthrough");
  const fresh = await rig.connect();
  await fresh.receive(10);
  fresh.close();
  await until(async () => (await rig.sessionCount()) === 0, "all sessions to end");
}

function shorten(body: unknown): string {
  return (typeof body === "string" ? body : body instanceof Uint8Array ? `${body.length} bytes` : "").slice(0, 300);
}
