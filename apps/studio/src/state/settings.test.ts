import { expect, test } from "vitest";
import { DEFAULT_SETTINGS, readSettings, type Settings, toLoadOptions, writeSettings } from "./settings.ts";

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
    look: {
      prompts: [
        { text: "a glass city", weight: 0.4 },
        { text: "gold", weight: 1 },
      ],
      transitionChunks: 5,
      mode: "vace",
      values: { ...DEFAULT_SETTINGS.look.values, noiseScale: 0.35, denoisingStepList: [800, 600, 400] },
      references: [{ path: "/assets/a.png", name: "a" }],
    },
    load: {
      pipeline: "longlive-tiny",
      size: { width: 576, height: 320 },
      values: { vaeType: "tae", loras: [{ path: "ink", scale: 1, mergeMode: "runtime_peft" }] },
    },
    view: { layout: "split", mirror: false, inset: false, insetX: 0.2, insetY: 0.3, split: 0.6, timeline: true },
  };
  const browser = store();
  writeSettings(settings, browser);
  expect(readSettings(browser)).toEqual(settings);
});

test.each([[""], ["{"], ["null"], ["[]"], ['"x"']])("a stored %j gives the defaults", (text) => {
  expect(readSettings(store(text))).toEqual(DEFAULT_SETTINGS);
});

test("a bad field costs only itself", () => {
  const stored = { load: { pipeline: 5, size: { width: "x" } }, view: { layout: "round", mirror: false, split: 3 } };
  expect(readSettings(store(JSON.stringify(stored)))).toEqual({
    ...DEFAULT_SETTINGS,
    view: { ...DEFAULT_SETTINGS.view, mirror: false },
  });
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

test("the pipeline is loaded so that both modes work without another load", () => {
  expect(toLoadOptions(DEFAULT_SETTINGS)).toEqual({ pipeline: "longlive", vaceEnabled: true, seed: 42 });
  const { load } = DEFAULT_SETTINGS;
  expect(toLoadOptions({ ...DEFAULT_SETTINGS, load: { ...load, size: { width: 576, height: 320 } } })).toMatchObject({
    width: 576,
    height: 320,
  });
});
