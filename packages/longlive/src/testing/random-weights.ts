/** Test support: weight files of given names and shapes with repeatable random numbers. */
import { closeSync, openSync, writeSync } from "node:fs";
import { SafetensorsFile } from "@everframe/graph";
import type { TensorShapes } from "../tensor-shapes.ts";

/** f32 numbers from -1 to 1, the same for the same seed. */
export function randomNumbers(count: number, seed: number): Float32Array {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    // xorshift32 (Marsaglia, 2003)
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    numbers[i] = state / 2 ** 31;
  }
  return numbers;
}

/**
 * Writes a safetensors file and opens it. Weights are scaled so that values neither grow nor vanish in a
 * layer, normalisation weights are near 1.
 */
export function writeRandomWeights(path: string, shapes: TensorShapes): SafetensorsFile {
  let end = 0;
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const begin = end;
    end += 4 * shape.reduce((a, b) => a * b, 1);
    return [name, { dtype: "F32", shape, data_offsets: [begin, end] }] as const;
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = openSync(path, "w");
  try {
    writeSync(file, Buffer.concat([length, text]));
    for (const [i, [name, shape]] of Object.entries(shapes).entries()) {
      const values = randomNumbers(
        shape.reduce((a, b) => a * b, 1),
        1 + i,
      );
      const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
      // Uniform numbers from -1 to 1 have variance 1/3.
      const scale = name.endsWith("weight") ? Math.sqrt(3 / fanIn) : 0.2;
      const offset = name.endsWith("gamma") ? 1 : 0;
      for (const [at, value] of values.entries()) values[at] = offset + scale * value;
      writeSync(file, new Uint8Array(values.buffer));
    }
  } finally {
    closeSync(file);
  }
  return SafetensorsFile.open(path);
}
