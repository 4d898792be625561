import { expect, test } from "vitest";
import { LIVE_PARAMETERS, LOAD_PARAMETERS } from "../testing/schema.ts";
import { liveControls, loadControls, parseSteps, stepList, toControl } from "./controls.ts";
import { DEFAULT_LOOK } from "./look.ts";

const infos = LIVE_PARAMETERS;
const keys = (occasion: Partial<Parameters<typeof liveControls>[1]>) =>
  liveControls(infos, { look: DEFAULT_LOOK, hasInput: true, hasVace: true, hasLoras: false, ...occasion }).map(
    ({ key }) => key,
  );

test("Normal shows the noise, VACE the guidance, text neither", () => {
  expect(keys({})).toEqual([
    "noiseScale",
    "noiseController",
    "denoisingStepList",
    "manageCache",
    "resetCache",
    "baseSeed",
  ]);
  const vace = keys({ look: { ...DEFAULT_LOOK, mode: "vace" } });
  expect(vace).toContain("vaceContextScale");
  expect(vace).toEqual(expect.arrayContaining(["firstFrameImage", "lastFrameImage"]));
  expect(vace).not.toContain("noiseScale");
  expect(keys({ hasInput: false })).toEqual(["denoisingStepList", "manageCache", "resetCache", "baseSeed"]);
});

test("the scales of LoRAs are there when a load has some that can be played", () => {
  expect(keys({})).not.toContain("loraScales");
  expect(keys({ hasLoras: true })).toContain("loraScales");
});

test("VACE without the input as its guide starts from the noised input again", () => {
  const look = { ...DEFAULT_LOOK, mode: "vace" as const, values: { vaceUseInputVideo: false } };
  expect(keys({ look })).toContain("noiseScale");
});

test("a parameter that the page does not know is drawn by its kind; one without effect is not", () => {
  const unknown = {
    name: "film_grain",
    help: "Grain.",
    control: "slider",
    default: 0.2,
    when_absent: null,
    minimum: 0,
    maximum: 4,
    step: 0.5,
    choices: null,
    modes: ["video"],
    acts: "next chunk",
    needs: null,
  };
  expect(toControl(unknown)).toMatchObject({ key: "filmGrain", label: "Film grain", max: 4, step: 0.5, initial: 0.2 });
  expect(toControl({ ...unknown, acts: "never" })).toBeUndefined();
  expect(toControl({ ...unknown, control: "hologram" })).toBeUndefined();
});

test("every control says what it does and when it acts", () => {
  for (const control of [...infos, ...LOAD_PARAMETERS].flatMap((info) => toControl(info) ?? [])) {
    expect(control.help, control.key).toMatch(/\.$/);
    expect(control.acts, control.key).toMatch(/\.$/);
  }
});

test("a load offers the autoencoder and leaves the size to the size's own control", () => {
  const drawn = loadControls(LOAD_PARAMETERS).map(({ key }) => key);
  expect(drawn).toContain("vaeType");
  expect(drawn).toContain("loras");
  for (const elsewhere of ["width", "loraMergeMode"]) expect(drawn).not.toContain(elsewhere);
});

test("steps are written as levels that fall", () => {
  expect(parseSteps("500 700")).toEqual([700, 500]);
  expect(stepList(3, true)).toHaveLength(3);
  expect(stepList(2, false)[0]).toBe(1000);
  for (const text of ["", "x", "1001", "1.5"]) expect(parseSteps(text)).toBeUndefined();
});
