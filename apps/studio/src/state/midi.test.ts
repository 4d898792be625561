import { expect, test } from "vitest";
import { bind, controlText, toBindings, toControlChange, valueAt } from "./midi.ts";

test("a control change is read, any other message is not", () => {
  expect(toControlChange([0xb2, 7, 127])).toEqual({ control: "2:7", position: 1 });
  expect(toControlChange([0x90, 60, 100])).toBeUndefined();
  expect(toControlChange([0xb0, 7])).toBeUndefined();
  expect(controlText("2:7")).toBe("Channel 3, knob 7");
});

test("a slider has one knob, a knob one slider", () => {
  const first = bind({}, "0:1", "noiseScale");
  expect(bind(first, "0:2", "noiseScale")).toEqual({ "0:2": "noiseScale" });
  expect(bind(first, "0:1", "weight0")).toEqual({ "0:1": "weight0" });
});

test("the ends of a knob are the ends of its slider", () => {
  const range = { min: 0, max: 2, step: 0.05 };
  expect([0, 0.5, 1].map((position) => valueAt(position, range))).toEqual([0, 1, 2]);
  expect(valueAt(1, { min: 0.01, max: 1, step: 0.01 })).toBe(1);
});

test("a broken store gives what is usable of it", () => {
  expect(toBindings({ "0:1": "a", x: "b", "1:2": 5 })).toEqual({ "0:1": "a" });
});
