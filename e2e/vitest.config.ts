import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["e2e/*.e2e.ts"],
    pool: "forks",
    globalSetup: "e2e/harness/shared.ts",
    // One model at a time: both cores belong to the test that runs.
    fileParallelism: false,
    // Real pictures over a real network: a machine that pauses for seconds is told as a retry, a fault fails twice.
    retry: 1,
    testTimeout: 600_000,
    hookTimeout: 120_000,
  },
});
