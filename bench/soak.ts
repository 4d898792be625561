// `npm run soak`: a hostile week in an hour. The product as it is started by a user, and processes of clients that connect,
// vanish, lie, flood, change size, lose packets, pause, reload and upload garbage, all at once and by a seed.
// `-- --minutes N` (default 60), `-- --seed S`, `-- --clients N` (processes, default 4).
import { type ChildProcess, fork, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Random } from "../packages/server/src/testing/random.ts";
import { type Ask, sleep, TestClient, until } from "../packages/server/src/testing/test-client.ts";
import { BEHAVIOURS } from "./soak-behaviours.ts";
import type { ClientReport } from "./soak-client.ts";
import { median } from "./table.ts";

/** What the end may differ from the time after the first tenth. */
const MEMORY_SHARE = 0.1;
/** Sessions of clients that vanished are kept for half a minute. */
const EMPTY_LIMIT_MS = 60_000;
const FAIR_SECONDS = 5;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    seed: { type: "string" },
    clients: { type: "string", default: "4" },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Date.now() % 2 ** 32);
const random = new Random(seed);
const faults = new Map<string, number>();
const runs: Record<string, number> = {};
const fault = (text: string) => {
  if (!faults.has(text)) console.error(`FAULT ${text}`);
  faults.set(text, (faults.get(text) ?? 0) + 1);
};

const home = await mkdtemp(join(tmpdir(), "everframe-soak-"));
const server = startServer();
const clients = new Set<ChildProcess>();
try {
  const url = await server.url();
  const ask: Ask = (path, init) => fetch(`${url}${path}`, init);
  console.log(`Seed ${seed}, ${minutes} minutes, server at ${url}.`);
  await load(ask);
  const pid = server.servingPid();

  // Every behaviour once, so that the first measurement has seen what the last one will.
  const names = Object.keys(BEHAVIOURS).filter((name) => name !== "vanisher");
  await runClient(url, names.join(","));
  const before = await settle(ask, pid);
  const fresh = await tryFresh(ask);
  console.log(`After one round: ${format(before)}, a fresh client has ${describe(fresh)}.`);

  await torment(url, minutes / 10);
  const tenth = await settle(ask, pid);
  console.log(`After the first tenth: ${format(tenth)}.`);
  await torment(url, (minutes * 9) / 10);
  const end = await settle(ask, pid);
  const last = await tryFresh(ask);
  console.log(`At the end: ${format(end)}, a fresh client has ${describe(last)}.`);

  if (server.servingPid() !== pid) fault("the server's process died");
  if (end > tenth * (1 + MEMORY_SHARE)) fault(`memory grew from ${format(tenth)} to ${format(end)}`);
  if (last.frames < fresh.frames * 0.7) fault(`a fresh client has ${describe(last)}, and had ${describe(fresh)}`);
  for (const line of server.complaints()) fault(`logged: ${line}`);
} catch (error) {
  fault(String(error instanceof Error ? error.stack : error));
} finally {
  for (const client of clients) client.kill("SIGKILL");
  const code = await server.stop();
  if (code !== 0) fault(`the server ended with ${code}`);
  await rm(home, { recursive: true, force: true });
}
const total = Object.values(runs).reduce((sum, count) => sum + count, 0);
const counts = Object.entries(runs).map(([name, count]) => `${name} ${count}`);
console.log(`${total} visits: ${counts.join(", ")}.`);
for (const [text, times] of faults) console.error(`FAULT (${times}x) ${text}`);
console.log(faults.size === 0 ? "No fault." : `${faults.size} kinds of fault; repeat with --seed ${seed}.`);
process.exit(faults.size === 0 ? 0 : 1);

function startServer() {
  const main = new URL("../packages/server/src/main.ts", import.meta.url).pathname;
  const args = ["--import", "tsx", main, "--no-open", "--port", "0", "--max-sessions", "6"];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      DAYDREAM_SCOPE_MODELS_DIR: join(home, "models"),
      HF_HUB_OFFLINE: "1",
      NODE_OPTIONS: `--import ${new URL("collect-garbage.mjs", import.meta.url).href}`,
    },
  });
  let out = "";
  const complaints: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  let rest = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    complaints.push(...lines.filter((line) => / (ERROR|FATAL) /.test(line)).slice(0, 20 - complaints.length));
  });
  const exit = new Promise<number | string>((resolve) => {
    child.on("exit", (code, signal) => resolve(code ?? signal ?? "?"));
  });
  return {
    complaints: () => complaints,
    async url(): Promise<string> {
      await until(() => /http:\S+/.test(out), "the server to start", 120_000);
      return /http:\S+/.exec(out)?.[0] ?? "";
    },
    /** The process that serves; the one started here only watches over it. Linux tells. */
    servingPid(): number {
      const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8");
      return Number(children.trim().split(" ").at(-1));
    },
    async stop(): Promise<number | string> {
      child.kill("SIGTERM");
      return exit;
    },
  };
}

async function load(ask: Ask): Promise<void> {
  await ask("/api/v1/pipeline/load", { method: "POST", body: JSON.stringify({ pipeline_id: "passthrough" }) });
  const isLoaded = async () => {
    const status = (await (await ask("/api/v1/pipeline/status")).json()) as { status: string };
    return status.status === "loaded";
  };
  await until(isLoaded, "the pipeline to load");
}

/** A process of clients; resolves when it has ended, by itself or as a vanishing one does. */
function runClient(url: string, only = ""): Promise<void> {
  const module = new URL("soak-client.ts", import.meta.url).pathname;
  const args = [url, String(random.int(0, 2 ** 31)), only];
  const child = fork(module, args, { execArgv: ["--import", "tsx"], stdio: ["ignore", "ignore", "inherit", "ipc"] });
  clients.add(child);
  child.on("message", (report: ClientReport) => {
    if (report.type === "run") runs[report.behaviour] = (runs[report.behaviour] ?? 0) + 1;
    else if (report.type === "fault") fault(`${report.behaviour}: ${report.text}`);
  });
  return new Promise((resolve) => {
    child.on("exit", (code, signal) => {
      clients.delete(child);
      if (signal !== null && signal !== "SIGKILL") fault(`a client's process died of ${signal}`);
      else if (code !== null && code !== 0) fault(`a client's process ended with ${code}`);
      resolve();
    });
  });
}

/** All kinds of clients at once, for a time. */
async function torment(url: string, forMinutes: number): Promise<void> {
  const endMs = performance.now() + forMinutes * 60_000;
  const worker = async () => {
    while (performance.now() < endMs) await runClient(url);
  };
  const workers = Array.from({ length: Number(values.clients) }, worker);
  await sleep(endMs - performance.now());
  for (const client of clients) if (client.connected) client.send("end");
  await Promise.all(workers);
}

/** Waits until no session is left. @returns bytes of memory */
async function settle(ask: Ask, pid: number): Promise<number> {
  const isEmpty = async () => {
    const { sessions } = (await (await ask("/api/v1/sessions")).json()) as { sessions: unknown[] };
    return sessions.length === 0;
  };
  await until(isEmpty, "all sessions to end", EMPTY_LIMIT_MS).catch((error: unknown) => fault(String(error)));
  await load(ask);
  process.kill(pid, "SIGUSR2");
  await sleep(2000);
  const samples: number[] = [];
  for (let i = 0; i < 10; i++) {
    samples.push(residentBytes(pid));
    await sleep(500);
  }
  return median(samples);
}

type Fair = { firstFrameMs: number; frames: number };

/** What a client sees that comes alone. */
async function tryFresh(ask: Ask): Promise<Fair> {
  const start = performance.now();
  const client = await TestClient.connect({ ask, width: 320, height: 176, parameters: { input_mode: "video" } });
  await client.receive(1);
  const firstFrameMs = performance.now() - start;
  const before = client.received;
  await sleep(FAIR_SECONDS * 1000);
  const frames = client.received - before;
  client.close();
  return { firstFrameMs, frames };
}

function describe({ firstFrameMs, frames }: Fair): string {
  return `its first picture after ${Math.round(firstFrameMs)} ms and ${(frames / FAIR_SECONDS).toFixed(1)} a second`;
}

function residentBytes(pid: number): number {
  const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib ?? Number.NaN) * 1024;
}

function format(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
