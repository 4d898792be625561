import { expect, it } from "vitest";
import { AlternatingMemory } from "./alternating-memory.ts";

it("gives an array again unless it is in use", () => {
  const memory = new AlternatingMemory();
  const first = memory.take(3);
  expect(memory.take(3)).toBe(first);
  const second = memory.take(3, first);
  expect(second).not.toBe(first);
  expect(memory.take(3, second)).toBe(first);
  expect(memory.take(3, first)).toBe(second);
});

it("gives another array for another length, and leaves the one in use alone", () => {
  const memory = new AlternatingMemory();
  const inUse = memory.take(2).fill(7);
  expect(memory.take(5, inUse)).toHaveLength(5);
  expect([...inUse]).toEqual([7, 7]);
});
