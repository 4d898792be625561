import { defineConfig } from "vitest/config";
import { vulkanEnvironment } from "./scripts/software-vulkan.ts";

export default defineConfig({
  test: {
    include: ["packages/**/*.test.ts", "apps/**/*.test.ts", "scripts/**/*.test.ts", "training/**/*.test.ts"],
    // The WebRTC library crashes inside worker threads; processes are safe.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    env: vulkanEnvironment(),
  },
});
