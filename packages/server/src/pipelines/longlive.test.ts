import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultParameters, parseLoadRequest } from "@everframe/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HubCache } from "../models/hub-cache.ts";
import { longlive } from "./longlive.ts";

const modelModule = new URL("../testing/stand-in-model.ts", import.meta.url).href;
let home: string;
let loraDir: string;

beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), "everframe-")));
  loraDir = join(home, "lora");
});
afterEach(() => rm(home, { recursive: true, force: true }));

function load(loadParams: object) {
  const notices: string[] = [];
  const params = parseLoadRequest({ pipeline_id: "longlive", load_params: loadParams }).loadParams;
  const places = { modelsDir: join(home, "models"), cache: new HubCache(join(home, "hub")) };
  const pipeline = longlive("longlive", { places, loraDir, modelModule }).load(params, {
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

  it("[LOAD14] gives the model the LoRA files of one folder, and their scales under the names of the load", async () => {
    await mkdir(join(loraDir, "styles"), { recursive: true });
    const [ink, oil] = [join(loraDir, "styles", "ink.safetensors"), join(loraDir, "oil.safetensors")];
    await Promise.all([ink, oil].map((path) => writeFile(path, "")));
    const loras = [
      { path: "styles/ink.safetensors", scale: 0.5, merge_mode: "runtime_peft" },
      { path: oil, merge_mode: "permanent_merge" },
    ];
    const { pipeline, notices } = load({ loras });
    const loaded = await pipeline;
    expect(notices).toEqual(expect.arrayContaining([`lora ${ink} 0.5 runtime_peft`, `lora ${oil} 1 permanent_merge`]));
    expect(loaded.liveLoras).toMatchObject([{ path: "styles/ink.safetensors", scale: 0.5 }]);
    const stream = await loaded.openStream({ seed: 1 });
    if (stream.kind !== "chunks") throw new Error("not a stream of chunks");
    const loraScales = [{ path: "styles/ink.safetensors", scale: 2 }];
    const chunk = await stream.generate(
      { parameters: { ...defaultParameters(), loraScales } },
      AbortSignal.timeout(9000),
    );
    expect(chunk.notices).toEqual([`The scale of ${ink} is 2.`]);
    await loaded.close();
  });

  it("[LOAD14] refuses LoRA files from anywhere else", async () => {
    await mkdir(loraDir);
    await writeFile(join(home, "secret.safetensors"), "");
    await symlink(join(home, "secret.safetensors"), join(loraDir, "link.safetensors"));
    for (const [path, message] of [
      ["../secret.safetensors", /not in the LoRA folder/],
      [join(home, "secret.safetensors"), /not in the LoRA folder/],
      ["link.safetensors", /leads out of the LoRA folder/],
      ["none.safetensors", /no such file in the LoRA folder/],
    ] as const) {
      const expected = { code: "lora_unusable", message: expect.stringMatching(message) };
      await expect(load({ loras: [{ path }] }).pipeline, path).rejects.toMatchObject(expected);
    }
  });

  it("says what it leaves out", async () => {
    const { pipeline, notices } = load({ quantization: "fp8_e4m3fn" });
    await (await pipeline).close();
    expect(notices).toContainEqual(expect.stringContaining("quantization has no effect"));
  });
});
