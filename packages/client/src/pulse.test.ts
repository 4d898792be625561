// The time that trouble is given, by a clock that the tests move and counters that they set.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Pulse } from "./pulse.ts";

const POLICY = { graceMs: 2_000, silenceMs: 3_000 };

let bytes: number | undefined;
let isBroken: boolean;
let told: string[];
let pulse: Pulse;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] });
  bytes = 0;
  isBroken = false;
  told = [];
  pulse = new Pulse(readCounters, POLICY, {
    onUp: () => told.push("up"),
    onDown: () => told.push("down"),
    onLost: ({ reason }) => told.push(reason),
    onReport: () => told.push("report"),
    onError: ({ reason }) => told.push(`error ${reason}`),
  });
});
afterEach(() => {
  pulse.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

async function readCounters(): Promise<RTCStatsReport> {
  if (isBroken) throw new Error("broken");
  return new Map([["t", { type: "transport", bytesReceived: bytes }]]) as unknown as RTCStatsReport;
}

/** What is told within so many seconds, of which each brings `more` bytes. */
async function after(seconds: number, more = 0): Promise<string[]> {
  told = [];
  for (let i = 0; i < seconds; i++) {
    if (bytes !== undefined) bytes += more;
    await vi.advanceTimersByTimeAsync(1_000);
  }
  return told;
}

test("a connection over which something comes is only reported on", async () => {
  expect(await after(3, 100)).toEqual(["report", "report", "report"]);
});

test("silence is told, and then taken for a loss", async () => {
  await after(1, 100);
  expect(await after(2)).toEqual(["report", "report", "down"]);
  expect(await after(1)).toEqual(["report", "lost"]);
});

test("a silence that ends in time is over", async () => {
  await after(1, 100);
  expect(await after(2)).toContain("down");
  expect(await after(2, 100)).toEqual(["report", "up", "report"]);
});

test("where the browser counts nothing, nothing is taken for silence", async () => {
  bytes = undefined;
  expect(await after(5)).toEqual(Array(5).fill("report"));
});

test("trouble that the browser tells has its grace, and is lost after it", async () => {
  pulse.sink();
  expect(told).toEqual(["down"]);
  expect(await after(1, 100)).toEqual(["report"]);
  expect(await after(1, 100)).toContain("lost");
});

test("trouble that heals within its grace is no loss", async () => {
  pulse.sink();
  await after(1, 100);
  pulse.rise();
  expect(await after(3, 100)).toEqual(["report", "report", "report"]);
});

test("after its end nothing is told, not even what was being read", async () => {
  vi.advanceTimersByTime(1_000);
  pulse.sink();
  pulse.stop();
  expect(await after(5)).toEqual([]);
});

test("counters that cannot be read are an error, and are read again", async () => {
  isBroken = true;
  expect(await after(1, 100)).toEqual(["error failed"]);
  isBroken = false;
  expect(await after(1, 100)).toEqual(["report"]);
});
