// The server of bench/soak.ts, started as a user starts it, and what is left in its process when nobody is there.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { sleep, until } from "../packages/server/src/testing/test-client.ts";
import { median } from "./table.ts";

const START_LIMIT_MS = 120_000;
/** A collection takes a second, or some on a machine that has much else to do. */
const REPORT_LIMIT_MS = 60_000;
const READINGS = 10;
const MAX_COMPLAINTS = 20;

/** What the process holds after a collection. Linux tells of the memory and the files. */
export type Holding = {
  /**
   * Its own memory: median of several readings. Pages of program files are left out: they come as code is run for the
   * first time, and the kernel takes them away when it wants to.
   */
  ownBytes: number;
  /** Of JavaScript: the heap, and what it holds outside. */
  heapBytes: number;
  /** Open files and sockets. */
  files: number;
  /** How many objects of a kind that belongs to a session. */
  objects: Record<string, number>;
};

export type SoakServer = {
  readonly url: string;
  /** The process that serves; another one only watches over it. */
  servingPid(): number;
  /** Collects garbage and tells what is left. */
  measure(): Promise<Holding>;
  /** Errors in its log so far. */
  complaints(): readonly string[];
  /** Ends it. @returns its exit code, or the signal that ended it */
  stop(): Promise<number | string>;
};

/** @param home an empty folder for all that it writes */
export async function startSoakServer(home: string): Promise<SoakServer> {
  const main = new URL("../packages/server/src/main.ts", import.meta.url).pathname;
  const reportPath = join(home, "report.json");
  const child = spawn(process.execPath, ["--import", "tsx", main, "--no-open", "--port", "0", "--max-sessions", "6"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      DAYDREAM_SCOPE_MODELS_DIR: join(home, "models"),
      EVERFRAME_SOAK_REPORT: reportPath,
      HF_HUB_OFFLINE: "1",
      NODE_OPTIONS: `--no-warnings --import ${new URL("soak-preload.mjs", import.meta.url).href}`,
    },
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  const complaints: string[] = [];
  let rest = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    const bad = lines.filter((line) => / (ERROR|FATAL) /.test(line));
    complaints.push(...bad.slice(0, MAX_COMPLAINTS - complaints.length));
  });
  const exit = new Promise<number | string>((resolve) => {
    child.on("exit", (code, signal) => resolve(code ?? signal ?? "?"));
  });
  await until(() => /http:\S+/.test(out), "the server to start", START_LIMIT_MS);

  const servingPid = () => {
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8");
    return Number(children.trim().split(" ").at(-1));
  };
  return {
    url: /http:\S+/.exec(out)?.[0] ?? "",
    servingPid,
    complaints: () => complaints,
    async measure() {
      const pid = servingPid();
      await rm(reportPath, { force: true });
      process.kill(pid, "SIGUSR2");
      let report = "";
      const isWritten = async () => {
        report = await readFile(reportPath, "utf8").catch(() => "");
        return report !== "";
      };
      await until(isWritten, "the server to collect its garbage", REPORT_LIMIT_MS);
      const readings: number[] = [];
      for (let i = 0; i < READINGS; i++) {
        readings.push(ownBytes(pid));
        await sleep(300);
      }
      const files = readdirSync(`/proc/${pid}/fd`).length;
      const { heapBytes, objects } = JSON.parse(report) as Pick<Holding, "heapBytes" | "objects">;
      return { ownBytes: median(readings), heapBytes, files, objects };
    },
    async stop() {
      child.kill("SIGTERM");
      return exit;
    },
  };
}

function ownBytes(pid: number): number {
  const kib = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib ?? Number.NaN) * 1024;
}
