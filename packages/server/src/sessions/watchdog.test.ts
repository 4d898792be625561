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
  /** What was told, without what was told again. */
  const news = () => told.map((one) => one.what).filter((what, i, all) => what !== all[i - 1]);
  return { clock, told, news, watchdog };
}

describe("Watchdog", () => {
  it("leaves a client alone that sends anything", async () => {
    const { clock, told } = watch((nowMs) => nowMs);
    await clock.advanceAsync(60_000, 250);
    expect(told).toEqual([]);
  });

  it("[SES4] notices within eight seconds that nothing comes any more", async () => {
    const { clock, told, news } = watch((nowMs) => Math.min(nowMs, 10_300));
    await clock.advanceAsync(60_000, 100);
    expect(news()).toEqual(["silent"]);
    expect(told[0]!.what).toBe("silent");
    expect(told[0]!.atMs - 10_300).toBeGreaterThan(5000);
    expect(told[0]!.atMs - 10_300).toBeLessThan(8000);
  });

  it("notices within two seconds that something comes again", async () => {
    const { clock, told, news } = watch((nowMs) => Math.min(nowMs, 10_000) + Math.max(0, nowMs - 30_000));
    await clock.advanceAsync(60_000, 100);
    expect(news()).toEqual(["silent", "heard"]);
    expect(told.at(-1)!.atMs - 30_000).toBeLessThan(2000);
  });

  it("takes a count that falls, as when a path is given up, for no sign of life", async () => {
    const { clock, news } = watch((nowMs) => (nowMs < 10_000 ? nowMs : 5000 - Math.min(5000, nowMs - 10_000)));
    await clock.advanceAsync(18_000, 100);
    expect(news()).toEqual(["silent"]);
  });

  it("takes a count that fails for silence", async () => {
    const { clock, news } = watch(() => Promise.reject(new Error("closed")));
    await clock.advanceAsync(8000, 100);
    expect(news()).toEqual(["silent"]);
  });

  it("[SES4] takes a count that never comes for silence", async () => {
    const { clock, news } = watch((nowMs) => (nowMs < 10_000 ? nowMs : new Promise<number>(() => {})));
    await clock.advanceAsync(18_000, 100);
    expect(news()).toEqual(["silent"]);
  });

  it("[SES4] says again that nothing comes: the library may have said meanwhile that it is connected", async () => {
    const { clock, told } = watch((nowMs) => Math.min(nowMs, 10_000));
    await clock.advanceAsync(18_000, 100);
    const before = told.length;
    await clock.advanceAsync(3000, 100);
    expect(told.slice(before).map((one) => one.what)).toEqual(["silent", "silent", "silent"]);
  });

  it("says nothing after it was stopped", async () => {
    const { clock, told, watchdog } = watch(() => 0);
    watchdog.stop();
    await clock.advanceAsync(40_000, 250);
    expect(told).toEqual([]);
  });
});
