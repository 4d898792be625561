import { expect, it } from "vitest";
import { measureSpeed } from "./speed-probe.ts";

it("tells a speed that a processor can have", async () => {
  const { engine, gflops } = await measureSpeed({ threads: 1 });
  expect(["native", "wasm"]).toContain(engine);
  expect(gflops).toBeGreaterThan(0.1);
  expect(gflops).toBeLessThan(100_000);
});
