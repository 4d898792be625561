// A LoRA file for the small model, of noise: at scale 0 it does nothing, at 1 the picture is plainly another one.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { randomTensor, writeWeights } from "../../packages/longlive/src/testing/weights.ts";

const RANK = 8;
const STRENGTH = 1;

/** Puts the file into a server's LoRA folder; its name is what a load takes. */
export function writeNoiseLora(home: string, name = "noise.safetensors"): string {
  const folder = join(home, "lora");
  mkdirSync(folder, { recursive: true });
  const noise = (shape: number[], seed: number) => {
    const { data } = randomTensor(shape, seed);
    return { shape, data: data.map((value) => value * STRENGTH) };
  };
  const layers = [0, 1, 2, 3].map((block) => `blocks.${block}.ffn.2`);
  const tensors = layers.flatMap((layer, i) => [
    [`${layer}.lora_A.weight`, noise([RANK, 1024], 2 * i + 1)],
    [`${layer}.lora_B.weight`, noise([256, RANK], 2 * i + 2)],
  ]);
  writeWeights(join(folder, name), Object.fromEntries(tensors));
  return name;
}
