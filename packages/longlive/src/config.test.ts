import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ApiError } from "@everframe/protocol";
import { describe, expect, it } from "vitest";
import { parseModelConfig, readModelConfig } from "./config.ts";

const MODEL = fileURLToPath(new URL("../../../models/longlive-tiny", import.meta.url));
type Json = Record<string, Record<string, unknown>>;
const original = () => JSON.parse(readFileSync(join(MODEL, "config.json"), "utf8")) as Json;

describe("readModelConfig", () => {
  it("reads longlive-tiny", () => {
    const config = readModelConfig(MODEL);
    expect(config).toMatchObject({ name: "longlive-tiny", predictionType: "sample", framesPerBlock: 3 });
    expect(config.transformer.patch).toEqual([1, 2, 2]);
    expect(config.autoencoder.mean).toHaveLength(config.autoencoder.latentChannels);
  });

  it("says what to do about a folder without config or with a broken one", () => {
    const folder = mkdtempSync(join(tmpdir(), "config-"));
    const errorOf = () => {
      try {
        readModelConfig(folder);
      } catch (error) {
        return error as ApiError;
      }
      throw new Error("nothing was thrown");
    };
    try {
      expect(errorOf()).toBeInstanceOf(ApiError);
      expect(errorOf().code).toBe("model_missing");
      writeFileSync(join(folder, "config.json"), "{");
      expect(errorOf()).toMatchObject({ code: "model_corrupt", message: expect.stringContaining("not JSON") });
      writeFileSync(join(folder, "config.json"), JSON.stringify({ ...original(), num_frame_per_block: "3" }));
      expect(errorOf()).toMatchObject({ code: "model_corrupt" });
      expect(errorOf().message).toContain("num_frame_per_block must be a whole number from 1");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("parseModelConfig", () => {
  it("names the field that does not fit", () => {
    const spoilt = (section: string, field: string, value: unknown) => {
      const json = original();
      json[section] = { ...json[section], [field]: value };
      return () => parseModelConfig(json);
    };
    expect(spoilt("transformer", "dim", -1)).toThrow("transformer.dim must be a whole number from 1");
    expect(spoilt("transformer", "num_heads", 7)).toThrow("transformer.dim must be a multiple of num_heads");
    expect(spoilt("transformer", "patch_size", [2, 2, 2])).toThrow("transformer.patch_size");
    expect(spoilt("transformer", "attention_window", [11])).toThrow("transformer.attention_window must be [rows");
    expect(spoilt("transformer", "attention_whole", [11, 0])).toThrow("transformer.attention_whole must be [rows");
    expect(spoilt("transformer", "attention_window", undefined)).toThrow("attention_whole needs attention_window");
    expect(spoilt("vae", "type", "unheard of")).toThrow("vae.type must be one of tiny");
    expect(spoilt("vae", "mean", [1])).toThrow("vae.mean must have 64 numbers");
    expect(spoilt("vace", "layers", [0, 9])).toThrow("vace.layers names layer 9");
    expect(() => parseModelConfig({ ...original(), local_attn_size: 3 })).toThrow("local_attn_size must hold");
    expect(() => parseModelConfig([])).toThrow("must be an object");
  });

  it("takes a model without condition branch", () => {
    expect(parseModelConfig({ ...original(), vace: undefined }).vace).toBeUndefined();
  });
});
