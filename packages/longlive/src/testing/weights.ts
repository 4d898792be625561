/** Small weight files for tests, and the arithmetic to check them with. */
import { writeFileSync } from "node:fs";

export type TestTensor = { readonly shape: readonly number[]; readonly data: Float32Array };

/** Numbers between -1 and 1 that look random and are the same each time. */
export function randomTensor(shape: readonly number[], seed: number): TestTensor {
  let state = seed * 2654435761 + 1;
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return { shape, data };
}

/** A safetensors file of F32 tensors. */
export function writeWeights(path: string, tensors: Readonly<Record<string, TestTensor>>): void {
  let offset = 0;
  const header: Record<string, unknown> = {};
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = JSON.stringify(header);
  const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const parts = Object.values(tensors).map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  writeFileSync(path, Buffer.concat([length, text, ...parts]));
}
