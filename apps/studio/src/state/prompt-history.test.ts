import { expect, test } from "vitest";
import { remember, toHistory, walk } from "./prompt-history.ts";

test("a prompt that comes again moves to the top", () => {
  const history = ["gold", "sepia", "gold"].reduce<readonly string[]>(remember, []);
  expect(history).toEqual(["gold", "sepia"]);
  expect(remember(history, "  ")).toBe(history);
});

test("fifty prompts are kept", () => {
  const history = Array.from({ length: 80 }, (_, i) => `p${i}`).reduce<readonly string[]>(remember, []);
  expect(history).toHaveLength(50);
  expect(history[0]).toBe("p79");
});

test("walking stops at both ends", () => {
  expect(walk(["b", "a"], -1, 1)).toBe(0);
  expect(walk(["b", "a"], 1, 1)).toBe(1);
  expect(walk(["b", "a"], 0, -1)).toBe(-1);
  expect(walk([], -1, 1)).toBe(-1);
});

test("a broken store gives what is usable of it", () => {
  expect(toHistory(["a", 5, "", "b"])).toEqual(["a", "b"]);
  expect(toHistory({})).toEqual([]);
});
