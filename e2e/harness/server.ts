// Starts the product as a user does (`npm start`'s own script) on a free port, and stops it by a signal.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");

export type RunningServer = {
  url: string;
  /** Folder of what it keeps: LoRA files are in "lora" below it. Gone after `stop`. */
  home: string;
  process: ChildProcess;
  /** Id of the process that serves: the child of the one started here, which only watches over it. Linux only. */
  serverPid: () => number;
  /** Everything that the server printed so far. */
  log: () => string;
  /** Sends the signal and returns the exit code; null when the process died of the signal itself. */
  stop: (signal?: NodeJS.Signals) => Promise<number | null>;
};

/** Starts the server and waits until /health answers; throws with its output when it does not within two minutes. */
export async function startServer(
  options: { modelsDir?: string; port?: number; args?: string[] } = {},
): Promise<RunningServer> {
  const port = options.port ?? (await freePort());
  const home = mkdtempSync(join(tmpdir(), "everframe-e2e-"));
  const modelsDir = options.modelsDir ?? join(home, "models");
  const args = [
    join(ROOT, "scripts/start.mjs"),
    "--no-open",
    "--port",
    String(port),
    "--models-dir",
    modelsDir,
    "--min-fps",
    "1",
  ];
  const child = spawn(process.execPath, [...args, ...(options.args ?? [])], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, DAYDREAM_SCOPE_ASSETS_DIR: join(home, "assets") },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      output += text;
    });
  }
  const url = `http://127.0.0.1:${port}`;
  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, "exit");
      child.kill(signal);
      await exit;
    }
    rmSync(home, { recursive: true, force: true });
    return child.exitCode;
  };
  const deadline = Date.now() + 120_000;
  while (!(await answers(`${url}/health`))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop("SIGKILL");
      throw new Error(`The server did not start:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const serverPid = () => {
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ");
    return Number(children.at(-1));
  };
  return { url, home, process: child, serverPid, log: () => output, stop };
}

/** Waits until the service is there, at once or after a restart of its process; throws when it is not within ten seconds. */
export async function untilServed(url: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await answers(`${url}/health`))) {
    if (Date.now() > deadline) throw new Error(`There is no answer from ${url} any more.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false; // not listening yet
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("internal: no port was given");
  return address.port;
}
