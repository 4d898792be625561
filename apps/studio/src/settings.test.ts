import { expect, test } from "vitest";
import {
  changedParameters,
  DEFAULT_SETTINGS,
  readSettings,
  type Settings,
  toLoadOptions,
  toParameters,
  writeSettings,
} from "./settings.ts";

/** A store like the browser's, which begins with the given text. */
function store(text?: string) {
  const entries = new Map<string, string>();
  return {
    getItem: (key: string) => entries.get(key) ?? text ?? null,
    setItem: (key: string, value: string) => void entries.set(key, value),
  };
}

test("what is written is what is read", () => {
  const settings: Settings = {
    prompt: "a glass city",
    mode: "vace",
    noiseScale: 0.35,
    contextScale: 1.6,
    steps: 3,
    size: "576x320",
    passthrough: true,
    mirror: false,
    seed: 7,
  };
  const browser = store();
  writeSettings(settings, browser);
  expect(readSettings(browser)).toEqual(settings);
});

test.each([[""], ["{"], ["null"], ["[]"], ['"x"']])("a stored %j gives the defaults", (text) => {
  expect(readSettings(store(text))).toEqual(DEFAULT_SETTINGS);
});

test("a bad field costs only itself", () => {
  const stored = { prompt: 5, mode: "x", noiseScale: 2, contextScale: -1, steps: 9, size: 1, mirror: "no", seed: 8 };
  expect(readSettings(store(JSON.stringify(stored)))).toEqual({ ...DEFAULT_SETTINGS, seed: 8 });
});

test("a full or blocked store loses nothing but the memory", () => {
  const full = {
    getItem: () => null,
    setItem: () => {
      throw new DOMException("full", "QuotaExceededError");
    },
  };
  expect(() => writeSettings(DEFAULT_SETTINGS, full)).not.toThrow();
});

test("only what changed is sent", () => {
  const before = DEFAULT_SETTINGS;
  expect(changedParameters(before, { ...before, mirror: false })).toBeUndefined();
  expect(changedParameters(before, { ...before, noiseScale: 0.1 })).toEqual({ noiseScale: 0.1 });
  expect(changedParameters(before, { ...before, mode: "vace" })).toEqual({ vaceEnabled: true });
  expect(changedParameters(before, { ...before, steps: 4 })).toEqual({ denoisingStepList: [1000, 750, 500, 250] });
});

test("the pipeline is loaded so that both modes work without another load", () => {
  expect(toLoadOptions({ ...DEFAULT_SETTINGS, mode: "normal" })).toEqual({
    pipeline: "longlive",
    vaceEnabled: true,
    seed: 42,
  });
  expect(toParameters({ ...DEFAULT_SETTINGS, mode: "normal" }).vaceEnabled).toBe(false);
  expect(toLoadOptions({ ...DEFAULT_SETTINGS, size: "576x320" })).toMatchObject({ width: 576, height: 320 });
});
