/** The command as a process of its own: its options, its one line, and its end. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PipelineStatus } from "@everframe/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readOptions } from "./cli-options.ts";
import { sleep, TestClient, until } from "./testing/test-client.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
let home: string;
let children: ChildProcess[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "everframe-"));
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
  await rm(home, { recursive: true, force: true });
});

function run(...args: string[]) {
  return runWith({}, ...args);
}

function runWith(env: NodeJS.ProcessEnv, ...args: string[]) {
  const child = spawn(process.execPath, ["--import", "tsx", MAIN, "--", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, DAYDREAM_SCOPE_MODELS_DIR: join(home, "models"), HF_HUB_CACHE: join(home, "hub"), ...env },
  });
  children.push(child);
  const output = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.err += text;
  });
  const exit = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  return { child, output, exit };
}

async function serve(env: NodeJS.ProcessEnv = {}) {
  const running = runWith(env, "--no-open", "--port", "0");
  await until(() => running.output.out.includes("\n"), "the line with the address", 50_000);
  const url = /http:\S+/.exec(running.output.out)![0];
  const ask = (path: string, init?: RequestInit) => fetch(`${url}${path}`, init);
  const post = (pipelineId: string) =>
    ask("/api/v1/pipeline/load", { method: "POST", body: JSON.stringify({ pipeline_id: pipelineId }) });
  const status = async () => (await (await ask("/api/v1/pipeline/status")).json()) as PipelineStatus;
  const load = async (pipelineId: string) => {
    await post(pipelineId);
    await until(async () => (await status()).status === "loaded", "the pipeline to load", 60_000);
  };
  return { ...running, url, ask, post, status, load };
}

/** The process that serves: the child of the command's own, which only watches over it. */
function servingPid({ pid }: ChildProcess): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").at(-1));
}

/** What was asked; undefined while nobody answers. */
async function answered<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch {
    return undefined;
  }
}

describe("readOptions", () => {
  it("prefers arguments to the environment, and that to the defaults", () => {
    const env = { SCOPE_HOST: "0.0.0.0", SCOPE_PORT: "9000", DAYDREAM_SCOPE_MODELS_DIR: "/m", DISPLAY: ":0" };
    expect(readOptions(["--", "--port", "9001", "--host", "::1"], env)).toEqual({
      server: { host: "::1", port: 9001, modelsDir: "/m" },
      logsDir: "/logs",
      openBrowser: true,
      help: false,
    });
    const folders = { DAYDREAM_SCOPE_ASSETS_DIR: "/a", DAYDREAM_SCOPE_LORA_DIR: "/l" };
    expect(readOptions([], { ...env, ...folders }).server).toEqual({
      host: "0.0.0.0",
      port: 9000,
      modelsDir: "/m",
      assetsDir: "/a",
      loraDir: "/l",
    });
    expect(readOptions([], {}).server).toEqual({});
    expect(readOptions(["--device", "webgpu"], {}).server).toEqual({ device: "webgpu" });
  });

  it("opens no browser in CI, without a display on Linux, or when told not to", () => {
    expect(readOptions(["--no-open"], { DISPLAY: ":0" }).openBrowser).toBe(false);
    expect(readOptions([], { DISPLAY: ":0", CI: "1" }).openBrowser).toBe(false);
    expect(readOptions([], {}).openBrowser).toBe(process.platform !== "linux");
  });

  it("[OPS9] refuses a device that it does not know", () => {
    expect(() => readOptions(["--device", "gpu"], {})).toThrow(/"gpu" is no device: give cpu or webgpu/);
  });

  it("refuses what it does not know", () => {
    expect(() => readOptions(["--prot", "1"], {})).toThrow(/--prot/);
    for (const port of ["x", "-1", "70000", "", "1.5"]) expect(() => readOptions([`--port=${port}`], {})).toThrow();
  });
});

describe("the command", () => {
  it("[LOAD17][OPS3][SES7] prints one line, loads the pipeline that the environment names, keeps its log in a file, and ends with code 0 while it streams", async () => {
    const { status, ask, child, exit, output } = await serve({ PIPELINE: "passthrough" });
    expect(output.out).toMatch(/^Everframe is ready at http:\/\/localhost:\d+ .*\n$/);
    await until(async () => (await status()).status === "loaded", "the pipeline to load", 60_000);
    expect(await status()).toMatchObject({ pipeline_id: "passthrough" });
    const { lines } = (await (await ask("/api/v1/logs/tail")).json()) as { lines: string[] };
    expect(lines.at(-1)).toMatch(/^\d{4}-\d\d-\d\d \S+ INFO pipeline loaded/);
    const file = readFileSync(join(home, "logs", "everframe.log"), "utf8");
    expect(file.trimEnd().split("\n")).toEqual(lines);
    const client = await TestClient.connect({ ask });
    try {
      await client.receive(10);
      child.kill("SIGTERM");
      expect(await exit, output.err).toEqual([0, null]);
      expect(client.told("stream_stopped")).toMatchObject([{ reason: "server_shutdown" }]);
      expect(output.out).toMatch(/^.*\n$/);
    } finally {
      client.close();
    }
  });

  it("says in one line that the port is in use, and ends with code 1", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const { output, exit } = run("--no-open", "--port", String(port));
    expect(await exit).toEqual([1, null]);
    expect(output.out).toBe("");
    expect(output.err).toMatch(new RegExp(`^Port ${port} is in use.*--port ${port + 1}\n$`));
    taken.close();
  });

  it.runIf(process.platform === "linux")("[OPS9] says what was tried where --device webgpu finds no GPU", async () => {
    const env = { VK_ICD_FILENAMES: "/nowhere/driver.json" };
    const { output, exit } = runWith(env, "--device", "webgpu", "--no-open", "--port", "0");
    expect(await exit).toEqual([1, null]);
    expect(output.out).toBe("");
    expect(output.err).toMatch(
      /^No GPU can be used for --device webgpu: .+\nTried: .+Vulkan.+\/nowhere\/driver\.json\.\n/,
    );
    expect(output.err).toMatch(/libvulkan1.+\nWithout --device the processor computes\. More: npm start -- doctor\n$/);
  });

  it("shows its options, and runs other commands instead of the server", async () => {
    const [own, help, unknown, doctor] = [
      run("--help"),
      run("download", "--help"),
      run("download", "nothing"),
      run("doctor", "--help"),
    ] as const;
    const exits = await Promise.all([own.exit, help.exit, unknown.exit, doctor.exit]);
    expect(exits.map(([code]) => code)).toEqual([0, 0, 1, 0]);
    for (const option of ["--host", "--port", "--models-dir", "--device", "--no-open"])
      expect(own.output.out).toContain(option);
    expect(own.output.out).not.toContain(homedir());
    expect(help.output.out).toContain("everframe download");
    expect(unknown.output.err).toMatch(/^"nothing" cannot be downloaded.*longlive, vae, all\.\n$/);
    expect(doctor.output.out).toContain("--json");
  });

  it("ends with code 0 in the middle of a chunk", async () => {
    const { ask, load, child, exit, output } = await serve();
    await load("longlive");
    const client = await TestClient.connect({ ask, parameters: { input_mode: "text", prompts: "photo" } });
    try {
      await client.receive(3, 60_000);
      await sleep(50); // text mode has no pause between chunks
      child.kill("SIGINT");
      expect(await exit, output.err).toEqual([0, null]);
      expect(client.told("stream_stopped")).toMatchObject([{ reason: "server_shutdown" }]);
    } finally {
      client.close();
    }
  });

  it.runIf(process.platform === "linux")(
    "[SUP1][SUP2] comes back on its port when its process is killed, with the pipeline that it had, and without one that it died of",
    async () => {
      const { child, ask, post, load, status, output } = await serve();
      await load("passthrough");
      process.kill(servingPid(child), "SIGKILL");
      await until(async () => (await answered(status))?.status === "loaded", "the server to come back", 60_000);
      expect(await status()).toMatchObject({ pipeline_id: "passthrough", error: null });
      expect(output.err).toContain("started again");
      const { lines } = (await (await ask("/api/v1/logs/tail")).json()) as { lines: string[] };
      expect(lines.join("\n")).toMatch(/ERROR the server died and is started again cause=SIGKILL/);

      await post("longlive");
      expect((await status()).status).toBe("loading");
      process.kill(servingPid(child), "SIGKILL");
      await until(async () => (await answered(status))?.status === "error", "the server to come back again", 60_000);
      expect((await status()).error).toMatch(/SIGKILL.*memory.*smaller/);
      await load("passthrough");
    },
    120_000,
  );

  it("ends with code 0 while a model is being loaded", async () => {
    const { post, status, child, exit, output } = await serve();
    await post("longlive");
    expect((await status()).status).toBe("loading");
    child.kill("SIGTERM");
    expect(await exit, output.err).toEqual([0, null]);
  });
});
