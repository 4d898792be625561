import { expect, test } from "vitest";
import { commandOf, keyOf, SHORTCUT_GROUPS } from "./shortcuts.ts";

const plain = { ctrlKey: false, metaKey: false, altKey: false };

test("no key has two meanings", () => {
  const keys = SHORTCUT_GROUPS.flatMap(({ shortcuts }) => shortcuts.map(({ key }) => key));
  expect(new Set(keys).size).toBe(keys.length);
});

test("a key is a command, unless the browser's modifiers are held", () => {
  expect(commandOf({ ...plain, key: "F" })).toBe("fullscreen");
  expect(commandOf({ ...plain, key: "r", ctrlKey: true })).toBeUndefined();
  expect(commandOf({ ...plain, key: "q" })).toBeUndefined();
  expect(keyOf("pause")).toBe("SPACE");
});
