// `npm run soak`: a hostile week in an hour. The product as it is started by a user, and processes of clients that connect,
// vanish, lie, flood, change size, lose packets, pause, reload and upload garbage, all at once and by a seed.
// `-- --minutes N` (of clients at work; default 60), `-- --seed S`, `-- --clients N` (processes, default 4).
import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Random } from "../packages/server/src/testing/random.ts";
import { type Ask, sleep, TestClient, until } from "../packages/server/src/testing/test-client.ts";
import { BEHAVIOURS } from "./soak-behaviours.ts";
import type { ClientReport } from "./soak-client.ts";
import { type Holding, type SoakServer, startSoakServer } from "./soak-server.ts";

/** What the end may differ from the time after the first tenth. */
const MEMORY_SHARE = 0.1;
/**
 * Besides: pages that are half used when the free ones have been given back, in a process of some 60 MB. Three minutes
 * left 3 to 4 MB here; 100 kB left of each visit would be more than this.
 */
const SCATTERED_BYTES = 10e6;
/** JavaScript's own, which has no such pages: what is compiled and remembered late. */
const HEAP_BYTES = 3e6;
/** Connections of HTTP that are kept for another request. */
const SPARE_FILES = 16;
/** The first tenth is too short for that in a short run: peaks of every kind have to be behind. */
const MIN_WARM_UP_MINUTES = 1;
/** The clients have the same media library, with its known fault: in three minutes none died, or one. */
const DEATHS = 1;
const DEATH_SHARE = 0.005;
/** Sessions of clients that vanished are kept for half a minute; a machine with other work takes its time. */
const EMPTY_LIMIT_MS = 120_000;
/** How often to look again when not all is gone yet. */
const MEASURES = 6;
const MEASURE_MS = 10_000;
const FAIR_SECONDS = 5;
/** Other programs of the machine may slow one try down, and not all. */
const FAIR_TRIES = 6;

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
let clientDeaths = 0;
const fault = (text: string) => {
  if (!faults.has(text)) console.error(`FAULT ${text}`);
  faults.set(text, (faults.get(text) ?? 0) + 1);
};

const clients = new Set<ChildProcess>();
// The media library can die of itself (docs/SECURITY.md); who watches over it starts it anew. Its faults are those of the
// clients that it was just serving, so a run in which it did tells only that the service came back.
if ((await run()) === "died") {
  faults.clear();
  console.log("NOTE The media library died once, and the service came back by itself. All of it again.");
  if ((await run()) === "died") fault("the media library died twice");
}
const total = Object.values(runs).reduce((sum, count) => sum + count, 0);
const counts = Object.entries(runs).map(([name, count]) => `${name} ${count}`);
console.log(`${total} visits: ${counts.join(", ")}.`);
if (clientDeaths > 0) console.log(`NOTE The media library of ${clientDeaths} clients died.`);
if (clientDeaths > Math.max(DEATHS, total * DEATH_SHARE)) fault(`the media library of ${clientDeaths} clients died`);
for (const [text, times] of faults) console.error(`FAULT (${times}x) ${text}`);
console.log(faults.size === 0 ? "No fault." : `${faults.size} kinds of fault; repeat with --seed ${seed}.`);
process.exit(faults.size === 0 ? 0 : 1);

/** The whole of it with a server of its own. @returns whether the process that serves lived through it */
async function run(): Promise<"lived" | "died"> {
  const home = await mkdtemp(join(tmpdir(), "everframe-soak-"));
  const server = await startSoakServer(home);
  let pid = 0;
  const hasDied = () => pid !== 0 && server.servingPid() !== pid;
  try {
    const { url } = server;
    const ask: Ask = (path, init) => fetch(`${url}${path}`, init);
    console.log(`Seed ${seed}, ${minutes} minutes, server at ${url}.`);
    await load(ask);
    pid = server.servingPid();
    await torture(url, ask, server);
    for (const line of server.complaints()) fault(`logged: ${line}`);
  } catch (error) {
    fault(String(error instanceof Error ? error.stack : error));
  }
  try {
    const ofNativeCode = server.complaints().some((line) => /SIGSEGV|SIGABRT/.test(line));
    if (!hasDied()) return "lived";
    if (!ofNativeCode) fault("the server's process died");
    // It must serve again, whatever it did to its clients.
    const ask: Ask = (path, init) => fetch(`${server.url}${path}`, init);
    await load(ask);
    console.log(`After a crash a fresh client has ${describe(await tryFresh(ask))}.`);
    return ofNativeCode ? "died" : "lived";
  } catch (error) {
    fault(`the service did not come back: ${String(error)}`);
    return "lived";
  } finally {
    for (const client of clients) client.kill("SIGKILL");
    const code = await server.stop();
    if (code !== 0) fault(`the server ended with ${code}`);
    await rm(home, { recursive: true, force: true });
  }
}

async function torture(url: string, ask: Ask, server: SoakServer): Promise<void> {
  const warmUpMs = Math.max(minutes / 10, MIN_WARM_UP_MINUTES) * 60_000;
  const startMs = performance.now();
  // Every behaviour in all processes, so that the first measurement has seen what the last one will.
  const names = Object.keys(BEHAVIOURS).filter((name) => name !== "vanisher");
  await Promise.all(Array.from({ length: Number(values.clients) }, () => runClient(url, names.join(","))));
  const roundMs = performance.now() - startMs;
  await empty(ask);
  const fresh = await tryFresh(ask);
  console.log(`After a round of ${Math.round(roundMs / 1000)} s a fresh client has ${describe(fresh)}.`);

  await torment(url, warmUpMs - roundMs);
  // Those whose clients vanished end by themselves at the end; here that would only take time.
  await Promise.all((await sessionsOf(ask)).map(({ id }) => ask(`/api/v1/webrtc/offer/${id}`, { method: "DELETE" })));
  const tenth = await settle(ask, server);
  console.log(`After the first tenth: ${format(tenth)}.`);
  await torment(url, minutes * 60_000 - Math.max(warmUpMs, roundMs));
  const end = await settle(ask, server);
  console.log(`At the end: ${format(end)}.`);
  let last = await tryFresh(ask);
  const isWorse = () => last.frames < fresh.frames * 0.7;
  for (let i = 1; i < FAIR_TRIES && isWorse(); i++) last = await tryFresh(ask);
  console.log(`A fresh client has ${describe(last)}.`);
  compare(tenth, end);
  if (isWorse()) fault(`a fresh client has ${describe(last)}, and had ${describe(fresh)}`);
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
      if (signal === "SIGSEGV") clientDeaths += 1;
      else if (signal !== null && signal !== "SIGKILL") fault(`a client's process died of ${signal}`);
      else if (code !== null && code !== 0) fault(`a client's process ended with ${code}`);
      resolve();
    });
  });
}

/** All kinds of clients at once, for a time; none of it may be left. */
async function torment(url: string, forMs: number): Promise<void> {
  const endMs = performance.now() + forMs;
  const worker = async () => {
    while (performance.now() < endMs) await runClient(url);
  };
  const workers = Array.from({ length: Number(values.clients) }, worker);
  await sleep(endMs - performance.now());
  for (const client of clients) if (client.connected) client.send("end");
  await Promise.all(workers);
}

async function sessionsOf(ask: Ask): Promise<{ id: string }[]> {
  const { sessions } = (await (await ask("/api/v1/sessions")).json()) as { sessions: { id: string }[] };
  return sessions;
}

/** Waits until no session is left. */
async function empty(ask: Ask): Promise<void> {
  const isEmpty = async () => (await sessionsOf(ask)).length === 0;
  await until(isEmpty, "all sessions to end", EMPTY_LIMIT_MS).catch((error: unknown) => fault(String(error)));
  await load(ask);
}

/** Waits until no session is left, and tells what the server still holds. */
async function settle(ask: Ask, server: SoakServer): Promise<Holding> {
  await empty(ask);
  let holding = await server.measure();
  // Encoders of recordings have their last pictures to write.
  const isAtWork = () => Object.values(holding.objects).some((count) => count > 0);
  for (let i = 1; i < MEASURES && isAtWork(); i++) {
    await sleep(MEASURE_MS);
    holding = await server.measure();
  }
  return holding;
}

/** Nothing of a session may be left, and nothing may have grown. */
function compare(before: Holding, after: Holding): void {
  for (const [name, count] of Object.entries(after.objects)) if (count > 0) fault(`${count} ${name} are left`);
  const limits: [string, number, number][] = [
    ["memory", before.ownBytes * MEMORY_SHARE + SCATTERED_BYTES, after.ownBytes - before.ownBytes],
    ["JavaScript's memory", HEAP_BYTES, after.heapBytes - before.heapBytes],
  ];
  for (const [what, limit, growth] of limits) {
    if (growth > limit) fault(`${what} grew by ${megabytes(growth)}, and may by ${megabytes(limit)}`);
  }
  if (after.files > before.files + SPARE_FILES) fault(`${after.files} open files, and ${before.files} before`);
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

function format({ ownBytes, heapBytes, files, objects }: Holding): string {
  const counts = Object.entries(objects).map(([name, count]) => `${count} ${name}`);
  return `${megabytes(ownBytes)}, of it ${megabytes(heapBytes)} of JavaScript, ${files} files, ${counts.join(", ")}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
