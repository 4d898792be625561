/** The parts of longlive-tiny at a small size, for streams with other options than a loaded model has. */
import { fileURLToPath } from "node:url";
import { SafetensorsFile } from "@everframe/graph";
import type { TinyAutoencoderConfig } from "../autoencoder-config.ts";
import { type AttentionWindow, type ModelConfig, readModelConfig } from "../config.ts";
import { Generator, type GeneratorOptions } from "../generator.ts";
import { GreyLatents } from "../grey-latents.ts";
import type { ModelParts } from "../model.ts";
import { openAutoencoder } from "../open-autoencoder.ts";
import type { Frame, Size } from "../preprocess.ts";
import { PromptEncoder } from "../prompt-encoder.ts";
import { TextEncoder } from "../text-encoder.ts";
import { openTokenizer } from "../tokenizer.ts";

const FOLDER = fileURLToPath(new URL("../../../../models/longlive-tiny", import.meta.url));

/** Without `vace: false` the condition branch is there. */
export async function openTinyParts(
  size: Size,
  options: GeneratorOptions & { vace?: boolean; attentionWindow?: AttentionWindow } = {},
): Promise<ModelParts & { close(): Promise<void> }> {
  const { vace = true, attentionWindow, ...numerics } = options;
  // A window, a clean pass and exact layers as LongLive has them: its rules are tried on these parts.
  const shipped = readModelConfig(FOLDER);
  const exact = { linears: "f32", ...(attentionWindow ? { attentionWindow } : {}) } as const;
  const config: ModelConfig = {
    ...shipped,
    transformer: { ...shipped.transformer, ...exact },
    autoencoder: { ...(shipped.autoencoder as TinyAutoencoderConfig), linears: "f32" },
    windowFrames: 6,
    context: "clean_pass",
    result: "last_step",
    evenPictures: false,
  };
  const grid = { width: size.width / 8, height: size.height / 8 };
  const file = (name: string) => SafetensorsFile.open(`${FOLDER}/${name}`);
  const main = file(config.transformer.weights);
  const tokenizer = openTokenizer(`${FOLDER}/tokenizer.json`, config.transformer.textLength);
  const autoencoder = await openAutoencoder(config.autoencoder, file(config.autoencoder.weights), grid);
  const generator = await Generator.create(config, { main, ...(vace ? { vace: main } : {}) }, grid, numerics);
  const textEncoder = await TextEncoder.create(config.textEncoder, file(config.textEncoder.weights));
  return {
    config,
    size,
    generator,
    autoencoder,
    grey: new GreyLatents(autoencoder, size),
    prompts: new PromptEncoder(tokenizer, textEncoder, config.transformer),
    async close() {
      for (const part of [autoencoder, generator, textEncoder]) await part.close();
    },
  };
}

/** A picture of slanted stripes; other phases are other pictures. */
export function stripes(phase: number, size: Size = { width: 80, height: 60 }): Frame {
  const { width, height } = size;
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    data.set([(4 * (x + y) + phase) % 256, (5 * x + 2 * phase) % 256, (3 * y + 200 - phase) & 255], 4 * i);
  }
  return { width, height, data };
}

/** Frames of a moving picture. */
export function stripeVideo(phase: number, count = 12): Frame[] {
  return Array.from({ length: count }, (_, i) => stripes(phase + 7 * i));
}
