/** The text encoder kept in memory and read layer by layer, over stored types of all kinds. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SafetensorsFile } from "@everframe/graph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { textEncoderTensors } from "./checkpoint-tensors.ts";
import { type TextEncoderConfig, WAN_1_3B } from "./config.ts";
import { randomBytes, type StoredType } from "./testing/random-tensor.ts";
import { writeSafetensors } from "./testing/weight-writer.ts";
import { TextEncoder } from "./text-encoder.ts";

const config: TextEncoderConfig = {
  ...WAN_1_3B.textEncoder,
  vocabSize: 40,
  dim: 32,
  attentionDim: 32,
  ffnDim: 48,
  heads: 2,
  layers: 5,
};
const BYTES = 4 * 5 * 32 * (4 * 32 + 3 * 48);
const PROMPTS = [
  [7, 8, 9, 1],
  [3, 1],
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "text-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Extra = { name: string; shape: readonly number[]; values: readonly number[] };

/** @param extra further tensors, as F32 */
function encoderFile(name: string, type: StoredType, extra: readonly Extra[] = []): SafetensorsFile {
  const path = join(folder, name);
  const spread = { mean: 0, spread: 0.3 };
  const stored = Object.entries(textEncoderTensors(config)).map(([tensor, shape], i) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const own = /attn|ffn/.test(tensor) ? type : "F32";
    return { name: tensor, shape, type: own, bytes: () => randomBytes(count, own, spread, i) };
  });
  const added = extra.map(({ name, shape, values }) => ({
    name,
    shape,
    type: "F32" as const,
    bytes: () => [new Uint8Array(Float32Array.from(values).buffer)],
  }));
  writeSafetensors(path, [...stored, ...added]);
  return SafetensorsFile.open(path);
}

async function encoded(file: SafetensorsFile, keptBytes?: number): Promise<Float32Array[]> {
  const encoder = await TextEncoder.create(config, file, keptBytes === undefined ? {} : { keptBytes });
  try {
    return await encoder.encode(PROMPTS);
  } finally {
    await encoder.close();
  }
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

describe("TextEncoder", () => {
  it("gives the same whether it stays in memory or is read layer by layer", async () => {
    for (const type of ["F32", "BF16", "F8_E4M3"] as const) {
      const file = encoderFile(`${type}.safetensors`, type);
      const kept = await encoded(file);
      expect(kept.map((embedding) => embedding.length)).toEqual([4 * 32, 2 * 32]);
      for (const [i, embedding] of (await encoded(file, 0)).entries()) {
        expect(largestDifference(embedding, kept[i]!)).toBeLessThan(1e-5);
      }
    }
  });

  it("keeps only what fits: a small encoder stays, a large one is let go after each call", async () => {
    const file = encoderFile("stays.safetensors", "F32");
    const open = (keptBytes: number) => TextEncoder.create(config, file, { keptBytes });
    const [small, large] = [await open(BYTES), await open(BYTES - 1)];
    expect([small.stays, large.stays]).toEqual([true, false]);
    await small.close();
  });

  it("encodes several prompts in one walk, as each alone, and tells how far it is", async () => {
    const encoder = await TextEncoder.create(config, encoderFile("walk.safetensors", "BF16"), { keptBytes: 0 });
    const done: number[] = [];
    const together = await encoder.encode(PROMPTS, { onProgress: (layers) => done.push(layers) });
    expect(done).toEqual([1, 2, 3, 4, 5]);
    for (const [i, prompt] of PROMPTS.entries()) {
      const [alone] = await encoder.encode([prompt]);
      expect(largestDifference(together[i]!, alone!)).toBeLessThan(1e-6);
    }
  });

  it("stops between layers when it is told to", async () => {
    const encoder = await TextEncoder.create(config, encoderFile("abort.safetensors", "F32"), { keptBytes: 0 });
    const control = new AbortController();
    const done: number[] = [];
    const encoding = encoder.encode(PROMPTS, {
      signal: control.signal,
      onProgress: (layers) => {
        done.push(layers);
        // As a message would: seen only if the thread is let go between layers.
        if (layers === 2) setImmediate(() => control.abort(new Error("gone")));
      },
    });
    await expect(encoding).rejects.toThrow("gone");
    expect(done).toEqual([1, 2]);
  });

  it("multiplies 8-bit matrices by their scales where the file has them, a number or one a row", async () => {
    const plain = encoderFile("fp8.safetensors", "F8_E4M3");
    const scaled = encoderFile("scaled.safetensors", "F8_E4M3", [
      { name: "blocks.1.attn.q.scale_weight", shape: [], values: [0.5] },
      { name: "blocks.4.ffn.fc2.weight_scale", shape: [32, 1], values: Array.from({ length: 32 }, (_, i) => i / 8) },
    ]);
    // The same with the scales multiplied into f32 weights.
    const path = join(folder, "folded.safetensors");
    const scaleOf: Record<string, (row: number) => number> = {
      "blocks.1.attn.q.weight": () => 0.5,
      "blocks.4.ffn.fc2.weight": (row) => row / 8,
    };
    writeSafetensors(
      path,
      plain.names().map((name) => {
        const { shape } = plain.info(name);
        const values = plain.read(name);
        const scale = scaleOf[name] ?? (() => 1);
        const folded = values.map((value, i) => value * scale(Math.floor((i * shape[0]!) / values.length)));
        return { name, shape, type: "F32" as const, bytes: () => [new Uint8Array(folded.buffer)] };
      }),
    );
    const wanted = await encoded(SafetensorsFile.open(path));
    const unscaled = await encoded(plain);
    const [kept, walked] = [await encoded(scaled), await encoded(scaled, 0)];
    for (const [i, embedding] of wanted.entries()) {
      expect(largestDifference(kept[i]!, embedding)).toBeLessThan(1e-5);
      expect(largestDifference(walked[i]!, embedding)).toBeLessThan(1e-5);
      expect(largestDifference(unscaled[i]!, embedding)).toBeGreaterThan(1e-2);
    }
  });
});
