import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { type AutoencoderConfig, type VaeType, WAN_AUTOENCODERS } from "./autoencoder-config.ts";
import { taeTensors, wanTensors } from "./autoencoder-tensors.ts";
import { parseModelConfig } from "./config.ts";
import { chosenAutoencoder, openAutoencoder } from "./open-autoencoder.ts";
import type { TensorShapes } from "./tensor-shapes.ts";
import { randomNumbers, writeRandomWeights } from "./testing/random-weights.ts";

const TINY = fileURLToPath(new URL("../../../models/longlive-tiny/config.json", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "autoencoders-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A model's description with these autoencoders, the first one being its own. */
function described(vae: unknown, ...others: unknown[]) {
  const json = JSON.parse(readFileSync(TINY, "utf8")) as Record<string, Record<string, unknown>>;
  return parseModelConfig({
    ...json,
    transformer: { ...json["transformer"], in_dim: 16, out_dim: 16 },
    vae,
    other_vaes: others,
  });
}

describe("openAutoencoder", () => {
  it("opens every kind that a description names, and takes a video there and back with it", async () => {
    const sections: Record<VaeType, [object, (config: AutoencoderConfig) => TensorShapes]> = {
      wan: [{ dim: 4, num_res_blocks: 1 }, (config) => wanTensors(config as never)],
      lightvae: [{ dim: 16, num_res_blocks: 1 }, (config) => wanTensors(config as never)],
      tae: [{}, () => taeTensors(16, { encoder: 4, decoder: [8, 4, 4, 4] })],
      lighttae: [{}, () => taeTensors(16, { encoder: 4, decoder: [8, 4, 4, 4] })],
    };
    for (const [type, [section, shapesOf]] of Object.entries(sections)) {
      const { autoencoder: config } = described({ type, weights: "vae.safetensors", ...section });
      const file = writeRandomWeights(join(folder, `${type}.safetensors`), shapesOf(config));
      const autoencoder = await openAutoencoder(config, file, { height: 2, width: 3 }, { threads: 1 });
      try {
        expect(autoencoder.latentChannels).toBe(16);
        const latents = await autoencoder
          .openEncoder()
          .encode({ frames: 13, data: randomNumbers(13 * 3 * 16 * 24, 4) });
        expect([type, latents.frames, latents.data.length]).toEqual([type, 4, 4 * 16 * 6]);
        const pixels = await autoencoder.openDecoder().decode(latents);
        expect([type, pixels.frames, pixels.data.length]).toEqual([type, 13, 13 * 3 * 16 * 24]);
      } finally {
        await autoencoder.close();
      }
    }
  });
});

describe("parseAutoencoder", () => {
  it("takes the published sizes and statistics where a description says nothing", () => {
    for (const [type, published] of Object.entries(WAN_AUTOENCODERS)) {
      expect(described({ type, weights: published.weights }).autoencoder).toEqual(published);
    }
  });

  it("names what does not fit", () => {
    const wan = { type: "wan", weights: "vae.safetensors" };
    expect(() => described({ ...wan, std: [1] })).toThrow("vae.std must have 16 numbers");
    expect(() => described({ ...wan, dim_mult: [1, 2] })).toThrow("vae.dim_mult must have 4 numbers");
    expect(() => described(wan, { type: "tae" })).toThrow("other_vaes[0].weights must be a text");
    expect(() => described({ ...wan, z_dim: 8, mean: Array(8).fill(0), std: Array(8).fill(1) })).toThrow("vae.z_dim");
  });
});

describe("chosenAutoencoder", () => {
  it("picks the kind that was asked for, the model's own by default", () => {
    const config = described({ type: "wan", weights: "a" }, { type: "tae", weights: "b" });
    expect(chosenAutoencoder(config, "models").weights).toBe("a");
    expect(chosenAutoencoder(config, "models", { vaeType: "wan" }).weights).toBe("a");
    expect(chosenAutoencoder(config, "models", { vaeType: "tae" }).weights).toBe("b");
    expect(() => chosenAutoencoder(config, "models", { vaeType: "lightvae" })).toThrow(
      'it has no autoencoder "lightvae", but wan, tae',
    );
  });

  it("keeps longlive-tiny's own, and says so when another was asked for", () => {
    const config = parseModelConfig(JSON.parse(readFileSync(TINY, "utf8")));
    const lines: string[] = [];
    const log = (line: string) => lines.push(line);
    expect(chosenAutoencoder(config, "models", { vaeType: "wan", log }).type).toBe("tiny");
    expect(lines).toEqual([]);
    expect(chosenAutoencoder(config, "models", { vaeType: "tae", log }).type).toBe("tiny");
    expect(lines).toEqual(["vae_type tae has no effect: longlive-tiny has an autoencoder of its own"]);
  });
});
