import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseLoadRequest } from "@everframe/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HubCache } from "../models/hub-cache.ts";
import { longlive } from "./longlive.ts";

const modelModule = new URL("../testing/stand-in-model.ts", import.meta.url).href;
let modelsDir: string;

beforeEach(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), "everframe-"));
});
afterEach(() => rm(modelsDir, { recursive: true, force: true }));

function load(loadParams: object) {
  const notices: string[] = [];
  const params = parseLoadRequest({ pipeline_id: "longlive", load_params: loadParams }).loadParams;
  const places = { modelsDir, cache: new HubCache(join(modelsDir, "hub")) };
  const pipeline = longlive("longlive", { places, modelModule }).load(params, {
    signal: new AbortController().signal,
    onStage: () => {},
    onNotice: (text) => notices.push(text),
    onCrash: () => {},
  });
  return { pipeline, notices };
}

describe("longlive", () => {
  it("has the model's own size unless the load names one", async () => {
    for (const [named, size] of [
      [{}, { width: 32, height: 16 }],
      [{ height: 48 }, { width: 32, height: 48 }],
      [
        { width: 64, height: 48 },
        { width: 64, height: 48 },
      ],
    ]) {
      const pipeline = await load(named!).pipeline;
      expect(pipeline).toMatchObject({ id: "longlive", model: "stand-in", size });
      await pipeline.close();
    }
  });

  it("refuses what it cannot do, and says what it leaves out", async () => {
    await expect(load({ loras: [{ path: "style.safetensors" }] }).pipeline).rejects.toThrow(/leave out loras/);
    const { pipeline, notices } = load({ quantization: "fp8_e4m3fn" });
    await (await pipeline).close();
    expect(notices).toContainEqual(expect.stringContaining("quantization has no effect"));
  });
});
