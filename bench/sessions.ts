// What a session costs the server without a model: passthrough at 576x320 and 30 frames a second, for some numbers of
// sessions at once.
import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { type RunningServer, startServer } from "../e2e/harness/server.ts";
import type { ClientsReport } from "./session-clients.ts";
import type { Row } from "./table.ts";

/** Linux counts a process's time in hundredths of a second, whatever its own clock. */
const TICKS_PER_SECOND = 100;

type Usage = { cpuSeconds: number; ownBytes: number };
type Run = Extract<ClientsReport, { type: "done" }> & { server: Usage };

/** One row for each number of sessions, and one for WebRTC without a server, which the others are compared with. */
export async function benchSessions(counts: readonly number[], seconds: number): Promise<Row[]> {
  const echo = await runClients("", 1, seconds, () => ({ cpuSeconds: 0, ownBytes: 0 }));
  const rows = [row("WebRTC alone", 1, echo, undefined, 0)];
  for (const count of counts) {
    // A fresh one each: memory that others left would count.
    const server = await startServer({ args: ["--max-sessions", String(count)] });
    try {
      await load(server);
      const emptyBytes = usage(server.serverPid()).ownBytes;
      const run = await runClients(server.url, count, seconds, () => usage(server.serverPid()));
      rows.push(row(String(count), count, run, echo, emptyBytes));
    } finally {
      await server.stop();
    }
  }
  return rows;
}

function row(name: string, count: number, run: Run, echo: Run | undefined, emptyBytes: number): Row {
  const all = (from: number, to: number) =>
    run.latenciesMs.flatMap((one) => one.slice(Math.floor(one.length * from), Math.ceil(one.length * to)));
  const base = (share: number) => (echo === undefined ? 0 : quantile(echo.latenciesMs.flat(), share));
  return {
    sessions: name,
    "frames/s each": run.frames / run.seconds / count,
    "round trip p50 ms": quantile(all(0, 1), 0.5),
    "round trip p95 ms": quantile(all(0, 1), 0.95),
    "first tenth p50": quantile(all(0, 0.1), 0.5),
    "last tenth p50": quantile(all(0.9, 1), 0.5),
    "added p50 ms": echo === undefined ? "-" : quantile(all(0, 1), 0.5) - base(0.5),
    "added p95 ms": echo === undefined ? "-" : quantile(all(0, 1), 0.95) - base(0.95),
    "server CPU % each": echo === undefined ? "-" : (run.server.cpuSeconds / run.seconds / count) * 100,
    "server MB each": echo === undefined ? "-" : (run.server.ownBytes - emptyBytes) / 1e6 / count,
    "clients CPU % each": (run.cpuSeconds / run.seconds / count) * 100,
  };
}

/** @param measure of the server, at the start and at the end of the watch */
function runClients(url: string, count: number, seconds: number, measure: () => Usage): Promise<Run> {
  const module = new URL("session-clients.ts", import.meta.url).pathname;
  const child = fork(module, [url, String(count), String(seconds)], { execArgv: ["--import", "tsx"] });
  let before: Usage | undefined;
  return new Promise((resolve, reject) => {
    child.on("message", (report: ClientsReport) => {
      const now = measure();
      if (report.type === "watching") before = now;
      else {
        const cpuSeconds = now.cpuSeconds - (before?.cpuSeconds ?? 0);
        resolve({ ...report, server: { cpuSeconds, ownBytes: now.ownBytes } });
      }
    });
    child.on("exit", (code, signal) => reject(new Error(`the clients ended with ${signal ?? `code ${code}`}`)));
  });
}

async function load({ url }: RunningServer): Promise<void> {
  const body = JSON.stringify({ pipeline_id: "passthrough" });
  await fetch(`${url}/api/v1/pipeline/load`, { method: "POST", body });
  for (;;) {
    const answer = await fetch(`${url}/api/v1/pipeline/status`);
    if (((await answer.json()) as { status: string }).status === "loaded") return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Time on the processors and own memory of a process; Linux tells. */
function usage(pid: number): Usage {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  const kib = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  // The 14th and 15th fields of the line (proc_pid_stat(5)), of which two are cut off.
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND, ownBytes: Number(kib) * 1024 };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
