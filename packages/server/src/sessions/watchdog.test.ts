import { describe, expect, it } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { Watchdog } from "./watchdog.ts";

function watch(bytesReceived: (nowMs: number) => number | Promise<number>) {
  const clock = new VirtualClock();
  const lost: { cause: string; atMs: number }[] = [];
  const watchdog = new Watchdog({
    clock,
    bytesReceived: async () => bytesReceived(clock.now()),
    onLost: (cause) => lost.push({ cause, atMs: clock.now() }),
  });
  return { clock, lost, watchdog };
}

describe("Watchdog", () => {
  it("leaves a client alone that sends anything", async () => {
    const { clock, lost, watchdog } = watch((nowMs) => nowMs);
    watchdog.connected();
    await clock.advanceAsync(60_000, 250);
    expect(lost).toEqual([]);
  });

  it("[SES4] notices within eight seconds that nothing comes any more", async () => {
    const { clock, lost, watchdog } = watch((nowMs) => Math.min(nowMs, 10_300));
    watchdog.connected();
    await clock.advanceAsync(30_000, 100);
    expect(lost).toHaveLength(1);
    expect(lost[0]!.cause).toBe("peer_lost");
    expect(lost[0]!.atMs - 10_300).toBeGreaterThan(5000);
    expect(lost[0]!.atMs - 10_300).toBeLessThan(8000);
  });

  it("takes a count that fails for silence", async () => {
    const { clock, lost, watchdog } = watch(() => Promise.reject(new Error("closed")));
    watchdog.connected();
    await clock.advanceAsync(8000, 100);
    expect(lost.map((one) => one.cause)).toEqual(["peer_lost"]);
  });

  it("[SES5] gives a client half a minute to connect", async () => {
    const { clock, lost } = watch(() => 0);
    await clock.advanceAsync(29_000, 250);
    expect(lost).toEqual([]);
    await clock.advanceAsync(2000, 250);
    expect(lost.map((one) => one.cause)).toEqual(["connect_timeout"]);
  });

  it("says nothing after it was stopped", async () => {
    const { clock, lost, watchdog } = watch(() => 0);
    watchdog.connected();
    watchdog.stop();
    await clock.advanceAsync(40_000, 250);
    expect(lost).toEqual([]);
  });
});
