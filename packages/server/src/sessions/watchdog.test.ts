import { describe, expect, it } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { Watchdog } from "./watchdog.ts";

function watch(bytesReceived: (nowMs: number) => number | Promise<number>) {
  const clock = new VirtualClock();
  const told: { what: "silent" | "heard"; atMs: number }[] = [];
  const watchdog = new Watchdog({
    clock,
    bytesReceived: async () => bytesReceived(clock.now()),
    onSilent: () => told.push({ what: "silent", atMs: clock.now() }),
    onHeard: () => told.push({ what: "heard", atMs: clock.now() }),
  });
  return { clock, told, watchdog };
}

describe("Watchdog", () => {
  it("leaves a client alone that sends anything", async () => {
    const { clock, told } = watch((nowMs) => nowMs);
    await clock.advanceAsync(60_000, 250);
    expect(told).toEqual([]);
  });

  it("[SES4] notices within eight seconds that nothing comes any more", async () => {
    const { clock, told } = watch((nowMs) => Math.min(nowMs, 10_300));
    await clock.advanceAsync(60_000, 100);
    expect(told).toHaveLength(1);
    expect(told[0]!.what).toBe("silent");
    expect(told[0]!.atMs - 10_300).toBeGreaterThan(5000);
    expect(told[0]!.atMs - 10_300).toBeLessThan(8000);
  });

  it("notices within two seconds that something comes again", async () => {
    const { clock, told } = watch((nowMs) => Math.min(nowMs, 10_000) + Math.max(0, nowMs - 30_000));
    await clock.advanceAsync(60_000, 100);
    expect(told.map((one) => one.what)).toEqual(["silent", "heard"]);
    expect(told[1]!.atMs - 30_000).toBeLessThan(2000);
  });

  it("takes a count that falls, as when a path is given up, for no sign of life", async () => {
    const { clock, told } = watch((nowMs) => (nowMs < 10_000 ? nowMs : 5000 - Math.min(5000, nowMs - 10_000)));
    await clock.advanceAsync(18_000, 100);
    expect(told.map((one) => one.what)).toEqual(["silent"]);
  });

  it("takes a count that fails for silence", async () => {
    const { clock, told } = watch(() => Promise.reject(new Error("closed")));
    await clock.advanceAsync(8000, 100);
    expect(told.map((one) => one.what)).toEqual(["silent"]);
  });

  it("says nothing after it was stopped", async () => {
    const { clock, told, watchdog } = watch(() => 0);
    watchdog.stop();
    await clock.advanceAsync(40_000, 250);
    expect(told).toEqual([]);
  });
});
