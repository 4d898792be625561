// The SDK against real WebRTC (libwebrtc in Node) and a real HTTP server that speaks the API's signalling.
import wrtc from "@roamhq/wrtc";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Client, createClient } from "./client.ts";
import type { Session } from "./session.ts";
import type { SessionState } from "./session-state.ts";
import { LoopbackServer, type Peer, status } from "./testing/loopback-server.ts";

function until(condition: () => boolean): Promise<void> {
  return expect.poll(condition, { timeout: 10_000, interval: 20 }).toBe(true) as Promise<void>;
}

let server: LoopbackServer;
let client: Client;
let sessions: Session[];

beforeEach(async () => {
  server = new LoopbackServer();
  sessions = [];
  client = createClient({
    url: await server.listen(),
    RTCPeerConnection: wrtc.RTCPeerConnection as unknown as typeof RTCPeerConnection,
  });
});
afterEach(async () => {
  for (const session of sessions) session.close();
  await server.close();
});

async function connect(options: Parameters<Client["connect"]>[0] = {}): Promise<{ session: Session; peer: Peer }> {
  const session = await client.connect(options);
  sessions.push(session);
  await until(() => server.peers.get(session.id)?.channel !== undefined);
  return { session, peer: server.peers.get(session.id)! };
}

test("connects, shows every state, and gives the server's video", async () => {
  const states: SessionState[] = [];
  const { session } = await connect({ onState: (state) => states.push(state) });
  expect(session.output.getVideoTracks()).toHaveLength(1);
  session.close();
  expect(states.map(({ name }) => name)).toEqual(["connecting", "live", "closed"]);
  expect(states.at(-1)).toMatchObject({ reason: "closed_by_client", error: undefined });
});

test("a page that fails at a state does not keep the session from ending", async () => {
  const reported: unknown[] = [];
  const report = (error: unknown) => reported.push(error);
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", report);
  try {
    const onState = ({ name }: SessionState) => {
      if (name === "closed") throw new Error("the page's own fault");
    };
    const { session } = await connect({ onState });
    const seen: string[] = [];
    session.on("state", ({ name }) => seen.push(name));
    session.close();
    await until(() => reported.length === 1);
    expect(seen).toEqual(["closed"]);
  } finally {
    process.off("uncaughtException", report);
    for (const other of others) process.on("uncaughtException", other);
  }
});

test("the offer carries the first parameters, and a missing stream means text mode", async () => {
  await connect({ parameters: { prompts: "sepia", denoisingStepList: [700, 500] } });
  expect(server.offers[0]).toMatchObject({
    type: "offer",
    initialParameters: {
      input_mode: "text",
      prompts: [{ text: "sepia", weight: 1 }],
      denoising_step_list: [700, 500],
    },
  });
});

test("a stream is sent as video, can be replaced, and its tracks outlive the session", async () => {
  const makeTrack = () => new wrtc.nonstandard.RTCVideoSource().createTrack();
  const [first, second] = [makeTrack(), makeTrack()];
  const stream = (track: typeof first) => new wrtc.MediaStream([track]) as unknown as MediaStream;
  const { session } = await connect({ stream: stream(first) });
  expect(server.offers[0]).toMatchObject({ initialParameters: { input_mode: "video" } });
  await session.replaceInput(stream(second));
  session.close();
  expect([first.readyState, second.readyState]).toEqual(["live", "live"]);
  first.stop();
  second.stop();
});

test("the input mode follows the input, until it is set", async () => {
  const track = new wrtc.nonstandard.RTCVideoSource().createTrack();
  const stream = new wrtc.MediaStream([track]) as unknown as MediaStream;
  const { session, peer } = await connect();
  const modes = () => peer.received.map((message) => (message as Record<string, unknown>)["input_mode"]);
  await session.replaceInput(stream);
  await until(() => modes().length === 1);
  peer.channel?.send(
    JSON.stringify({ type: "parameters_applied", parameters: { input_mode: "video" }, chunk: 0, request_ids: [1] }),
  );
  await until(() => session.parameters.inputMode === "video");
  await session.replaceInput(undefined);
  await until(() => modes().length === 2);
  expect(modes()).toEqual(["video", "text"]);
  void session.set({ inputMode: "text" });
  await session.replaceInput(stream);
  await until(() => modes().length === 3);
  session.close();
  expect(modes()).toEqual(["video", "text", "text"]);
  track.stop();
});

test("parameters reach the server merged, the last value last", async () => {
  const { session, peer } = await connect();
  for (let i = 0; i <= 50; i++) void session.set({ noiseScale: i / 50 });
  void session.set({ prompts: "anime" });
  await until(() => peer.received.some((message) => Object.hasOwn(message as object, "prompts")));
  expect(peer.received[0]).toEqual({ noise_scale: 0, request_id: 1 });
  const all = Object.assign({}, ...peer.received);
  expect(all).toMatchObject({ noise_scale: 1, prompts: [{ text: "anime", weight: 1 }] });
  expect(peer.received.length).toBeLessThan(25);
});

test("changes are answered: by the chunk that uses them, or by why they cannot be used", async () => {
  const { session, peer } = await connect();
  const used = session.set({ noiseScale: 0.25, prompts: "anime" });
  await until(() => peer.received.length > 0);
  const parameters = { noise_scale: 0.25, prompts: [{ text: "anime", weight: 1 }] };
  peer.channel?.send(JSON.stringify({ type: "parameters_applied", parameters, chunk: 3, request_ids: [1] }));
  expect(await used).toEqual({ chunk: 3, ignored: [] });
  expect(session.parameters).toMatchObject({ inputMode: "text", noiseScale: 0.25 });

  const refused = session.set({ noiseScale: 9 });
  await until(() => peer.received.length > 1);
  const rejected = [{ field: "noise_scale", reason: "too large", allowed: "a number from 0 to 1" }];
  peer.channel?.send(JSON.stringify({ type: "parameters_rejected", rejected, request_id: 2 }));
  await expect(refused).rejects.toMatchObject({ code: "rejected", rejections: [{ name: "noiseScale" }] });
  expect(session.parameters.noiseScale).toBe(0.25);
});

test("a pipeline that changes and parameters that others change are told", async () => {
  const { session, peer } = await connect();
  const told: unknown[] = [];
  session.on("reloading", (event) => told.push(event));
  session.on("reloaded", (event) => told.push(event));
  session.on("updated", (event) => told.push(event));
  for (const message of [
    { type: "pipeline_reloading", pipeline_id: "longlive" },
    { type: "pipeline_reloaded", pipeline_id: "longlive", model: "longlive-tiny", width: 320, height: 176 },
    { type: "parameters_updated", parameters: { noise_scale: 0.5, of_a_later_version: 1 } },
  ]) {
    peer.channel?.send(JSON.stringify(message));
  }
  await until(() => told.length === 3);
  expect(told).toEqual([
    { pipeline: "longlive" },
    { pipeline: "longlive", model: "longlive-tiny", size: { width: 320, height: 176 } },
    { noiseScale: 0.5 },
  ]);
  expect(session.parameters.noiseScale).toBe(0.5);
});

test("a full server is waited for where somebody follows the line, with the ticket that it gave", async () => {
  const body = { detail: "Full.", code: "too_many_sessions", retryable: true };
  const full = JSON.stringify({ ...body, capacity: 2, queue_position: 1, ticket: "t1" });
  server.refuse = { status: 503, body: full };
  await expect(client.connect()).rejects.toMatchObject({
    reason: "too_many_sessions",
    queue: { position: 1, capacity: 2, ticket: "t1" },
  });
  const places: (number | undefined)[] = [];
  const { session } = await connect({
    onQueue: ({ position }) => {
      places.push(position);
      server.refuse = undefined;
    },
  });
  expect(places).toEqual([1]);
  expect(session.state.name).toBe("live");
  expect(server.offers[0]).toMatchObject({ ticket: "t1" });
});

test("the server's messages become typed events, and unknown ones nothing", async () => {
  const { session, peer } = await connect();
  const events: unknown[] = [];
  session.on("rejected", (rejected) => events.push(rejected));
  session.on("error", ({ reason, retryable }) => events.push({ reason, retryable }));
  const statsEvent = new Promise((resolve) => session.on("stats", ({ server }) => server && resolve(server)));
  for (const message of [
    "no JSON",
    JSON.stringify({ type: "of a later version" }),
    JSON.stringify({ type: "parameters_rejected", rejected: [{ field: "noise_scale", reason: "9", allowed: "0..1" }] }),
    JSON.stringify({ type: "error", code: "chunk_failed", message: "x", retryable: true }),
    JSON.stringify({
      type: "stats",
      fps_in: 30,
      fps_out: 24,
      chunk_ms: null,
      stages_ms: {},
      model: "m",
      width: 384,
      height: 224,
      queued_in: 3,
      queued_out: 12,
    }),
  ]) {
    peer.channel?.send(message);
  }
  expect(await statsEvent).toMatchObject({
    fpsIn: 30,
    fpsOut: 24,
    chunkMs: undefined,
    model: "m",
    width: 384,
    queuedFrames: 3,
  });
  expect(events).toEqual([
    [{ name: "noiseScale", reason: "9", allowed: "0..1" }],
    { reason: "chunk_failed", retryable: true },
  ]);
});

test("a stopped stream says why, then closes", async () => {
  const { session, peer } = await connect();
  const notice = new Promise((resolve) => session.on("stopped", resolve));
  const closed = new Promise<SessionState>((resolve) => session.on("state", resolve));
  peer.channel?.send(JSON.stringify({ type: "stream_stopped", reason: "deleted" }));
  expect(await notice).toMatchObject({ reason: "deleted", message: "The session was deleted." });
  expect(await closed).toMatchObject({ name: "closed", reason: "stopped_by_server" });
});

test("a server that ends is waited for, as one that is started anew", async () => {
  const states: SessionState[] = [];
  const { session, peer } = await connect({ onState: (state) => states.push(state) });
  peer.channel?.send(JSON.stringify({ type: "stream_stopped", reason: "server_shutdown" }));
  await until(() => states.length >= 4);
  expect(states[2]).toMatchObject({ interrupted: true, attempt: 1, error: { reason: "server_shutdown" } });
  expect(states[3]).toEqual({ name: "live", interrupted: false });
  expect(server.offers[1]).toMatchObject({ sessionId: "session-1" });
  session.close();
});

test("without a reconnection policy the end of the server is the end of the session", async () => {
  const { session, peer } = await connect({ reconnect: false });
  peer.channel?.send(JSON.stringify({ type: "stream_stopped", reason: "server_shutdown" }));
  await until(() => session.state.name === "closed");
  expect(session.state).toMatchObject({ reason: "stopped_by_server", error: { reason: "server_shutdown" } });
});

test("a server that closes the channel without a word ends the session too", async () => {
  const { session, peer } = await connect();
  const closed = new Promise<SessionState>((resolve) => session.on("state", resolve));
  peer.channel?.close();
  expect(await closed).toMatchObject({ reason: "stopped_by_server", error: { reason: "channel_closed" } });
});

test("the abort signal ends an attempt, and the session that the server had made is deleted", async () => {
  let open = (): void => {};
  server.gate = new Promise((resolve) => {
    open = resolve;
  });
  const abort = new AbortController();
  const states: SessionState[] = [];
  const attempt = client.connect({ signal: abort.signal, onState: (state) => states.push(state) });
  setTimeout(() => abort.abort(), 100);
  await expect(attempt).rejects.toMatchObject({ code: "aborted" });
  expect(states.at(-1)).toMatchObject({ name: "closed", reason: "aborted" });
  open();
  await until(() => server.deleted.length === 1);
});

test("the same signal later ends the session", async () => {
  const abort = new AbortController();
  const { session } = await connect({ signal: abort.signal });
  abort.abort();
  expect(session.state).toMatchObject({ name: "closed", reason: "aborted" });
});

test("an attempt that takes too long fails with a timeout", async () => {
  server.gate = new Promise(() => {});
  await expect(client.connect({ timeoutMs: 200 })).rejects.toMatchObject({ code: "timeout", retryable: true });
});

test("a refused offer is the server's error", async () => {
  server.refuse = { status: 400, body: JSON.stringify({ detail: "Load first.", code: "pipeline_not_loaded" }) };
  await expect(client.connect()).rejects.toMatchObject({
    code: "server",
    reason: "pipeline_not_loaded",
    message: "Load first.",
  });
});

test("an answer that is no SDP is a connection error", async () => {
  server.refuse = { status: 200, body: JSON.stringify({ sdp: "nonsense", type: "answer", sessionId: "s" }) };
  await expect(client.connect()).rejects.toMatchObject({ code: "connection", reason: "bad_answer" });
  await until(() => server.deleted.includes("s"));
});

test("a server that is not there is unreachable", async () => {
  const nobody = createClient({ url: "http://127.0.0.1:9" });
  await expect(nobody.status()).rejects.toMatchObject({ code: "unreachable", retryable: true });
});

test("waiting for a load tells each status and ends with the loaded one", async () => {
  server.statuses = [status("loading"), status("loading"), status("loaded")];
  const seen: string[] = [];
  const last = await client.waitUntilLoaded({ onStatus: ({ status }) => seen.push(status) });
  expect(last.status).toBe("loaded");
  expect(seen).toEqual(["loading", "loading", "loaded"]);
});

test("a failed load, a slow load and an aborted wait each have their error", async () => {
  server.statuses = [status("error", "Out of memory")];
  await expect(client.waitUntilLoaded()).rejects.toMatchObject({ reason: "load_failed", message: "Out of memory" });
  server.statuses = [status("loading")];
  await expect(client.waitUntilLoaded({ timeoutMs: 0 })).rejects.toMatchObject({ code: "timeout" });
  const abort = new AbortController();
  const wait = client.waitUntilLoaded({ signal: abort.signal });
  setTimeout(() => abort.abort(), 50);
  await expect(wait).rejects.toMatchObject({ code: "aborted" });
});
