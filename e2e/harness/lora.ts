// A LoRA file for the small model, of noise: at scale 0 it does nothing, at 1 the picture is plainly another one.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { randomTensor, writeWeights } from "../../packages/longlive/src/testing/weights.ts";

const RANK = 8;

/** Puts the file into a server's LoRA folder; its name is what a load takes. */
export function writeNoiseLora(home: string, name = "noise.safetensors", strength = 2): string {
  const folder = join(home, "lora");
  mkdirSync(folder, { recursive: true });
  const noise = (shape: number[], seed: number) => {
    const { data } = randomTensor(shape, seed);
    return { shape, data: data.map((value) => value * strength) };
  };
  const layers = [0, 1, 2, 3].flatMap((block) => [
    { name: `blocks.${block}.ffn.2`, inputs: 1024 },
    { name: `blocks.${block}.self_attn.o`, inputs: 256 },
  ]);
  const tensors = layers.flatMap(({ name: layer, inputs }, i) => [
    [`${layer}.lora_A.weight`, noise([RANK, inputs], 2 * i + 1)],
    [`${layer}.lora_B.weight`, noise([256, RANK], 2 * i + 2)],
  ]);
  writeWeights(join(folder, name), Object.fromEntries(tensors));
  return name;
}
