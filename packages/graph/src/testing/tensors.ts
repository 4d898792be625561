/** Test support: repeatable numbers, running a graph once, writing safetensors files. */
import { writeFileSync } from "node:fs";
import type { Graph } from "../graph.ts";
import { Session, type SessionOptions, type Tensor, type TensorLike } from "../session.ts";

/** f32 numbers between -1 and 1, the same for the same seed (mulberry32). */
export function numbers(count: number, seed = 1): Float32Array {
  let state = seed * 0x9e3779b9;
  return Float32Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
}

/** A tensor of `numbers`. */
export function tensor(dims: readonly number[], seed = 1): { data: Float32Array; dims: readonly number[] } {
  return {
    data: numbers(
      dims.reduce((a, b) => a * b, 1),
      seed,
    ),
    dims,
  };
}

/** Build, run once, close. */
export async function runOnce(
  graph: Graph,
  inputs: Record<string, TensorLike>,
  options: SessionOptions = {},
): Promise<Record<string, Tensor>> {
  const session = await Session.create(graph.build(), { threads: 1, ...options });
  try {
    return await session.run(inputs);
  } finally {
    await session.close();
  }
}

/** Largest absolute difference; infinite when the lengths differ. */
export function maxError(actual: ArrayLike<number | bigint>, wanted: ArrayLike<number | bigint>): number {
  if (actual.length !== wanted.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < wanted.length; i++) {
    const error = Math.abs(Number(actual[i]) - Number(wanted[i]));
    if (!(error <= largest)) largest = error;
  }
  return largest;
}

export type StoredTensor = { dtype: string; shape: readonly number[]; bytes: Uint8Array };

/** The bytes of a safetensors file. `header` replaces the header text. */
export function safetensorsBytes(tensors: Record<string, StoredTensor>, header?: string): Uint8Array {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => {
    const begin = end;
    end += bytes.length;
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const json = header ?? JSON.stringify(Object.fromEntries(entries));
  // Spaces bring the data to a multiple of 8, as writers of the format do.
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = new Uint8Array(new BigUint64Array([BigInt(text.length)]).buffer);
  return Buffer.concat([length, text, ...Object.values(tensors).map(({ bytes }) => bytes)]);
}

export function writeSafetensors(path: string, tensors: Record<string, StoredTensor>, header?: string): void {
  writeFileSync(path, safetensorsBytes(tensors, header));
}

export function f32Tensor(shape: readonly number[], values: ArrayLike<number>): StoredTensor {
  return { dtype: "F32", shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

/** The upper half of each f32, i.e. rounded towards zero. */
export function bf16Tensor(shape: readonly number[], values: ArrayLike<number>): StoredTensor {
  const words = new Uint32Array(Float32Array.from(values).buffer);
  return { dtype: "BF16", shape, bytes: new Uint8Array(Uint16Array.from(words, (word) => word >>> 16).buffer) };
}
