/** Sessions on WebGPU: the same results as on the CPU, tensors that stay on the device, attention that is checked. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isFusedAttentionRight } from "./attention-check.ts";
import { DeviceCopier } from "./device-copier.ts";
import type { DeviceTensor } from "./device-tensor.ts";
import { Graph } from "./graph.ts";
import type { GraphOptions } from "./graph-core.ts";
import { Session } from "./session.ts";
import { maxError, numbers, tensor } from "./testing/tensors.ts";
import { whyNoWebGpu } from "./testing/web-gpu.ts";

const reason = await whyNoWebGpu();

/** What models are made of, over [n, 16] tokens that see `past` ones, with 2 heads. */
function block(options: GraphOptions): Graph {
  const g = new Graph("block", options);
  const weight = (seed: number, out: number, inner: number) => g.constant(numbers(out * inner, seed), [out, inner]);
  const x = g.input("x", ["n", 16]);
  const y = g.rmsNorm(x, g.constant(numbers(16, 1), [16]), 1e-6);
  const k = g.rotary(g.linear(y, weight(2, 16, 16)), g.input("cos", ["n", 4]), g.input("sin", ["n", 4]), { heads: 2 });
  const seen = g.concat([g.input("past", ["past", 16]), g.sliceFrom(k, 0, g.input("from", [1], "i64"), "own")], 0);
  const mixed = g.add(x, g.attention(y, seen, seen, { heads: 2 }));
  const hidden = g.gelu(g.linear(g.layerNorm(mixed, { eps: 1e-6 }), weight(3, 32, 16)), "tanh");
  g.output("y", g.add(mixed, g.linear(hidden, weight(4, 16, 32))));
  g.output("seen", seen);
  return g;
}

const feeds = (n: number, past: number) => ({
  x: tensor([n, 16], 5),
  cos: tensor([n, 4], 6),
  sin: tensor([n, 4], 7),
  past: tensor([past, 16], 8),
  from: { data: BigInt64Array.of(1n), dims: [1] },
});

describe.skipIf(reason)("a session on WebGPU", () => {
  let copier: DeviceCopier;
  beforeAll(async () => {
    copier = await DeviceCopier.create();
  });
  afterAll(() => copier?.close());

  it("gives the numbers of the CPU, from nothing past and from much", async () => {
    const cpu = await Session.create(block({}).build(), { threads: 1 });
    const gpu = await Session.create(block({ device: "webgpu" }).build());
    for (const [n, past] of [
      [5, 0],
      [70, 130],
    ] as const) {
      const [a, b] = [await cpu.run(feeds(n, past)), await gpu.run(feeds(n, past))];
      expect(maxError(b["y"]!.data, a["y"]!.data)).toBeLessThan(2e-5);
      expect(b["seen"]!.dims).toEqual([past + n - 1, 16]);
    }
    await cpu.close();
    await gpu.close();
  });

  it("keeps results on the device and takes them as inputs, as if they had come back", async () => {
    const model = block({ device: "webgpu" }).build();
    const [plain, keeping] = [await Session.create(model), await Session.create(model, { keep: ["seen"] })];
    const first = await plain.run(feeds(9, 0));
    const wanted = await plain.run({ ...feeds(9, 0), past: first["seen"]! });
    const { tensors, kept } = await keeping.runKeeping(feeds(9, 0));
    expect(Object.keys(tensors)).toEqual(["y"]);
    expect(kept["seen"]!.dims).toEqual([8, 16]);
    expect(kept["seen"]!.engineTensor.location).toBe("gpu-buffer");
    const again = await keeping.runKeeping({ ...feeds(9, 0), past: kept["seen"]! });
    expect(again.tensors["y"]!.data).toEqual(wanted["y"]!.data);
    expect(await copier.download(again.kept["seen"]!)).toEqual(wanted["seen"]!.data);
    await keeping.close();
    await plain.close();
  });

  it("carries matrices there and back, empty ones too", async () => {
    for (const rows of [0, 1, 300]) {
      const matrix = tensor([rows, 7], 1);
      const there: DeviceTensor = await copier.upload(matrix);
      expect(there.dims).toEqual([rows, 7]);
      expect(await copier.download(there)).toEqual(matrix.data);
      there.dispose();
      there.dispose();
      expect(there.disposed).toBe(true);
      await expect(copier.download(there)).rejects.toThrow(/input "matrix" was disposed of/);
    }
  });

  it("frees tensors with the session that made them, and survives what is done with them afterwards", async () => {
    const held: DeviceTensor[] = [];
    for (let i = 0; i < 12; i++) {
      const short = await DeviceCopier.create();
      for (let columns = 1; columns <= 3; columns++) held.push(await short.upload(tensor([50_000, columns], 1)));
      await short.close();
      expect(held.every(({ disposed }) => disposed)).toBe(true);
      if (i % 3 === 2) for (const one of held.splice(0)) one.dispose();
      else await expect(copier.download(held[0]!)).rejects.toThrow(/its session was closed/);
    }
  });

  it("refuses tensors of the device where they do not fit", async () => {
    const there = await copier.upload(tensor([3, 15], 1));
    const [gpu, cpu] = [
      await Session.create(block({ device: "webgpu" }).build()),
      await Session.create(block({}).build()),
    ];
    await expect(gpu.run({ ...feeds(3, 0), past: there })).rejects.toThrow(/"past" is \[3, 15\], but must be/);
    await expect(gpu.run({ ...feeds(3, 0), from: there })).rejects.toThrow(/"from" takes i64, not f32/);
    await expect(cpu.run({ ...feeds(3, 0), past: there })).rejects.toThrow(
      /is on a GPU, but the session runs on the CPU/,
    );
    there.dispose();
    await gpu.close();
    await cpu.close();
  });

  it("loads no graph with an operator that would run on the CPU", async () => {
    const g = new Graph("round", { device: "webgpu" });
    g.output("y", g.round(g.input("x", [4])));
    await expect(Session.create(g.build())).rejects.toThrow(/"round" cannot be loaded on webgpu: .* CPU EP/);
  });

  it("uses fused attention where its check is passed, and is then right with it", async () => {
    const right = await isFusedAttentionRight();
    const cpu = await Session.create(block({}).build(), { threads: 1 });
    const fused = await Session.create(block({ device: "webgpu", attention: "fused" }).build());
    const [a, b] = [await cpu.run(feeds(70, 130)), await fused.run(feeds(70, 130))];
    const error = maxError(b["y"]!.data, a["y"]!.data);
    // Both ways: a driver whose kernel is wrong here must not have passed.
    expect(error < 2e-5).toBe(right);
    await cpu.close();
    await fused.close();
  });
});

describe("keeping results on the device", () => {
  it("is refused on the CPU, and for outputs that are not there", async () => {
    await expect(Session.create(block({}).build(), { keep: ["seen"] })).rejects.toThrow(/kept on a GPU only/);
    const creation = Session.create(block({ device: "webgpu" }).build(), { keep: ["sent"] });
    await expect(creation).rejects.toThrow(/no output sent to keep/);
  });
});
