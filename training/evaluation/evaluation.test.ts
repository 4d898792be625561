import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findPython } from "../../scripts/python.ts";

const python = findPython();

test.skipIf(python === undefined)(
  "The evaluation's figures tell right from wrong.",
  () => {
    const { status, stderr } = spawnSync(python!, ["-m", "unittest", "training.evaluation.test_evaluation"], {
      cwd: join(import.meta.dirname, "../.."),
      encoding: "utf8",
      env: { ...process.env, EVERFRAME_NODE: process.execPath },
    });
    expect(stderr).toMatch(/Ran \d+ tests[\s\S]*OK/);
    expect(status).toBe(0);
  },
  300_000,
);
