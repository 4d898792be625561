/** The 1.3B checkpoint's files, small and random, loaded over HTTP and streamed over WebRTC. */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { HubCache } from "../models/hub-cache.ts";
import { Rig } from "../testing/rig.ts";
import { longlive } from "./longlive.ts";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const SIZE = { width: 48, height: 32 };
/** What the full-size model needs, and more. */
const MEMORY_BYTES = 64e9;

let home: string;
let rig: Rig;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "everframe-"));
  const modelsDir = join(home, "models");
  const generator = "packages/longlive/src/testing/random-checkpoint-cli.ts";
  execFileSync(process.execPath, ["scripts/run.mjs", generator, "--to", modelsDir, "--small"], { cwd: ROOT });
  const places = { modelsDir, cache: new HubCache(join(home, "hub")) };
  const options = { places, loraDir: join(home, "lora"), memoryBytes: MEMORY_BYTES };
  const availableBytes = () => MEMORY_BYTES;
  rig = await Rig.start({ modelsDir, pipelines: [longlive("longlive", options)], availableBytes });
}, 120_000);
afterAll(async () => {
  await rig.close();
  await rm(home, { recursive: true, force: true });
});

it("loads from the models folder and answers text and video", async () => {
  const status = await rig.load("longlive", { ...SIZE, vace_enabled: true });
  expect(status).toMatchObject({ pipeline_id: "longlive", model: "longlive-1.3b", load_params: SIZE });
  expect(rig.logLines.join("")).toMatch(/12 frames take minutes/);
  const viewer = await rig.connect({ direction: "recvonly", parameters: { prompts: "a red cat" } });
  await viewer.receive(20, 60_000);
  expect(viewer.frames.at(-1)).toMatchObject(SIZE);
  const parameters = { input_mode: "video", denoising_step_list: [700, 500], prompts: "a red cat" };
  const client = await rig.connect({ ...SIZE, parameters });
  await client.receive(20, 60_000);
  expect(client.frames.at(-1)).toMatchObject(SIZE);
  expect([...viewer.told("error"), ...client.told("error")]).toEqual([]);
});
