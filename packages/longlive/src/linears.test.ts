/** Blocks in 8 bits: the prediction is nearly that in float, and a GPU keeps to float. */
import { fileURLToPath } from "node:url";
import { SafetensorsFile } from "@everframe/graph";
import { expect, it } from "vitest";
import { readModelConfig } from "./config.ts";
import { Generator } from "./generator.ts";
import { seededNoise } from "./noise.ts";
import { transformerGraph } from "./transformer.ts";
import { vaceGraph } from "./vace.ts";

const FOLDER = fileURLToPath(new URL("../../../models/longlive-tiny", import.meta.url));
const shipped = readModelConfig(FOLDER);
const file = SafetensorsFile.open(`${FOLDER}/${shipped.transformer.weights}`);
const grid = { height: 8, width: 12 };
const configOf = (linears: "f32" | "int8") => ({ ...shipped, transformer: { ...shipped.transformer, linears } });

async function prediction(linears: "f32" | "int8"): Promise<Float32Array> {
  const generator = await Generator.create(configOf(linears), { main: file }, grid);
  const { textLength, textDim, inChannels } = shipped.transformer;
  const noise = seededNoise(3);
  const text = await generator.encodeText(noise.normal(textLength * textDim));
  const latents = { frames: 3, data: noise.normal(3 * inChannels * grid.height * grid.width) };
  const cache = generator.openCache({ relative: true });
  const window = cache.open(0, 3);
  const result = await generator.forward({ latents, timestep: 700, text, window, past: await cache.past(window) });
  await generator.close();
  return result.prediction;
}

it("predicts nearly the same in 8 bits", async () => {
  const [exact, short] = [await prediction("f32"), await prediction("int8")];
  const power = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);
  const error = power(exact.map((value, i) => value - short[i]!)) / power(exact);
  expect(error).toBeGreaterThan(0);
  expect(error).toBeLessThan(0.01);
});

it("keeps float on a GPU", () => {
  const files = { main: file, vace: file };
  for (const device of ["cpu", "webgpu"] as const) {
    const config = configOf("int8");
    const graphs = [
      transformerGraph(config, files, grid, { device }),
      vaceGraph(config, config.vace!, files, grid, { device }),
    ];
    for (const { usesInt8 } of graphs) expect(usesInt8).toBe(device === "cpu");
  }
});
