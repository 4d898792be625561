import { defineConfig } from "vitest/config";
import { LongestFirst } from "./harness/longest-first.ts";

export default defineConfig({
  test: {
    include: ["e2e/*.e2e.ts"],
    pool: "forks",
    globalSetup: "e2e/harness/shared.ts",
    // Much of a test is waiting for a camera's pace; two files at a time keep two cores at work.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // Real pictures over a real network: a machine that pauses for seconds is told as a retry, a fault fails twice.
    retry: 1,
    testTimeout: 600_000,
    hookTimeout: 120_000,
  },
});
