import { PARAMETER_TABLE, parseParameters } from "@everframe/protocol";
import { expect, test } from "vitest";
import {
  type LiveParameters,
  mergeLiveParameters,
  toLoadBody,
  toRejections,
  toWireParameters,
  WIRE_NAMES,
} from "./wire-parameters.ts";

test("every parameter of the protocol has its own wire name", () => {
  const expected = Object.fromEntries(Object.entries(PARAMETER_TABLE).map(([name, { wire }]) => [name, wire]));
  expect(WIRE_NAMES).toEqual(expected);
});

test("what goes out is what the server reads in", () => {
  const wire = toWireParameters({
    prompts: ["a cat", { text: "a dog", weight: 0.5 }],
    transition: { targetPrompts: "a bird", numSteps: 6 },
    noiseScale: 0.4,
    denoisingStepList: [700, 500],
    vaceEnabled: false,
    baseSeed: 7,
  });
  const { accepted, rejected, ignored } = parseParameters(wire);
  expect(rejected).toEqual([]);
  expect(ignored).toEqual([]);
  expect(accepted).toEqual({
    prompts: [
      { text: "a cat", weight: 1 },
      { text: "a dog", weight: 0.5 },
    ],
    transition: { targetPrompts: [{ text: "a bird", weight: 1 }], numSteps: 6, temporalInterpolationMethod: "linear" },
    noiseScale: 0.4,
    denoisingStepList: [700, 500],
    vaceEnabled: false,
    baseSeed: 7,
  });
});

test("a text alone is one prompt, and what is not given is not sent", () => {
  expect(toWireParameters({ prompts: "sepia" })).toEqual({ prompts: [{ text: "sepia", weight: 1 }] });
});

test("the latest value of a field wins and the others stay", () => {
  const merged = mergeLiveParameters({ noiseScale: 0.1, prompts: "a" }, { noiseScale: 0.9 });
  expect(merged).toEqual({ noiseScale: 0.9, prompts: "a" });
});

test("new prompts cancel a waiting transition, unless they bring their own", () => {
  const waiting = { transition: { targetPrompts: "b" } };
  expect(mergeLiveParameters(waiting, { prompts: "c" })).toEqual({ prompts: "c" });
  const own = { prompts: "c", transition: { targetPrompts: "d" } };
  expect(mergeLiveParameters(waiting, own)).toEqual(own);
});

test("what acts once adds up", () => {
  const updates: LiveParameters[] = [
    { resetCache: true, loraScales: [{ path: "a", scale: 1 }] },
    {
      resetCache: false,
      loraScales: [
        { path: "b", scale: 1 },
        { path: "a", scale: 2 },
      ],
    },
  ];
  const merged = updates.reduce(mergeLiveParameters);
  expect(merged.resetCache).toBe(true);
  expect(merged.loraScales).toEqual([
    { path: "a", scale: 2 },
    { path: "b", scale: 1 },
  ]);
});

test("a load request without options names the pipeline and leaves the rest to the server", () => {
  expect(JSON.parse(JSON.stringify(toLoadBody({})))).toEqual({ pipeline_id: "longlive", load_params: {} });
  const body = toLoadBody({ pipeline: "passthrough", width: 576, height: 320, vaceEnabled: false });
  expect(JSON.parse(JSON.stringify(body))).toEqual({
    pipeline_id: "passthrough",
    load_params: { width: 576, height: 320, vace_enabled: false },
  });
});

test("rejections come back under the names that the caller used", () => {
  const rejected = parseParameters(toWireParameters({ noiseScale: 9 })).rejected;
  expect(toRejections(rejected)[0]).toMatchObject({ name: "noiseScale", allowed: "a number from 0 to 1" });
  expect(toRejections(parseParameters("x").rejected)[0]?.name).toBeUndefined();
});
