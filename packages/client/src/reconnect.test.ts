// The SDK through the death of a real server: its process is killed under its supervisor, and video comes again.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import wrtc from "@roamhq/wrtc";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Client, createClient } from "./client.ts";
import type { Session } from "./session.ts";
import type { SessionState } from "./session-state.ts";

const SERVER = fileURLToPath(new URL("../../server/src/main.ts", import.meta.url));
/** The promise is 10 s; other work on the machine has its share of this. */
const PATIENCE_MS = 30_000;

let home: string;
let supervisor: ChildProcess;
let url: string;
let session: Session | undefined;

// Each has its own: a server that dies twice within a minute gives its pipeline up.
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "everframe-"));
  supervisor = spawn(process.execPath, ["--import", "tsx", SERVER, "--no-open", "--port", "0"], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, DAYDREAM_SCOPE_MODELS_DIR: join(home, "models"), HF_HUB_CACHE: join(home, "hub") },
  });
  let output = "";
  supervisor.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await until(() => /http:\S+/.test(output));
  url = /http:\S+/.exec(output)![0];
  const client = createClient({ url });
  await client.load({ pipeline: "passthrough" });
  await client.waitUntilLoaded();
}, 60_000);
afterEach(async () => {
  session?.close();
  const exit = once(supervisor, "exit");
  supervisor.kill("SIGTERM");
  await exit;
  await rm(home, { recursive: true, force: true });
}, 30_000);

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited ${PATIENCE_MS} ms for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function isWell(state: SessionState | undefined): boolean {
  return state?.name === "live" && !state.interrupted;
}

/** The process that serves; the one that was started only watches over it. Linux tells. */
function servingPid(): number {
  const { pid } = supervisor;
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").at(-1));
}

/** A session that sends a moving picture, and what it sees. */
async function start(client: Client, onState?: (state: SessionState) => void) {
  const source = new wrtc.nonstandard.RTCVideoSource();
  const track = source.createTrack();
  const size = { width: 64, height: 48 };
  let luma = 0;
  const timer = setInterval(() => {
    luma = (luma + 5) % 200;
    source.onFrame({ ...size, data: new Uint8Array((64 * 48 * 3) / 2).fill(128).fill(luma, 0, 64 * 48) });
  }, 33);
  const stream = new wrtc.MediaStream([track]) as unknown as MediaStream;
  const parameters = { prompts: "first", noiseScale: 0.25 };
  const made = await client.connect({ stream, parameters, ...(onState === undefined ? {} : { onState }) });
  session = made;
  const seen = { frames: 0 };
  let watched: unknown;
  let sink: { onframe: (() => void) | null; stop(): void } | undefined;
  const watch = setInterval(() => {
    const [current] = made.output.getVideoTracks();
    if (current === watched || current === undefined) return;
    watched = current;
    sink?.stop();
    sink = new wrtc.nonstandard.RTCVideoSink(current as never) as unknown as NonNullable<typeof sink>;
    sink.onframe = () => {
      seen.frames += 1;
    };
  }, 20);
  const stop = () => {
    clearInterval(timer);
    clearInterval(watch);
    sink?.stop();
    track.stop();
  };
  made.on("state", (state) => state.name === "closed" && stop());
  await until(() => seen.frames > 5);
  return { session: made, seen };
}

const PeerConnection = wrtc.RTCPeerConnection as unknown as typeof RTCPeerConnection;

for (const signal of ["SIGKILL", "SIGABRT"] as const) {
  test.skipIf(process.platform !== "linux")(
    `[SUP3] video comes again after ${signal} ends the server's process`,
    async () => {
      const states: SessionState[] = [];
      const { session, seen } = await start(createClient({ url, RTCPeerConnection: PeerConnection }), (state) => {
        states.push(state);
      });
      const { id, output } = session;
      void session.set({ prompts: "second" });
      process.kill(servingPid(), signal);
      await until(() => states.length >= 4 && isWell(states.at(-1)));
      const before = seen.frames;
      await until(() => seen.frames > before + 5);
      const attempts = states.slice(2, -1).map((one) => (one.name === "live" && one.interrupted ? one.attempt : -1));
      expect(states.slice(0, 2)).toEqual([{ name: "connecting" }, { name: "live", interrupted: false }]);
      expect(attempts).toEqual(attempts.map((_, i) => i + (attempts[0] ?? 0)));
      expect(states.at(-1)).toEqual({ name: "live", interrupted: false });
      expect(session.output).toBe(output);
      expect(session.id).not.toBe(id);
      const answer = await fetch(`${url}/api/v1/sessions/${session.id}/parameters`);
      const { parameters } = (await answer.json()) as { parameters: Record<string, unknown> };
      expect(parameters).toMatchObject({ prompts: [{ text: "second" }], noise_scale: 0.25, input_mode: "video" });
    },
    120_000,
  );
}

test("[SUP4] a client that hears nothing any more goes on with the same session, over another connection", async () => {
  let isDeaf = false;
  class Deaf extends wrtc.RTCPeerConnection {
    override async getStats() {
      const report = await super.getStats();
      return isDeaf
        ? new Map([["t", { type: "transport", id: "t", timestamp: 0, bytesReceived: 1 }]])
        : (report as never);
    }
  }
  const client = createClient({ url, RTCPeerConnection: Deaf as unknown as typeof RTCPeerConnection });
  const states: SessionState[] = [];
  const { session, seen } = await start(client, (state) => states.push(state));
  const { id } = session;
  isDeaf = true;
  await until(() => states.length >= 4);
  expect(states[2]).toMatchObject({ interrupted: true, attempt: 0 });
  isDeaf = false;
  await until(() => isWell(states.at(-1)));
  const before = seen.frames;
  await until(() => seen.frames > before + 5);
  expect(session.id).toBe(id);
  expect(session.state).toEqual({ name: "live", interrupted: false });
  const { sessions } = (await (await fetch(`${url}/api/v1/sessions`)).json()) as { sessions: unknown[] };
  expect(sessions).toHaveLength(1);
}, 60_000);

test("gives up when the time is over, and says that the connection was lost", async () => {
  let isCut = false;
  class Deaf extends wrtc.RTCPeerConnection {
    override async getStats() {
      const report = await super.getStats();
      return isCut ? (new Map([["t", { type: "transport", bytesReceived: 1 }]]) as never) : (report as never);
    }
  }
  const client = createClient({
    url,
    RTCPeerConnection: Deaf as unknown as typeof RTCPeerConnection,
    fetch: (path, init) => (isCut ? Promise.reject(new TypeError("cut")) : fetch(path, init)),
  });
  session = await client.connect({ reconnect: { limitMs: 1000 } });
  const closed = new Promise<SessionState>((resolve) =>
    session?.on("state", (one) => one.name === "closed" && resolve(one)),
  );
  isCut = true;
  expect(await closed).toMatchObject({ reason: "connection_lost", error: { code: "connection", reason: "lost" } });
}, 60_000);
