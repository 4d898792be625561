import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Graph, SafetensorsFile, Session } from "@everframe/graph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Adapters, type Loras, SCALES_INPUT } from "./adapters.ts";
import { openLora } from "./lora-file.ts";
import { randomTensor, type TestTensor, writeWeights } from "./testing/weights.ts";

const RANK = 2;
const SIZE = 4;
const A = randomTensor([RANK, SIZE], 1);
const B = randomTensor([SIZE, RANK], 2);
const alpha = (value: number): TestTensor => ({ shape: [], data: Float32Array.of(value) });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lora-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function lora(name: string, tensors: Record<string, TestTensor>): string {
  const path = join(folder, `${name}.safetensors`);
  writeWeights(path, tensors);
  return path;
}

const factors = (path: string) =>
  Object.fromEntries([...openLora(path).layers].map(([layer, { factor }]) => [layer, factor]));

describe("openLora", () => {
  it("knows the layouts of adapters for Wan models", () => {
    const plain = lora("plain", { "blocks.0.ffn.2.lora_A.weight": A, "blocks.0.ffn.2.lora_B.weight": B });
    expect(factors(plain)).toEqual({ "blocks.0.ffn.2": 1 });
    const wan = lora("wan", {
      "diffusion_model.blocks.12.cross_attn.v.lora_A.weight": A,
      "diffusion_model.blocks.12.cross_attn.v.lora_B.weight": B,
    });
    expect(factors(wan)).toEqual({ "blocks.12.cross_attn.v": 1 });
    const kohya = lora("kohya", {
      "lora_unet_blocks_3_self_attn_q.lora_down.weight": A,
      "lora_unet_blocks_3_self_attn_q.lora_up.weight": B,
      "lora_unet_blocks_10_ffn_0.lora_down.weight": A,
      "lora_unet_blocks_10_ffn_0.lora_up.weight": B,
      "lora_unet_blocks_10_ffn_0.alpha": alpha(1),
    });
    expect(factors(kohya)).toEqual({ "blocks.3.self_attn.q": 1, "blocks.10.ffn.0": 0.5 });
    const named = lora("named", {
      "diffusion_model.blocks.1.self_attn.o.lora_down.weight": A,
      "diffusion_model.blocks.1.self_attn.o.lora_up.weight": B,
      "diffusion_model.blocks.1.self_attn.o.alpha": alpha(4),
    });
    expect(factors(named)).toEqual({ "blocks.1.self_attn.o": 2 });
  });

  it("leaves alpha out of files in the model's own layout, and says so", () => {
    const lines: string[] = [];
    const path = lora("own", {
      "diffusion_model.blocks.0.self_attn.q.lora_A.weight": A,
      "diffusion_model.blocks.0.self_attn.q.lora_B.weight": B,
      "diffusion_model.blocks.0.self_attn.q.alpha": alpha(8),
    });
    expect(openLora(path, (line) => lines.push(line)).layers.get("blocks.0.self_attn.q")?.factor).toBe(1);
    expect(lines).toEqual([expect.stringContaining("alpha")]);
  });

  it("passes over what the model does not have, and says how much", () => {
    const lines: string[] = [];
    const path = lora("more", {
      "blocks.0.self_attn.q.lora_A.weight": A,
      "blocks.0.self_attn.q.lora_B.weight": B,
      "head.head.lora_A.weight": A,
      "head.head.lora_B.weight": B,
      "blocks.0.self_attn.k.lora_A.weight": A,
    });
    expect([...openLora(path, (line) => lines.push(line)).layers.keys()]).toEqual(["blocks.0.self_attn.q"]);
    expect(lines).toEqual([expect.stringContaining("1 layers")]);
  });

  it("refuses a file of which nothing fits, and one that is none", () => {
    const other = lora("other", { "base_model.model.blocks.0.self_attn.q.lora_A.weight": A });
    expect(() => openLora(other)).toThrow(expect.objectContaining({ code: "lora_unusable" }));
    const broken = join(folder, "broken.pt");
    writeFileSync(broken, "not weights");
    expect(() => openLora(broken)).toThrow(expect.objectContaining({ code: "lora_unusable" }));
    expect(() => openLora(join(folder, "absent.pt"))).toThrow(expect.objectContaining({ code: "lora_unusable" }));
  });
});

describe("Adapters", () => {
  const W = randomTensor([SIZE, SIZE], 3);
  const x = randomTensor([3, SIZE], 4);
  const layer = "blocks.0.self_attn.q";

  async function resultOf(loras: Loras, scales: number[]): Promise<Float32Array> {
    const path = join(folder, "base.safetensors");
    writeWeights(path, { w: W });
    const g = new Graph("layer");
    const adapters = new Adapters(g, loras);
    const input = g.input("x", [3, SIZE]);
    const weight = g.weight(SafetensorsFile.open(path), "w");
    g.output("y", adapters.applied(layer, weight, input, g.linear(input, adapters.merged(layer, weight))));
    const session = await Session.create(g.build());
    const inputs =
      scales.length > 0 ? { [SCALES_INPUT]: { data: Float32Array.from(scales), dims: [scales.length] } } : {};
    const { y } = await session.run({ x: { data: x.data, dims: [3, SIZE] }, ...inputs });
    await session.close();
    return y!.data as Float32Array;
  }

  /** y = W x + k B A x, written out. */
  function expected(k: number): number[] {
    return Array.from({ length: 3 * SIZE }, (_, at) => {
      const [row, out] = [Math.floor(at / SIZE), at % SIZE];
      let sum = 0;
      for (let i = 0; i < SIZE; i++) {
        let weight = W.data[out * SIZE + i]!;
        for (let r = 0; r < RANK; r++) weight += k * B.data[out * RANK + r]! * A.data[r * SIZE + i]!;
        sum += weight * x.data[row * SIZE + i]!;
      }
      return expect.closeTo(sum, 5) as number;
    });
  }

  it("gives the same whether an adapter is merged or its scale is live, also of both kinds together", async () => {
    const path = lora("kept", {
      [`${layer}.lora_down.weight`]: A,
      [`${layer}.lora_up.weight`]: B,
      [`${layer}.alpha`]: alpha(1),
    });
    const one = openLora(path); // factor 1/2
    expect([...(await resultOf({ merged: [{ lora: one, scale: 0.8 }], live: [] }, []))]).toEqual(expected(0.4));
    const live = { merged: [], live: [{ lora: one, scale: 1 }] };
    expect([...(await resultOf(live, [0.8]))]).toEqual(expected(0.4));
    expect([...(await resultOf(live, [-2]))]).toEqual(expected(-1));
    const both = {
      merged: [{ lora: one, scale: 1 }],
      live: [
        { lora: one, scale: 1 },
        { lora: one, scale: 1 },
      ],
    };
    expect([...(await resultOf(both, [0.2, 0.6]))]).toEqual(expected(0.9));
  });

  it("says which matrix does not fit", async () => {
    const wrong = openLora(
      lora("wrong", { [`${layer}.lora_down.weight`]: randomTensor([RANK, 5], 1), [`${layer}.lora_up.weight`]: B }),
    );
    await expect(resultOf({ merged: [{ lora: wrong, scale: 1 }], live: [] }, [])).rejects.toThrow("lora_down");
  });
});
