import { describe, expect, it } from "vitest";
import { PARAMETER_TABLE } from "./parameter-table.ts";
import {
  defaultParameters,
  describeParameters,
  mergeParameters,
  parseParameters,
  takeOneShots,
  toWireParameters,
} from "./parameters.ts";

/** Per wire name: values at and inside the bounds, and values just outside or of a wrong type. */
const cases: Record<string, { good: unknown[]; bad: unknown[] }> = {
  input_mode: { good: ["text", "video"], bad: ["foo", 1, ""] },
  prompts: {
    good: ["a", ["a", "b"], [{ text: "a" }], [{ text: "a", weight: 0 }], []],
    bad: [5, [{ text: "a", weight: -1 }], [{ weight: 1 }], [null], "x".repeat(5000), Array(17).fill("a")],
  },
  prompt_interpolation_method: { good: ["linear", "slerp"], bad: ["cubic", true] },
  transition: {
    good: [{ target_prompts: "a" }, { target_prompts: [{ text: "a" }], num_steps: 0 }],
    bad: [{}, { target_prompts: "a", num_steps: -1 }, { target_prompts: "a", num_steps: 1.5 }, "a"],
  },
  noise_scale: { good: [0, 0.7, 1], bad: [-0.01, 1.01, "0.5", true, Number.NaN] },
  noise_controller: { good: [true, false], bad: [1, "true"] },
  denoising_step_list: {
    good: [[700, 500], [0], [1000], Array(10).fill(5)],
    bad: [[], Array(11).fill(5), [1001], [-1], [700.5], 700, ["700"]],
  },
  manage_cache: { good: [true, false], bad: [0, "no"] },
  reset_cache: { good: [true, false], bad: [1, "yes"] },
  kv_cache_attention_bias: { good: [0.01, 1], bad: [0, 1.01, "1"] },
  lora_scales: { good: [[], [{ path: "a", scale: -10 }]], bad: [[{ path: "a", scale: 11 }], [{ scale: 1 }], {}] },
  vace_enabled: { good: [true, false], bad: ["true", 1] },
  vace_use_input_video: { good: [true, false], bad: ["true", 1] },
  vace_context_scale: { good: [0, 2], bad: [-0.1, 2.1, "1"] },
  vace_ref_images: { good: [[], ["a.png"]], bad: ["a.png", [5], [""]] },
  first_frame_image: { good: ["a.png"], bad: ["", 5] },
  last_frame_image: { good: ["a.png"], bad: ["", 5] },
  paused: { good: [true, false], bad: ["true", 1] },
  base_seed: { good: [0, 42], bad: [-1, 1.5, "42"] },
};

describe("parseParameters", () => {
  it("has a bounds case for every parameter of the table", () => {
    const wireNames = Object.values(PARAMETER_TABLE).map((entry) => entry.wire);
    expect(Object.keys(cases).sort()).toEqual([...wireNames].sort());
  });

  for (const [wire, { good, bad }] of Object.entries(cases)) {
    it(`[PAR1] accepts the range of ${wire} and rejects what is outside, with the range in words`, () => {
      for (const value of good) {
        const { accepted, rejected } = parseParameters({ [wire]: value });
        expect(rejected, JSON.stringify(value)).toEqual([]);
        expect(Object.keys(accepted)).toHaveLength(1);
      }
      for (const value of bad) {
        const { accepted, rejected } = parseParameters({ [wire]: value });
        expect(accepted, JSON.stringify(value)).toEqual({});
        expect(rejected).toHaveLength(1);
        expect(rejected[0]).toMatchObject({ field: wire, reason: expect.stringMatching(/./) });
        expect(rejected[0]!.allowed).not.toBe("");
      }
    });
  }

  it("[PAR3] reads the three spellings of prompts as one shape", () => {
    const expected = [{ text: "anime", weight: 1 }];
    for (const prompts of ["anime", ["anime"], [{ text: "anime" }]]) {
      expect(parseParameters({ prompts }).accepted.prompts).toEqual(expected);
    }
  });

  it("[PAR2] keeps good fields beside a bad one, lists unknown keys and skips nulls", () => {
    const parsed = parseParameters({ noise_scale: 9, base_seed: 7, paused: null, colour: 1 });
    expect(parsed.accepted).toEqual({ baseSeed: 7 });
    expect(parsed.rejected.map((one) => one.field)).toEqual(["noise_scale"]);
    expect(parsed.ignored).toEqual(["colour"]);
  });

  it("[GEN3] finds the place and the bound of what is wrong, also inside lists and where several forms are allowed", () => {
    const cases: [object, (string | number)[], string, object?][] = [
      [{ noise_scale: 2 }, ["noise_scale"], "less_than_equal", { le: 1 }],
      [{ prompts: [{ text: "a", weight: -1 }] }, ["prompts", 0, "weight"], "greater_than_equal", { ge: 0 }],
      [{ prompts: [{ weight: 1 }] }, ["prompts", 0, "text"], "missing"],
      [{ input_mode: "foo" }, ["input_mode"], "literal_error", { expected: "'text' or 'video'" }],
      [{ denoising_step_list: [700.5] }, ["denoising_step_list", 0], "int_from_float"],
      [{ denoising_step_list: [] }, ["denoising_step_list"], "too_short", { min_length: 1 }],
      [{ vace_ref_images: "a.png" }, ["vace_ref_images"], "list_type"],
      [{ paused: "true" }, ["paused"], "bool_type"],
      [{ transition: 5 }, ["transition"], "model_attributes_type"],
      [{ prompts: 5 }, ["prompts"], "value_error"],
    ];
    for (const [value, loc, type, ctx] of cases) {
      const { issues } = parseParameters(value);
      expect(issues, JSON.stringify(value)).toEqual([
        { type, loc, msg: expect.any(String), input: issues[0]?.input, ...(ctx === undefined ? {} : { ctx }) },
      ]);
    }
  });

  it("rejects a value that is no object", () => {
    for (const value of [null, [], "x", 5]) expect(parseParameters(value).rejected).toHaveLength(1);
  });

  it("does not take keys of the object prototype for parameters", () => {
    expect(parseParameters(JSON.parse('{"__proto__":{"paused":true},"constructor":1}'))).toEqual({
      accepted: {},
      rejected: [],
      issues: [],
      ignored: ["__proto__", "constructor"],
    });
  });
});

describe("defaultParameters", () => {
  it("[PAR11] has the defaults that a guide's client relies on and leaves the rest open", () => {
    const defaults = defaultParameters();
    expect(defaults).toMatchObject({ noiseScale: 0.7, vaceUseInputVideo: true });
    expect(defaults).not.toHaveProperty("vaceEnabled");
    expect(defaults).not.toHaveProperty("vaceContextScale");
    expect(defaults).not.toHaveProperty("noiseController");
    expect(defaults).not.toHaveProperty("denoisingStepList");
  });

  it("gives each caller its own lists", () => {
    defaultParameters().prompts.push({ text: "x", weight: 1 });
    expect(defaultParameters().prompts).toEqual([]);
  });
});

describe("mergeParameters", () => {
  it("[PAR4] lets the latest value win and keeps what was not named", () => {
    const merged = mergeParameters(mergeParameters(defaultParameters(), { noiseScale: 0.2, baseSeed: 5 }), {
      noiseScale: 0.9,
    });
    expect(merged).toMatchObject({ noiseScale: 0.9, baseSeed: 5 });
  });

  it("[PAR6] cancels a waiting transition when new prompts come without one", () => {
    const { accepted } = parseParameters({ transition: { target_prompts: "sepia" } });
    const waiting = mergeParameters(defaultParameters(), accepted);
    expect(waiting.transition).toMatchObject({ numSteps: 4 });
    const cancelled = mergeParameters(waiting, { prompts: [{ text: "anime", weight: 1 }] });
    expect(cancelled).not.toHaveProperty("transition");
    expect(mergeParameters(waiting, { noiseScale: 0.1 })).toHaveProperty("transition");
  });

  it("[PAR5] adds one-shots up, so that no message takes back another's", () => {
    const first = mergeParameters(defaultParameters(), {
      resetCache: true,
      loraScales: [
        { path: "a", scale: 1 },
        { path: "b", scale: 1 },
      ],
    });
    const second = mergeParameters(first, { resetCache: false, loraScales: [{ path: "b", scale: 2 }] });
    expect(second.resetCache).toBe(true);
    expect(second.loraScales).toEqual([
      { path: "a", scale: 1 },
      { path: "b", scale: 2 },
    ]);
  });
});

describe("takeOneShots", () => {
  it("[PAR5] gives one-shots to one chunk only", () => {
    const { now, rest } = takeOneShots({ ...defaultParameters(), resetCache: true, loraScales: [], baseSeed: 3 });
    expect(now.resetCache).toBe(true);
    expect(rest).not.toHaveProperty("resetCache");
    expect(rest).not.toHaveProperty("loraScales");
    expect(rest.baseSeed).toBe(3);
  });
});

describe("toWireParameters", () => {
  it("gives what parseParameters reads as the same parameters", () => {
    const wire = {
      prompts: [{ text: "anime", weight: 2 }],
      transition: { target_prompts: "sepia", num_steps: 3 },
      noise_scale: 0.5,
      vace_ref_images: ["a.png"],
    };
    const { accepted } = parseParameters(wire);
    expect(toWireParameters(accepted)).toEqual({
      ...wire,
      transition: {
        target_prompts: [{ text: "sepia", weight: 1 }],
        num_steps: 3,
        temporal_interpolation_method: "linear",
      },
    });
    expect(parseParameters(toWireParameters(accepted)).accepted).toEqual(accepted);
  });
});

describe("describeParameters", () => {
  const described = new Map(describeParameters().map((one) => [one.name, one]));

  it("tells the range that the schema has", () => {
    expect(described.get("noise_scale")).toMatchObject({
      control: "slider",
      minimum: 0,
      maximum: 1,
      step: 0.01,
      default: 0.7,
      modes: ["video"],
      acts: "next chunk",
    });
    expect(described.get("input_mode")).toMatchObject({ choices: ["text", "video"], default: "text" });
    expect(described.get("base_seed")).toMatchObject({ minimum: 0, maximum: null });
  });

  it("says of every parameter what it does, and of one without a default what holds until it is sent", () => {
    for (const { name, help, allowed, default: value, when_absent } of described.values()) {
      expect(help, name).toMatch(/^[A-Z].{15,}\.$/);
      expect(allowed, name).not.toBe("");
      expect(value === null, name).toBe(when_absent !== null);
    }
  });
});
