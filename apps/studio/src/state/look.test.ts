import { expect, test } from "vitest";
import {
  addPrompt,
  changedParameters,
  changePrompt,
  DEFAULT_LOOK,
  differenceOf,
  fromParameters,
  type Look,
  patchLook,
  promptText,
  removePrompt,
  shares,
  toLook,
  toParameters,
  withPrompt,
} from "./look.ts";

const look = DEFAULT_LOOK;

test("a mix holds one to four prompts", () => {
  const four = ["a", "b", "c", "d"].reduce(addPrompt, look);
  expect(four.prompts.map(({ text }) => text)).toEqual(["pencil sketch", "a", "b", "c"]);
  expect(removePrompt(four, 0).prompts).toHaveLength(3);
  expect(removePrompt(look, 0)).toBe(look);
  expect(withPrompt(four, " gold ").prompts).toEqual([{ text: "gold", weight: 1 }]);
  expect(withPrompt(four, "  ")).toBe(four);
});

test("shares add up to one, also when every weight is zero", () => {
  expect(
    shares([
      { text: "a", weight: 0.3 },
      { text: "b", weight: 0.9 },
    ]),
  ).toEqual([0.25, 0.75]);
  expect(
    shares([
      { text: "a", weight: 0 },
      { text: "b", weight: 0 },
    ]),
  ).toEqual([0.5, 0.5]);
  expect(promptText(changePrompt(addPrompt(look, "gold"), 1, { weight: 0.25 }).prompts)).toBe(
    "pencil sketch 80% + gold 20%",
  );
});

test("only what changed is sent", () => {
  expect(changedParameters(look, { ...look, transitionChunks: 6 })).toBeUndefined();
  expect(changedParameters(look, patchLook(look, { values: { noiseScale: 0.1 } }))).toEqual({ noiseScale: 0.1 });
  expect(changedParameters(look, { ...look, mode: "vace" })).toEqual({ vaceEnabled: true });
  expect(changedParameters(look, { ...look, references: [{ path: "/a.png", name: "a" }] })).toEqual({
    vaceRefImages: ["/a.png"],
  });
});

test("another text takes the transition's time, another weight acts at once", () => {
  const slow: Look = { ...look, transitionChunks: 6 };
  expect(changedParameters(slow, withPrompt(slow, "gold"))).toEqual({
    transition: { targetPrompts: [{ text: "gold", weight: 1 }], numSteps: 6 },
  });
  const mix = addPrompt(slow, "gold");
  expect(changedParameters(mix, changePrompt(mix, 1, { weight: 0.5 }))).toHaveProperty("prompts");
});

test("the difference of two looks, applied to the first, gives the second", () => {
  const other: Look = {
    ...patchLook(withPrompt(look, "gold"), { values: { noiseScale: 0.2, seed: 4 } }),
    mode: "vace",
  };
  const patch = differenceOf(look, other);
  expect(patchLook(look, patch ?? {})).toEqual(other);
  expect(differenceOf(look, look)).toBeUndefined();
});

test("data of unknown origin costs only its bad fields", () => {
  expect(
    toLook({
      prompts: [{ text: "gold", weight: 7 }, 5],
      mode: "x",
      transitionChunks: -1,
      values: { noiseScale: 0.3, "x y": 1, a1: {} },
    }),
  ).toEqual({
    ...look,
    prompts: [{ text: "gold", weight: 1 }],
    values: { ...look.values, noiseScale: 0.3 },
  });
  for (const data of [undefined, null, [], "x", 5]) expect(toLook(data)).toEqual(look);
});

test("what somebody else has set comes into the look as the server says it", () => {
  const prompts = [{ text: "gold", weight: 3 }, { text: "ice", weight: 1.5 }, "sepia"];
  expect(fromParameters({ prompts, noiseScale: 0.2, vaceEnabled: true, paused: true, resetCache: true })).toEqual({
    prompts: [
      { text: "gold", weight: 1 },
      { text: "ice", weight: 0.5 },
      { text: "sepia", weight: 1 / 3 },
    ],
    mode: "vace",
    values: { noiseScale: 0.2 },
  });
  const loraScales = [{ path: "ink.safetensors", scale: -0.5 }];
  expect(fromParameters({ vaceRefImages: ["/assets/a.png"], loraScales, denoisingStepList: [700] })).toEqual({
    references: [{ path: "/assets/a.png", name: "a.png" }],
    values: { loraScales, denoisingStepList: [700] },
  });
  expect(fromParameters({ transition: { targetPrompts: "fog", numSteps: 3 } })).toEqual({
    prompts: [{ text: "fog", weight: 1 }],
  });
  expect(fromParameters({ firstFrameImage: "/a.png", inputMode: "text" })).toEqual({});
});

test("VACE is told to be on or off, whatever the load had", () => {
  expect(toParameters(look)).toMatchObject({ vaceEnabled: false, vaceRefImages: [], noiseScale: 0.7 });
});
