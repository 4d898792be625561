import type { LiveParameters } from "@everframe/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OutsideChanges } from "./outside-changes.ts";

let current: LiveParameters;
let taken: LiveParameters[];
let outside: OutsideChanges;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  current = {};
  taken = [];
  outside = new OutsideChanges({ current: () => current, take: (parameters) => taken.push(parameters) });
});
afterEach(() => {
  outside.close();
  vi.useRealTimers();
});

test("what nobody holds is taken at once", () => {
  outside.hear({ noiseScale: 0.2, prompts: "gold" });
  expect(taken).toEqual([{ noiseScale: 0.2, prompts: "gold" }]);
});

test("what a hand holds waits until it has let go, and is then what the server says", () => {
  const letGo = outside.hold({ noiseScale: 0.9 });
  outside.hear({ noiseScale: 0.2, baseSeed: 4 });
  expect(taken).toEqual([{ baseSeed: 4 }]);
  vi.advanceTimersByTime(5_000);
  expect(taken).toHaveLength(1);
  current = { noiseScale: 0.9 };
  letGo();
  vi.advanceTimersByTime(2_100);
  expect(taken[1]).toEqual({ noiseScale: 0.9 });
  outside.hear({ noiseScale: 0.3 });
  expect(taken[2]).toEqual({ noiseScale: 0.3 });
});

test("a transition from elsewhere waits for a hand on the prompts", () => {
  outside.hold({ prompts: "gold" })();
  const transition = { targetPrompts: "ice", numSteps: 2 };
  outside.hear({ transition });
  expect(taken).toEqual([]);
  current = { prompts: "ice" };
  vi.advanceTimersByTime(2_100);
  expect(taken).toEqual([{ prompts: "ice" }]);
});

test("nothing is taken after the end", () => {
  outside.hold({ noiseScale: 0.9 })();
  outside.hear({ noiseScale: 0.2 });
  outside.close();
  vi.advanceTimersByTime(5_000);
  expect(taken).toEqual([]);
});
