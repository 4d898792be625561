import { describe, expect, it } from "vitest";
import { ApiError } from "./errors.ts";
import { parseLoadRequest, toWireLoadParams } from "./load.ts";

function failure(body: unknown): ApiError {
  try {
    parseLoadRequest(body);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error(`accepted ${JSON.stringify(body)}`);
}

describe("parseLoadRequest", () => {
  it("[LOAD1] reads the three dialects as the same request", () => {
    const params = { height: 320, width: 576, seed: 7, vace_enabled: false };
    const expected = parseLoadRequest({ pipeline_id: "longlive", load_params: params });
    expect(expected).toMatchObject({
      pipelineId: "longlive",
      loadParams: { height: 320, width: 576, seed: 7, vaceEnabled: false, vaeType: "wan" },
    });
    expect(parseLoadRequest({ pipeline_ids: ["longlive"], load_params: params })).toEqual(expected);
    const node = { node_id: "n", pipeline_id: "longlive", load_params: params };
    expect(parseLoadRequest({ pipelines: [node] })).toEqual(expected);
  });

  it("[LOAD2] fills the defaults, leaves the size open, and takes base_seed for seed", () => {
    const { loadParams } = parseLoadRequest({ pipeline_id: "longlive", load_params: { base_seed: 9 } });
    expect(loadParams).toMatchObject({ seed: 9, vaceEnabled: true, loras: [], quantization: null });
    expect(loadParams).not.toHaveProperty("width");
    expect(parseLoadRequest({ pipeline_id: "longlive", load_params: null }).loadParams.seed).toBe(42);
  });

  it("[LOAD3] takes numbers that come as text", () => {
    expect(parseLoadRequest({ pipeline_id: "x", load_params: { height: "320" } }).loadParams.height).toBe(320);
  });

  it("[LOAD4] refuses sizes that are no multiple of 16 or out of range, naming the nearest", () => {
    for (const [height, nearest] of [
      [333, 336],
      [327, 320],
      [8, 16],
      [0, 16],
      [4096, 2048],
    ]) {
      const error = failure({ pipeline_id: "longlive", load_params: { height, width: 576 } });
      expect(error).toMatchObject({ code: "invalid_resolution", status: 422 });
      expect(error.message).toContain(`576x${nearest}`);
    }
  });

  it("[LOAD5][GEN3] says where a bad field is", () => {
    const locations: [unknown, (string | number)[], string][] = [
      [undefined, ["body"], "missing"],
      [{}, ["body", "pipeline_id"], "value_error"],
      [{ pipeline_id: 5 }, ["body", "pipeline_id"], "string_type"],
      [{ pipeline_ids: "longlive" }, ["body", "pipeline_ids"], "list_type"],
      [{ pipeline_id: "x", load_params: { seed: -1 } }, ["body", "load_params", "seed"], "greater_than_equal"],
      [{ pipeline_id: "x", load_params: { height: "abc" } }, ["body", "load_params", "height"], "float_type"],
      [{ pipeline_id: "x", load_params: { vae_type: "zzz" } }, ["body", "load_params", "vae_type"], "literal_error"],
      [
        { pipeline_id: "x", load_params: { loras: [{ path: "a", scale: 11 }] } },
        ["body", "load_params", "loras", 0, "scale"],
        "less_than_equal",
      ],
    ];
    for (const [body, loc, type] of locations) {
      const error = failure(body);
      expect(error).toMatchObject({ code: "invalid_request", status: 422 });
      expect(error.detail).toContainEqual(expect.objectContaining({ loc, type }));
    }
  });
});

describe("toWireLoadParams", () => {
  it("shows what was loaded under the names that clients send", () => {
    const { loadParams } = parseLoadRequest({ pipeline_id: "longlive" });
    expect(toWireLoadParams(loadParams, { width: 320, height: 176 })).toEqual({
      height: 176,
      width: 320,
      seed: 42,
      vace_enabled: true,
      vae_type: "wan",
      quantization: null,
      loras: null,
      lora_merge_mode: "permanent_merge",
    });
  });

  it("takes how faithful to the original the pipeline is to be, and a condition's start value", () => {
    const load = (params: object) => parseLoadRequest({ pipeline_id: "longlive", load_params: params }).loadParams;
    expect(load({})).toMatchObject({ compat: "everframe" });
    expect(load({})).not.toHaveProperty("vaceContextScale");
    const asked = load({ compat: "original", vace_context_scale: "0.5" });
    expect(asked).toMatchObject({ compat: "original", vaceContextScale: 0.5 });
    expect(toWireLoadParams(asked)).toMatchObject({ compat: "original" });
    expect(toWireLoadParams(load({}))).not.toHaveProperty("compat");
    for (const bad of [{ compat: "exact" }, { vace_context_scale: 2.1 }])
      expect(() => load(bad)).toThrow("load_params");
  });
});
