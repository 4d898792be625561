/** Runs a probe in a process of its own and reads what came of it. Never throws: no answer is an answer, too. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Speed } from "@everframe/longlive";

const PROBE = fileURLToPath(new URL("./probe.mjs", import.meta.url));
const MAX_OUTPUT = 100_000;

export type Probed<T> = { value: T } | { error: string };
export type ModelSpeed = { width: number; height: number; framesPerSecond: number };

export type ProbeOptions = {
  signal?: AbortSignal;
  /** Default 90 s. */
  timeoutMs?: number;
  /** Another first file, for tests. */
  file?: string;
};

export function probeSpeed(device: "cpu" | "webgpu", options?: ProbeOptions): Promise<Probed<Speed>> {
  return probe([device], options);
}

/** Whether the WebRTC library loads. */
export function probeWebrtc(options?: ProbeOptions): Promise<Probed<true>> {
  return probe(["webrtc"], options);
}

/** How fast the model in a folder is. */
export function probeModel(folder: string, options?: ProbeOptions): Promise<Probed<ModelSpeed>> {
  return probe(["model", folder], options);
}

export async function probe<T>(args: readonly string[], options: ProbeOptions = {}): Promise<Probed<T>> {
  const { signal, timeoutMs = 90_000, file = PROBE } = options;
  const child = spawn(process.execPath, [file, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    ...(signal && { signal }),
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out = (out + text).slice(-MAX_OUTPUT);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err = (err + text).slice(0, MAX_OUTPUT);
  });
  const end = await new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, by) => resolve(by === null ? `it ended with code ${code}` : `it was ended by ${by}`));
  });
  clearTimeout(timer);
  const answer = lastAnswer<T>(out);
  if (answer !== undefined && "value" in answer) return answer;
  // The engine prints, but does not throw, that the system's Vulkan library is missing.
  const missing = /Couldn't load Vulkan: (.*)/.exec(err)?.[1];
  if (answer !== undefined) {
    return { error: [missing, shortReason(answer.error)].filter((text) => text !== undefined).join("; ") };
  }
  if (timedOut) return { error: `no result after ${Math.round(timeoutMs / 1000)} s` };
  return { error: [end, firstLine(err)].filter((text) => text !== "").join(": ") };
}

function lastAnswer<T>(out: string): Probed<T> | undefined {
  for (const line of out.split("\n").reverse()) {
    if (!line.startsWith('{"')) continue;
    try {
      return JSON.parse(line) as Probed<T>;
    } catch {
      // cut off: the process died while it wrote
    }
  }
  return undefined;
}

/** Without the names and places in source code that a native library puts before its reason. */
function shortReason(text: string): string {
  return firstLine(
    text.replace(/^(Graph "[^"]*" cannot be loaded on \w+: )?(\/\S+\.(cc|cpp|h):\d+ .*? was false\. )?/, ""),
  );
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0]!.trim().slice(0, 300);
}
