// PyTorch in a process of its own, asked line by line.
import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { TransformerConfig } from "../../packages/longlive/src/config.ts";

const PROGRAM = fileURLToPath(new URL("./dit.py", import.meta.url));

export type TorchModel = { weights: string; inputs: string; config: TransformerConfig; threads: number };

export class TorchProcess {
  readonly version: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  private constructor(
    child: ChildProcessByStdio<Writable, Readable, null>,
    answers: AsyncIterator<string>,
    version: string,
  ) {
    this.#child = child;
    this.#answers = answers;
    this.version = version;
  }

  /** @throws Error when there is no Python with PyTorch, saying where to get it */
  static async start({ weights, inputs, config, threads }: TorchModel): Promise<TorchProcess> {
    const count = String(threads);
    // Threads that wait for others sleep, as ours do: on a busy machine spinning ones would make it many times slower.
    const env = { ...process.env, OMP_NUM_THREADS: count, OPENBLAS_NUM_THREADS: count, OMP_WAIT_POLICY: "passive" };
    const child = spawn(findTorch(), [PROGRAM], { stdio: ["pipe", "pipe", "inherit"], env });
    const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
    const { version } = await ask<{ version: string }>(child, answers, { load: weights, inputs, config, threads });
    return new TorchProcess(child, answers, version);
  }

  /** One pass. @param outputPath where to write the prediction; default nowhere */
  run(outputPath: string | null = null): Promise<{ wallMs: number; cpuMs: number }> {
    return ask(this.#child, this.#answers, { run: outputPath });
  }

  stop(): void {
    this.#child.stdin.end();
  }
}

async function ask<T>(
  child: ChildProcessByStdio<Writable, Readable, null>,
  answers: AsyncIterator<string>,
  request: unknown,
): Promise<T> {
  child.stdin.write(`${JSON.stringify(request)}\n`);
  const { value, done } = await answers.next();
  if (done) throw new Error("PyTorch ended early; what it printed is above.");
  return JSON.parse(value) as T;
}

function findTorch(): string {
  const candidates = [process.env["PYTHON"] ?? "", "/usr/bin/python3", "python3"].filter((path) => path !== "");
  const found = candidates.find((path) => spawnSync(path, ["-c", "import torch"], { stdio: "ignore" }).status === 0);
  if (found) return found;
  throw new Error("This needs a Python with PyTorch: apt-get install python3-torch on Debian, or name one in PYTHON.");
}
