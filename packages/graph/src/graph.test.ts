/** Building graphs: shape mistakes, weights in files, and what ends up in a model. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ShapeError } from "./dims.ts";
import { Graph } from "./graph.ts";
import type { Value } from "./graph-core.ts";
import { SafetensorsFile } from "./safetensors.ts";
import * as ref from "./testing/reference.ts";
import { bf16Tensor, f32Tensor, maxError, runOnce, tensor, writeSafetensors } from "./testing/tensors.ts";

describe("a shape mistake", () => {
  type Mistake = [title: string, build: (g: Graph, x: Value) => void, message: RegExp];
  // x is [tokens, 8].
  it.each<Mistake>([
    ["linear", (g, x) => g.linear(x, g.input("w", [4, 9])), /^linear: operand w \[4, 9\] .* x \[tokens, 8\]/],
    [
      "the bias of linear",
      (g, x) => g.linear(x, g.input("w", [4, 8]), g.input("b", [8])),
      /^linear: operand b \[8\] must be \[4\] .* w \[4, 8\]/,
    ],
    ["matmul", (g, x) => g.matmul(x, g.input("b", [4, 8])), /^matmul: operand b \[4, 8\] .* a \[tokens, 8\]/],
    ["add", (g, x) => g.add(x, g.input("b", ["past", 8])), /^add: operand b \[past, 8\] .* a \[tokens, 8\]/],
    [
      "concat",
      (g, x) => g.concat([x, g.input("b", ["past", 7])], 0),
      /^concat: operand values\[1\] \[past, 7\] .*\[past, 8\].* values\[0\] \[tokens, 8\]/,
    ],
    ["slice", (g, x) => g.slice(x, 1, 4, 9), /^slice: operand x \[tokens, 8\] has no range 4\.\.9/],
    [
      "sliceFrom",
      (g, x) => g.sliceFrom(x, 0, g.input("s", [2], "i64")),
      /^sliceFrom: operand start \[2\] must be \[1\] .* x \[tokens, 8\]/,
    ],
    ["reshape", (g, x) => g.reshape(x, ["past", 8]), /^reshape: operand x \[tokens, 8\] cannot become \[past, 8\]/],
    ["transpose", (g, x) => g.transpose(x, [0, 0]), /^transpose: operand x \[tokens, 8\] has no axis order \[0, 0\]/],
    ["softmax", (g, x) => g.softmax(x, 2), /^softmax: operand x \[tokens, 8\] has no axis 2/],
    [
      "layerNorm",
      (g, x) => g.layerNorm(x, { scale: g.input("s", [4]), eps: 1e-6 }),
      /^layerNorm: operand scale \[4\] must be \[8\] .* x \[tokens, 8\]/,
    ],
    [
      "rmsNorm",
      (g, x) => g.rmsNorm(x, g.input("w", [1, 8]), 1e-6),
      /^rmsNorm: operand weight \[1, 8\] must be \[8\] .* x \[tokens, 8\]/,
    ],
    [
      "rotary",
      (g, x) => g.rotary(x, g.input("c", ["tokens", 4]), g.input("s", ["tokens", 2]), { heads: 2 }),
      /^rotary: operand cos \[tokens, 4\] must be \[tokens, 2\] .* x \[tokens, 8\]/,
    ],
    [
      "attention",
      (g, x) => g.attention(x, g.input("k", ["past", 8]), x, { heads: 2 }),
      /^attention: operand v \[tokens, 8\] must be \[past, 8\] .* k \[past, 8\]/,
    ],
    [
      "the heads of attention",
      (g, x) => g.attention(x, x, x, { heads: 3 }),
      /^attention: operand q \[tokens, 8\] must be \[tokens, 3 heads/,
    ],
    [
      "the bias of attention",
      (g, x) => g.attention(x, x, x, { heads: 2, bias: g.input("b", [3, "tokens", "tokens"]) }),
      /^attention: operand bias \[3, tokens, tokens\] must be \[2, tokens, tokens\] .* q \[tokens, 8\]/,
    ],
    [
      "conv2d",
      (g) => g.conv2d(g.input("p", [1, 4, 8, 8]), g.input("w", [2, 3, 3, 3])),
      /^conv2d: operand w \[2, 3, 3, 3\] .* x \[1, 4, 8, 8\]/,
    ],
    [
      "a kernel larger than the picture",
      (g) => g.conv2d(g.input("p", [1, 3, 2, 8]), g.input("w", [2, 3, 3, 3])),
      /^conv2d: operand w \[2, 3, 3, 3\] .* x \[1, 3, 2, 8\]/,
    ],
    [
      "conv3d",
      (g) => g.conv3d(g.input("p", [2, 3, 8, 8]), g.input("w", [2, 3, 3, 3, 3])),
      /^conv3d: operand w \[2, 3, 3, 3, 3\] .* x \[2, 3, 8, 8\]/,
    ],
    [
      "depthToSpace",
      (g) => g.depthToSpace(g.input("p", [1, 6, 8, 8]), 2, "crd"),
      /^depthToSpace: operand x \[1, 6, 8, 8\]/,
    ],
    ["expand", (g, x) => g.expand(x, [4, 8]), /^expand: operand x \[tokens, 8\] cannot be expanded to \[4, 8\]/],
    ["pad", (g, x) => g.pad(x, [[1, 1]]), /^pad: operand x \[tokens, 8\] takes 2 pairs/],
    ["a constant", (g) => g.constant([1, 2, 3], [2]), /^constant: 3 numbers do not fill the shape \[2\]/],
  ])("in %s is found when the graph is built, naming op, operand and shapes", (_title, build, message) => {
    const g = new Graph("mistakes");
    const x = g.input("x", ["tokens", 8]);
    expect(() => build(g, x)).toThrow(ShapeError);
    const again = new Graph("mistakes");
    expect(() => build(again, again.input("x", ["tokens", 8]))).toThrow(message);
  });

  it("does not hide behind types: element types and owners are checked too", () => {
    const g = new Graph("a");
    const x = g.input("x", [2]);
    expect(() => g.add(x, g.input("ids", [2], "i64"))).toThrow(/^add: operand b \[2\] is i64, not f32/);
    expect(() => g.neg(new Graph("b").input("x", [2]))).toThrow(/neg: operand x .* belongs to another graph/);
    expect(() => g.input("x", [2])).toThrow(/"x": the name is taken/);
    expect(() => new Graph("empty").build()).toThrow(/no output/);
  });
});

describe("weights", () => {
  let folder = "";
  let main: SafetensorsFile;
  let nested: SafetensorsFile;
  const w = tensor([3, 4], 20);
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "weights-")));
    mkdirSync(join(folder, "models", "sub"), { recursive: true });
    const odd = { dtype: "U8", shape: [1], bytes: Uint8Array.of(1) };
    writeSafetensors(join(folder, "models", "main.safetensors"), {
      odd,
      w: f32Tensor([3, 4], w.data),
      short: bf16Tensor([4], [1, -0.5, 3, 0.25]),
      half: {
        dtype: "F16",
        shape: [2, 2],
        bytes: new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x3800, 0x0001).buffer),
      },
      eight: { dtype: "F8_E4M3", shape: [2], bytes: Uint8Array.of(0x38, 0xc4) },
      double: { dtype: "F64", shape: [1], bytes: new Uint8Array(Float64Array.of(0.5).buffer) },
      ids: { dtype: "I64", shape: [2], bytes: new Uint8Array(BigInt64Array.of(1n, -1n).buffer) },
    });
    writeSafetensors(join(folder, "models", "sub", "nested.safetensors"), { odd, b: f32Tensor([3], [5, 6, 7]) });
    symlinkSync(join("..", "main.safetensors"), join(folder, "models", "sub", "link.safetensors"));
    main = SafetensorsFile.open(join(folder, "models", "sub", "link.safetensors"));
    nested = SafetensorsFile.open(join(folder, "models", "sub", "nested.safetensors"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("stay in their files at unaligned offsets, in several folders and behind symbolic links", async () => {
    expect(main.info("w").offset % 2).toBe(1);
    const g = new Graph("files");
    const x = g.input("x", ["n", 4]);
    g.output("y", g.linear(x, g.weight(main, "w"), g.weight(nested, "b")));
    const model = g.build();
    expect(model.weightsFolder).toBe(join(folder, "models"));
    expect([...model.weightFiles].sort()).toEqual(["main.safetensors", "sub/nested.safetensors"]);
    expect(model.bytes.length).toBeLessThan(1000);
    const input = tensor([2, 4], 21);
    const { y } = await runOnce(g, { x: input });
    const product = ref.matmul(input, ref.transpose(w, [1, 0]));
    expect(maxError(y!.data, ref.zip(product, { data: [5, 6, 7], dims: [3] }, (a, b) => a + b).data)).toBeLessThan(
      2e-6,
    );
  });

  it.each([
    ["bf16", "short", [1, -0.5, 3, 0.25]],
    ["f16", "half", [1, -2, 0.5, 2 ** -24]],
    ["fp8", "eight", [1, -3]],
    ["f64", "double", [0.5]],
  ])("stored as %s compute as f32", async (_dtype, name, wanted) => {
    const g = new Graph("storage");
    const value = g.weight(main, name);
    expect(value).toMatchObject({ dtype: "f32", shape: main.info(name).shape });
    g.output("out", value);
    const { out } = await runOnce(g, {});
    expect([...(out!.data as Float32Array)]).toEqual(wanted);
  });

  it("of whole numbers keep their type", async () => {
    const g = new Graph("ids");
    g.output("out", g.weight(main, "ids"));
    const { out } = await runOnce(g, {});
    expect(out!.data).toEqual(BigInt64Array.of(1n, -1n));
  });

  it("can be read in another shape, and are written once however often they are asked for", async () => {
    const g = new Graph("reshape");
    expect(g.weight(main, "w")).toBe(g.weight(main, "w"));
    const flat = g.weight(main, "w", { reshape: [2, 6] });
    g.output("out", flat);
    const { out } = await runOnce(g, {});
    expect(out!.dims).toEqual([2, 6]);
    expect(maxError(out!.data, w.data)).toBe(0);
    expect(() => g.weight(main, "w", { reshape: [5] })).toThrow(/weight: operand "w" \[3, 4\] cannot be read as \[5\]/);
    expect(() => g.weight(main, "missing")).toThrow(/has no tensor "missing"/);
  });
});

describe("a model", () => {
  it("takes a past of zero tokens through concat, attention, slice and reshape", async () => {
    const k = tensor([3, 8], 31);
    const q = tensor([3, 8], 32);
    const past = tensor([2, 8], 33);
    for (const attention of ["fused", "plain"] as const) {
      const g = new Graph("cache", { attention });
      const keys = g.concat([g.input("past", ["past", 8]), g.input("k", ["tokens", 8])], 0);
      expect(keys.shape).toEqual(["past+tokens", 8]);
      g.output("mixed", g.attention(g.input("q", ["tokens", 8]), keys, keys, { heads: 2 }));
      g.output("kept", g.sliceFrom(keys, 0, g.input("start", [1], "i64")));
      g.output("old", g.reshape(g.neg(g.slice(keys, 0, 0, -3)), ["past+tokens-3", 2, 4]));
      const start = (n: bigint) => ({ data: BigInt64Array.of(n), dims: [1] });

      const first = await runOnce(g, { past: { data: new Float32Array(0), dims: [0, 8] }, k, q, start: start(0n) });
      expect(maxError(first["mixed"]!.data, ref.attention(q, k, k, 2, 0.5).data)).toBeLessThan(1e-6);
      expect(first["kept"]!.dims).toEqual([3, 8]);
      expect(first["old"]!.dims).toEqual([0, 2, 4]);

      const all = { data: [...past.data, ...k.data], dims: [5, 8] };
      const second = await runOnce(g, { past, k, q, start: start(5n) });
      expect(maxError(second["mixed"]!.data, ref.attention(q, all, all, 2, 0.5).data)).toBeLessThan(1e-6);
      expect(second["kept"]!.dims).toEqual([0, 8]);
      expect(
        maxError(
          second["old"]!.data,
          past.data.map((v) => -v),
        ),
      ).toBe(0);
    }
  });

  it("may name an input, a constant and one value twice as outputs", async () => {
    const g = new Graph("outputs");
    const x = g.input("x", [2]);
    const doubled = g.add(x, x);
    g.output("same", x);
    g.output("fixed", g.constant([7], [1]));
    g.output("once", doubled);
    g.output("again", doubled);
    g.output("used", g.neg(doubled));
    const results = await runOnce(g, { x: { data: Float32Array.of(1, 2), dims: [2] } });
    const lists = Object.fromEntries(
      Object.entries(results).map(([name, { data }]) => [name, Array.from(data, Number)]),
    );
    expect(lists).toEqual({ same: [1, 2], fixed: [7], once: [2, 4], again: [2, 4], used: [-2, -4] });
  });

  it("leaves out what no output needs", () => {
    const g = new Graph("pruned");
    const x = g.input("x", [4]);
    g.output("y", g.neg(x));
    const before = g.build().bytes.length;
    g.add(g.reshape(x, [4, 1]), g.constant(new Float32Array(1000), [1, 1000]));
    expect(g.build().bytes.length).toBe(before);
  });

  it("writes attention in the plain form for webgpu", () => {
    const operators = (g: Graph) => {
      const x = g.input("x", ["n", 8]);
      g.output("y", g.attention(x, x, x, { heads: 2 }));
      return new TextDecoder("latin1").decode(g.build().bytes);
    };
    expect(operators(new Graph("cpu"))).toContain("MultiHeadAttention");
    expect(operators(new Graph("gpu", { device: "webgpu" }))).not.toContain("MultiHeadAttention");
  });
});
