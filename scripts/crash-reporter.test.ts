import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { CRASHED_FILES } from "./crash-reporter.ts";

const root = join(import.meta.dirname, "..");

/** Runs test files of these texts. @returns the names of those that are said to have crashed */
function crashedOf(files: Record<string, string>): string[] {
  const folder = mkdtempSync(join(tmpdir(), "everframe-crash-"));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const list = join(folder, "crashed.json");
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const reporter = join(root, "scripts/crash-reporter.ts");
    const args = [vitest, "run", "--root", folder, "--globals", "--pool", "forks", "--reporter", reporter];
    const { status } = spawnSync(process.execPath, args, {
      cwd: folder,
      env: { ...process.env, [CRASHED_FILES]: list },
    });
    expect(status).toBe(1);
    return (JSON.parse(readFileSync(list, "utf8")) as string[]).map((path) => basename(path));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const passes = "it('passes', () => {});";
const dies = `${passes} it('dies', () => new Promise(() => process.kill(process.pid, 'SIGSEGV')));`;
const fails = "it('fails', () => { throw new Error('no'); });";

it("names the files whose process died, and none when a test failed as well", () => {
  expect(crashedOf({ "a.test.mjs": passes, "b.test.mjs": dies })).toEqual(["b.test.mjs"]);
  expect(crashedOf({ "a.test.mjs": fails, "b.test.mjs": dies })).toEqual([]);
  expect(crashedOf({ "a.test.mjs": fails })).toEqual([]);
});
