/** Linear layers in 8 bits: how far the numbers are from the f32 layer. */
import { describe, expect, it, vi } from "vitest";
import { Graph } from "./graph.ts";
import { ENGINE_VARIABLE } from "./runtime.ts";
import { numbers, runOnce, tensor } from "./testing/tensors.ts";

const ROWS = 16;
const SIZE = 256;

/** Spread of the error over the spread of the exact result, both as root mean square. */
async function relativeError(x: Float32Array, w: Float32Array): Promise<number> {
  const g = new Graph("int8");
  const input = g.input("x", ["n", SIZE]);
  const weight = g.constant(w, [SIZE, SIZE]);
  const bias = g.constant(numbers(SIZE, 9), [SIZE]);
  g.output("exact", g.linear(input, weight, bias));
  g.output("short", g.linear(input, weight, bias, { quantize: "int8" }));
  const { exact, short } = await runOnce(g, { x: { data: x, dims: [ROWS, SIZE] } });
  const wanted = exact!.data as Float32Array;
  const got = short!.data as Float32Array;
  const error = got.reduce((total, v, i) => total + (v - wanted[i]!) ** 2, 0);
  return Math.sqrt(error / wanted.reduce((total, v) => total + v ** 2, 0));
}

describe("a linear layer in 8 bits", () => {
  it.each(["native", "wasm"])("is within 1% of the f32 layer on ordinary numbers (%s)", async (engine) => {
    vi.stubEnv(ENGINE_VARIABLE, engine);
    try {
      const error = await relativeError(tensor([ROWS, SIZE], 1).data, numbers(SIZE * SIZE, 2));
      expect(error).toBeLessThan(0.01);
      // Exact agreement would mean that nothing was quantised.
      expect(error).toBeGreaterThan(1e-5);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("keeps small channels exact beside large ones, and empty ones at zero", async () => {
    const w = numbers(SIZE * SIZE, 2).map((v, i) => v * 10 ** -(Math.floor(i / SIZE) % 4));
    w.fill(0, 0, SIZE);
    expect(await relativeError(tensor([ROWS, SIZE], 1).data, w)).toBeLessThan(0.01);
  });

  it("does not overflow when inputs and weights are all at the top of their range", async () => {
    const x = numbers(ROWS * SIZE, 1).map((v) => 1 - 0.05 * Math.abs(v));
    const w = numbers(SIZE * SIZE, 2).map((v) => 1 - 0.05 * Math.abs(v));
    expect(await relativeError(x, w)).toBeLessThan(0.01);
  });

  it.each(["native", "wasm"])("takes bytes as they are, less a zero point (%s)", async (engine) => {
    vi.stubEnv(ENGINE_VARIABLE, engine);
    try {
      const g = new Graph("bytes");
      const x = g.input("x", ["n", SIZE], "u8");
      // Weights that 8 bits hold exactly, at the top of their range: the result is exact too.
      const w = Float32Array.from({ length: SIZE * SIZE }, (_, i) => (i % SIZE === 0 ? 127 : 127 - (i % 5)));
      const options = { quantize: "int8", zeroPoint: 3 } as const;
      g.output("y", g.linear(x, g.constant(w, [SIZE, SIZE]), g.constant(numbers(SIZE, 9), [SIZE]), options));
      const data = Uint8Array.from({ length: ROWS * SIZE }, (_, i) => 255 - (i % 7));
      const { y } = await runOnce(g, { x: { data, dims: [ROWS, SIZE] } });
      const bias = numbers(SIZE, 9);
      for (const [i, value] of (y!.data as Float32Array).entries()) {
        const [row, out] = [Math.floor(i / SIZE), i % SIZE];
        let wanted = bias[out]!;
        for (let k = 0; k < SIZE; k++) wanted += (data[row * SIZE + k]! - 3) * w[out * SIZE + k]!;
        expect(Math.abs(value - wanted)).toBeLessThan(1e-6 * wanted);
      }
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("takes no weights that are computed, and is left out on webgpu", () => {
    const g = new Graph("computed");
    const x = g.input("x", ["n", 4]);
    expect(() => g.linear(x, g.neg(g.constant(numbers(16), [4, 4])), undefined, { quantize: "int8" })).toThrow(
      /linear: operand w must be a weight or a constant/,
    );
    const gpu = new Graph("gpu", { device: "webgpu" });
    const weight = gpu.constant(numbers(16), [4, 4]);
    gpu.output("y", gpu.linear(gpu.input("x", ["n", 4]), weight, undefined, { quantize: "int8" }));
    expect(gpu.build().usesInt8).toBe(false);
  });
});
