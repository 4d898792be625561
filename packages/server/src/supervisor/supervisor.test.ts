/** Real processes: a small server of the test's own that does as it is told, and dies. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createLogger } from "../logger.ts";
import { Supervisor } from "./supervisor.ts";

/** Appends to its log how it was started, says that it is ready with a pipeline, and ends by SIGTERM. */
const SERVER = `
import { appendFileSync } from "node:fs";
const [log, port] = process.argv.slice(2);
appendFileSync(log, JSON.stringify({
  pid: process.pid, port, restore: JSON.parse(process.env.EVERFRAME_RESTORE), arenas: process.env.MALLOC_ARENA_MAX,
}) + "\\n");
process.on("SIGTERM", () => process.exit(0));
process.on("disconnect", () => process.exit(0));
process.send({ type: "activity", activity: { name: "loaded", request: { pipelineId: "passthrough", loadParams: {} } } });
process.send({ type: "ready", port: 4711 });
`;

let folder: string;
let log: string;
let supervisor: Supervisor;
let exited: Promise<number>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "supervisor-"));
  log = join(folder, "log");
  writeFileSync(log, "");
  writeFileSync(join(folder, "server.mjs"), SERVER);
  supervisor = new Supervisor({
    module: join(folder, "server.mjs"),
    argv: [log, "0"],
    env: { PATH: process.env["PATH"] },
    log: createLogger("silent"),
    restartArgv: (port) => [log, String(port)],
  });
  exited = supervisor.run();
});
afterEach(async () => {
  supervisor.end("SIGKILL");
  await exited;
  rmSync(folder, { recursive: true, force: true });
});

const starts = () =>
  readFileSync(log, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { pid: number; port: string; restore: object; arenas: string });

it("starts a killed server again, on its port and with its pipeline", async () => {
  await expect.poll(() => supervisor.port).toBe(4711);
  process.kill(starts()[0]!.pid, "SIGKILL");
  await expect.poll(() => starts().length, { timeout: 10_000 }).toBe(2);
  expect(starts()[0]).toMatchObject({ port: "0", restore: {} });
  expect(starts()[1]).toMatchObject({ port: "4711", restore: { load: { pipelineId: "passthrough" } } });
});

it("keeps malloc from holding on to the memory of large pictures", async () => {
  await expect.poll(() => supervisor.port).toBe(4711);
  expect(starts()[0]!.arenas).toBe("2");
});

it("passes a signal on, waits for the server's own end and starts it no more", async () => {
  await expect.poll(() => supervisor.port).toBe(4711);
  supervisor.end("SIGTERM");
  expect(await exited).toBe(0);
  expect(isAlive(starts()[0]!.pid)).toBe(false);
  expect(starts()).toHaveLength(1);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
