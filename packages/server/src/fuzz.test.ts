/** The short form of `npm run fuzz`. */
import { expect, it } from "vitest";
import { fuzz } from "./testing/fuzz.ts";

it("[GEN1] answers 5,000 random and mutated requests and messages without an unexpected failure", async () => {
  const report = await fuzz(20_250_101, 5000);
  expect(report.faults).toEqual([]);
  expect(report.requests).toBeGreaterThan(3500);
  expect(report.messages).toBeGreaterThan(800);
  // Chance finds its way in as well as being turned away.
  expect(report.statuses[200]).toBeGreaterThan(100);
  expect(report.statuses[422]).toBeGreaterThan(100);
}, 300_000);
