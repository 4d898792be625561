/** Running models: tensor checks, preallocated outputs, both engine builds, damage after the build. */
import { mkdtempSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Graph } from "./graph.ts";
import { ENGINE_VARIABLE } from "./runtime.ts";
import { SafetensorsFile } from "./safetensors.ts";
import { Session, SessionError } from "./session.ts";
import { bf16Tensor, f32Tensor, maxError, numbers, tensor, writeSafetensors } from "./testing/tensors.ts";

let folder = "";
let path = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "session-"));
  path = join(folder, "model.safetensors");
  writeSafetensors(path, {
    odd: { dtype: "U8", shape: [1], bytes: Uint8Array.of(1) },
    w1: bf16Tensor([32, 16], numbers(512, 1)),
    w2: f32Tensor([16, 32], numbers(512, 2)),
    norm: f32Tensor([16], numbers(16, 3)),
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A small transformer block over [n, 16]. */
function block(): Graph {
  const file = SafetensorsFile.open(path);
  const g = new Graph("block");
  const x = g.input("x", ["n", 16]);
  const y = g.rmsNorm(x, g.weight(file, "norm"), 1e-6);
  const turned = g.rotary(y, g.input("cos", ["n", 4]), g.input("sin", ["n", 4]), { heads: 2 });
  const mixed = g.add(x, g.attention(turned, turned, y, { heads: 2 }));
  const hidden = g.gelu(g.linear(g.layerNorm(mixed, { eps: 1e-6 }), g.weight(file, "w1")), "tanh");
  g.output("y", g.add(mixed, g.linear(hidden, g.weight(file, "w2"))));
  g.output("pixels", g.castTo(g.clip(g.round(g.mul(g.silu(mixed), g.constant([100], []))), 0, 255), "u8"));
  return g;
}

const feeds = (n: number) => ({ x: tensor([n, 16], 5), cos: tensor([n, 4], 6), sin: tensor([n, 4], 7) });

describe("a session", () => {
  it("runs with other sizes from run to run", async () => {
    const session = await Session.create(block().build(), { threads: 1 });
    const { y } = await session.run(feeds(3));
    expect(y!.dims).toEqual([3, 16]);
    const seven = await session.run(feeds(7));
    expect(seven["y"]!.dims).toEqual([7, 16]);
    const again = await session.run(feeds(3));
    expect(maxError(again["y"]!.data, y!.data)).toBe(0);
    await session.close();
  });

  it("writes into preallocated outputs and leaves the others to new arrays", async () => {
    const session = await Session.create(block().build(), { threads: 1 });
    const usual = await session.run(feeds(3));
    const own = { data: new Float32Array(48), dims: [3, 16] };
    const results = await session.run(feeds(3), { y: own });
    expect(maxError(own.data, usual["y"]!.data)).toBe(0);
    expect(results["y"]!.data).toBe(own.data);
    expect(results["pixels"]!.data).toEqual(usual["pixels"]!.data);
    await session.close();
  });

  it("shares its weight file with another session, each closing for itself", async () => {
    const model = block().build();
    const first = await Session.create(model, { threads: 1 });
    const second = await Session.create(model, { threads: 1 });
    const wanted = await first.run(feeds(4));
    await first.close();
    await first.close();
    const results = await second.run(feeds(4));
    expect(maxError(results["y"]!.data, wanted["y"]!.data)).toBe(0);
    await second.close();
    await expect(first.run(feeds(4))).rejects.toThrow(/"block" is closed/);
  });

  it("gives results whose arrays may move to another thread", async () => {
    const session = await Session.create(block().build(), { threads: 1 });
    const { pixels } = await session.run(feeds(3));
    const copy = Uint8Array.from(pixels!.data as Uint8Array);
    const moved = structuredClone(pixels!, { transfer: [pixels!.data.buffer as ArrayBuffer] });
    expect(moved.data).toEqual(copy);
    await session.close();
  });

  it("gives the same numbers on the WebAssembly build, and says so in one line", async () => {
    const native = await Session.create(block().build(), { threads: 1 });
    expect(native.engine).toBe("native");
    vi.stubEnv(ENGINE_VARIABLE, "wasm");
    const lines: string[] = [];
    try {
      const wasm = await Session.create(block().build(), { log: (line) => lines.push(line) });
      expect(wasm.engine).toBe("wasm");
      expect(lines).toHaveLength(1);
      const [a, b] = [await native.run(feeds(5)), await wasm.run(feeds(5))];
      expect(maxError(b["y"]!.data, a["y"]!.data)).toBeLessThan(2e-5);
      expect(maxError(b["pixels"]!.data, a["pixels"]!.data)).toBeLessThanOrEqual(1);
      await wasm.close();
    } finally {
      vi.unstubAllEnvs();
      await native.close();
    }
  });

  it("falls back to the WebAssembly build when the native package cannot be imported", async () => {
    vi.resetModules();
    vi.doMock("onnxruntime-node", () => {
      throw new Error("no binary for this system");
    });
    try {
      const fresh = await import("./session.ts");
      const lines: string[] = [];
      const session = await fresh.Session.create(block().build(), { log: (line) => lines.push(line) });
      expect(session.engine).toBe("wasm");
      expect(lines).toHaveLength(1);
      expect((await session.run(feeds(2)))["y"]!.dims).toEqual([2, 16]);
      await session.close();
    } finally {
      vi.doUnmock("onnxruntime-node");
      vi.resetModules();
    }
  });

  it("says which tensor of a run is wrong, and how", async () => {
    const session = await Session.create(block().build(), { threads: 1 });
    const good = feeds(3);
    const { cos: _cos, ...without } = good;
    await expect(session.run(without)).rejects.toThrow(/"block": input "cos" is missing/);
    await expect(session.run({ ...good, z: good.x })).rejects.toThrow(/input "z" is unknown; there are x, cos, sin/);
    await expect(session.run({ ...good, sin: tensor([4, 4]) })).rejects.toThrow(
      /input "sin" is \[4, 4\], but must be \[n, 4\] with n = 3/,
    );
    await expect(session.run({ ...good, x: { data: good.x.data, dims: [2, 16] } })).rejects.toThrow(/has 48 elements/);
    const bytes = { data: new Uint8Array(48), dims: [3, 16] };
    await expect(session.run({ ...good, x: bytes })).rejects.toThrow(/takes f32 in a Float32Array, not Uint8Array/);
    await expect(session.run(good, { y: tensor([2, 16]) })).rejects.toThrow(/output "y" is \[2, 16\].*n = 3/);
    expect((await session.run(good))["y"]!.dims).toEqual([3, 16]);
    await session.close();
  });

  it("refuses weights that were cut short after the graph was built", async () => {
    const damaged = join(folder, "damaged.safetensors");
    writeSafetensors(damaged, { w: f32Tensor([1000], numbers(1000)) });
    const g = new Graph("damaged");
    g.output("w", g.weight(SafetensorsFile.open(damaged), "w"));
    truncateSync(damaged, 500);
    const creation = Session.create(g.build());
    await expect(creation).rejects.toThrow(SessionError);
    await expect(creation).rejects.toThrow(/"damaged" cannot be loaded on cpu/);
  });

  it("refuses to run a graph written for the CPU on webgpu", async () => {
    await expect(Session.create(block().build(), { device: "webgpu" })).rejects.toThrow(/written for the CPU/);
  });

  it("says that webgpu is not available where the engine has none", async () => {
    vi.stubEnv(ENGINE_VARIABLE, "wasm");
    try {
      const g = new Graph("gpu", { device: "webgpu" });
      g.output("y", g.neg(g.input("x", [1])));
      await expect(Session.create(g.build())).rejects.toThrow(/WebGPU engine is not available here \(present: wasm\)/);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});
