import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseLoadRequest } from "@everframe/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { longlive } from "./longlive.ts";
import { locateModel } from "./model-locator.ts";

const modelModule = new URL("../testing/stand-in-model.ts", import.meta.url).href;
let modelsDir: string;

beforeEach(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), "everframe-"));
});
afterEach(() => rm(modelsDir, { recursive: true, force: true }));

async function install(name: string, config: object, files: string[] = []): Promise<string> {
  const folder = join(modelsDir, name);
  await mkdir(folder);
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  for (const file of files) await writeFile(join(folder, file), "");
  return folder;
}

function load(loadParams: object) {
  const notices: string[] = [];
  const params = parseLoadRequest({ pipeline_id: "longlive", load_params: loadParams }).loadParams;
  const pipeline = longlive("longlive", { modelsDir, modelModule }).load(params, {
    signal: new AbortController().signal,
    onStage: () => {},
    onNotice: (text) => notices.push(text),
    onCrash: () => {},
  });
  return { pipeline, notices };
}

describe("locateModel", () => {
  it("takes the small model that comes with the source when none is installed", () => {
    for (const id of ["longlive", "longlive-tiny"] as const) {
      expect(basename(locateModel(id, modelsDir))).toBe("longlive-tiny");
      expect(locateModel(id, modelsDir)).not.toContain(modelsDir);
    }
  });

  it("prefers a small model in the models folder", async () => {
    const folder = await install("longlive-tiny", {});
    expect(locateModel("longlive", modelsDir)).toBe(folder);
  });

  it("takes the full model only when it is complete and can be run", async () => {
    const parts = { transformer: { weights: "t.safetensors" }, vae: { type: "tiny", weights: "v.safetensors" } };
    const folder = await install("longlive-1.3b", parts, ["t.safetensors"]);
    expect(locateModel("longlive", modelsDir)).not.toBe(folder);
    await writeFile(join(folder, "v.safetensors"), "");
    expect(locateModel("longlive", modelsDir)).toBe(folder);
    expect(locateModel("longlive-tiny", modelsDir)).not.toBe(folder);
    await writeFile(join(folder, "config.json"), JSON.stringify({ ...parts, vae: { type: "unheard-of" } }));
    expect(locateModel("longlive", modelsDir)).not.toBe(folder);
  });
});

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
