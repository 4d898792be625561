import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { expect, it } from "vitest";
import { CRASHED_FILE } from "./crash-reporter.ts";

const root = join(import.meta.dirname, "..");

/** Runs test files of these texts. @returns the name of the one that is to run once more; "" for none */
function crashedOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "everframe-crash-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(folder, dirname(name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const crashed = join(folder, "crashed.txt");
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const reporter = join(root, "scripts/crash-reporter.ts");
    const args = [vitest, "run", "--root", folder, "--globals", "--pool", "forks", "--reporter", reporter];
    const { status } = spawnSync(process.execPath, args, {
      cwd: folder,
      env: { ...process.env, [CRASHED_FILE]: crashed },
    });
    expect(status).toBe(1);
    return basename(readFileSync(crashed, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const passes = "it('passes', () => {});";
const dies = `${passes} it('dies', () => new Promise(() => process.kill(process.pid, 'SIGSEGV')));`;
const fails = "it('fails', () => { throw new Error('no'); });";

const media = "packages/server/src";

it("names the file whose process died, if it may have died of the media library and nothing else went wrong", () => {
  expect(crashedOf({ "a.test.mjs": passes, [`${media}/b.test.mjs`]: dies })).toBe("b.test.mjs");
  expect(crashedOf({ "a.test.mjs": fails, [`${media}/b.test.mjs`]: dies })).toBe("");
  expect(crashedOf({ [`${media}/a.test.mjs`]: dies, [`${media}/b.test.mjs`]: dies })).toBe("");
  expect(crashedOf({ "b.test.mjs": dies })).toBe("");
  expect(crashedOf({ [`${media}/b.test.mjs`]: fails })).toBe("");
});
