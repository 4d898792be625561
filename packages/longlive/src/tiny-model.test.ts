import { fileURLToPath } from "node:url";
import { defaultParameters, type Parameters } from "@everframe/protocol";
import { afterAll, beforeAll, expect, it } from "vitest";
import { LongLiveModel } from "./model.ts";
import type { Frame } from "./preprocess.ts";

const FOLDER = fileURLToPath(new URL("../../../models/longlive-tiny", import.meta.url));
let model: LongLiveModel;
beforeAll(async () => {
  model = await LongLiveModel.load(FOLDER, { width: 128, height: 64 });
});
afterAll(async () => {
  await model.close();
});

/** A colour ramp with a disc; RGBA. */
function frame(): Frame {
  const [width, height] = [128, 64];
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = (x - 40) ** 2 + (y - 32) ** 2 < 400;
      data.set(inside ? [220, 70, 40, 255] : [2 * x, 4 * y, 160, 255], (y * width + x) * 4);
    }
  }
  return { width, height, data };
}

async function lastPicture(seed: number, change: Partial<Parameters>): Promise<Uint8Array> {
  const stream = model.openStream({ seed });
  const parameters: Parameters = {
    ...defaultParameters(),
    inputMode: "video",
    prompts: [{ text: "oil painting", weight: 1 }],
    denoisingStepList: [700, 500],
    vaceEnabled: false,
    ...change,
  };
  let last: Frame | undefined;
  for (let chunk = 0; chunk < 2; chunk++) {
    last = (await stream.generate({ parameters, frames: Array.from({ length: 12 }, frame) })).frames.at(-1);
  }
  stream.close();
  return last!.data;
}

/** Mean absolute difference, 0..255. */
function difference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
}

it("repeats a picture with the same seed, and changes it with another seed, noise_scale, prompt and mode", async () => {
  const base = await lastPicture(42, {});
  expect(difference(base, await lastPicture(42, {}))).toBe(0);
  expect(difference(base, await lastPicture(43, {}))).toBeGreaterThan(0.5);
  expect(difference(base, await lastPicture(42, { noiseScale: 0.4 }))).toBeGreaterThan(0.5);
  expect(difference(base, await lastPicture(42, { vaceEnabled: true }))).toBeGreaterThan(0.5);
  const grey = await lastPicture(42, { prompts: [{ text: "black and white", weight: 1 }] });
  expect(difference(base, grey)).toBeGreaterThan(10);
});

it("does what the prompt asks at noise scales that begin at a later step's timestep as it does beside them", async () => {
  const prompts = [{ text: "black and white", weight: 1 }];
  for (const noiseScale of [0.35, 0.6, 0.85]) {
    const at = await lastPicture(42, { prompts, noiseScale });
    const beside = await lastPicture(42, { prompts, noiseScale: noiseScale + 0.02 });
    expect(difference(at, beside)).toBeLessThan(difference(at, frame().data) / 4);
  }
});
