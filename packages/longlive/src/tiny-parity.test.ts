/**
 * longlive-tiny against its training code: the fixture holds what PyTorch computed from the same weights
 * (fixtures/tiny, written together with the model).
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SafetensorsFile } from "@everframe/graph";
import { defaultParameters } from "@everframe/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Autoencoder, Latents } from "./autoencoder.ts";
import type { TinyAutoencoderConfig } from "./autoencoder-config.ts";
import { type ModelConfig, readModelConfig } from "./config.ts";
import { fixedNoise } from "./fixed-noise.ts";
import { Generator, type Hints, type Prediction } from "./generator.ts";
import { GreyLatents } from "./grey-latents.ts";
import type { ModelParts } from "./model.ts";
import type { NoiseSource } from "./noise.ts";
import { openAutoencoder } from "./open-autoencoder.ts";
import { type Frame, toFrames, toPixels } from "./preprocess.ts";
import { PromptEncoder } from "./prompt-encoder.ts";
import { addNoise } from "./scheduler.ts";
import { LongLiveStream } from "./stream.ts";
import { TextEncoder } from "./text-encoder.ts";
import { openTokenizer } from "./tokenizer.ts";
import { videoContext } from "./vace-context.ts";

const path = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
const MODEL = path("models/longlive-tiny");
const fixture = SafetensorsFile.open(path("fixtures/tiny/parity.safetensors"));
const about = JSON.parse(readFileSync(path("fixtures/tiny/parity.json"), "utf8")) as {
  prompts: string[];
  stream_prompt: string;
  width: number;
  height: number;
  noise_scale: number;
  steps: { normal: number[]; vace: number[]; text: number[] };
  chunks: number[];
};
const size = { width: about.width, height: about.height };
const grid = { width: about.width / 8, height: about.height / 8 };

/** Recorded [1, channels, frames, ...] with frames in front: [frames, channels, ...]. */
function framesFirst(name: string): { frames: number; data: Float32Array } {
  const [, channels, frames, height, width] = fixture.info(name).shape as [number, number, number, number, number];
  const plane = height * width;
  const recorded = fixture.read(name);
  const data = new Float32Array(recorded.length);
  for (let c = 0; c < channels; c++) {
    for (let f = 0; f < frames; f++) {
      const from = (c * frames + f) * plane;
      data.set(recorded.subarray(from, from + plane), (f * channels + c) * plane);
    }
  }
  return { frames, data };
}

/** Frames of a chunk of the recorded input, as RGBA. */
function inputFrames(chunk: number): Frame[] {
  const start = about.chunks.slice(0, chunk).reduce((a, b) => a + b, 0);
  const plane = about.width * about.height;
  const rgb = fixture.readRaw("input");
  return Array.from({ length: about.chunks[chunk]! }, (_, f) => {
    const data = new Uint8Array(plane * 4).fill(255);
    for (let i = 0; i < plane; i++) {
      const from = ((start + f) * plane + i) * 3;
      data.set(rgb.subarray(from, from + 3), 4 * i);
    }
    return { ...size, data };
  });
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

/** The recording may hold every 4th picture only. */
function everyStored<T>(pictures: readonly T[], stored: number): T[] {
  return stored === pictures.length ? [...pictures] : pictures.filter((_, i) => i % 4 === 0);
}

function expectPictures(pictures: readonly Frame[], name: string): void {
  const stored = fixture.info(name).shape[0]!;
  const recorded = fixture.readRaw(name);
  const rgb = everyStored(pictures, stored).flatMap(({ data }) => [...data].filter((_, i) => i % 4 !== 3));
  expect(rgb.length).toBe(recorded.length);
  // Rounding of the last step differs: the recording rounds to the nearest, a stream cuts off.
  expect(largestDifference(rgb, recorded)).toBeLessThanOrEqual(2);
}

/** The recorded draws of one frame of noise, for one chunk. */
function drawnNoise(mode: "normal" | "vace" | "text"): NoiseSource {
  let step = 0;
  return { normal: () => framesFirst(`${mode}.noise.${step++}`).data };
}

let config: ModelConfig;
let autoencoder: Autoencoder;
let generator: Generator;
let textEncoder: TextEncoder;
let parts: ModelParts;

beforeAll(async () => {
  // PyTorch has no 8-bit linear layers of this kind.
  const shipped = readModelConfig(MODEL);
  const exact = { linears: "f32" } as const;
  config = {
    ...shipped,
    transformer: { ...shipped.transformer, ...exact },
    autoencoder: { ...(shipped.autoencoder as TinyAutoencoderConfig), ...exact },
  };
  const file = (name: string) => SafetensorsFile.open(`${MODEL}/${name}`);
  const weights = file(config.transformer.weights);
  const tokenizer = openTokenizer(`${MODEL}/tokenizer.json`, config.transformer.textLength);
  autoencoder = await openAutoencoder(config.autoencoder, file(config.autoencoder.weights), grid);
  generator = await Generator.create(config, { main: weights, vace: weights }, grid);
  textEncoder = await TextEncoder.create(config.textEncoder, file(config.textEncoder.weights));
  const prompts = new PromptEncoder(tokenizer, textEncoder, config.transformer);
  parts = { config, size, generator, autoencoder, grey: new GreyLatents(autoencoder, size), prompts };
});

afterAll(async () => {
  await autoencoder.close();
  await generator.close();
  await textEncoder.close();
});

describe("longlive-tiny", () => {
  it("encodes prompts as in training", async () => {
    const tokenizer = openTokenizer(`${MODEL}/tokenizer.json`, config.transformer.textLength);
    for (const [p, prompt] of about.prompts.entries()) {
      const ids = tokenizer.encode(prompt);
      expect(ids).toEqual([...fixture.read(`ids.${p}`)].slice(0, fixture.read(`count.${p}`)[0]));
      const [embedding] = await parts.prompts.encode([prompt]);
      expect(largestDifference(embedding!, fixture.read(`text.${p}`))).toBeLessThan(2e-4);
    }
  });

  it("encodes and decodes video streams as in training", async () => {
    const encoder = autoencoder.openEncoder();
    const decoder = autoencoder.openDecoder();
    for (const chunk of about.chunks.keys()) {
      const latents = await encoder.encode(toPixels(inputFrames(chunk), size));
      const recorded = framesFirst(`latents.${chunk}`);
      expect(latents.frames).toBe(recorded.frames);
      expect(largestDifference(latents.data, recorded.data)).toBeLessThan(2e-4);
      const decoded = await decoder.decode(recorded);
      expect(decoded.frames).toBe(about.chunks[chunk]);
      const stored = toFrames(framesFirst(`decoded.${chunk}`), size);
      for (const [i, picture] of everyStored(toFrames(decoded, size), stored.length).entries()) {
        const differences = picture.data.map((value, at) => Math.abs(value - stored[i]!.data[at]!));
        // The last bit of a sum decides where a value lies on the border of two levels.
        expect(Math.max(...new Set(differences))).toBeLessThanOrEqual(1);
        expect(differences.filter((difference) => difference > 0).length).toBeLessThan(1e-3 * differences.length);
      }
    }
  });

  it.each(["normal", "text"] as const)("streams in %s mode as in training", async (mode) => {
    const predictions: Float32Array[] = [];
    const stream = new LongLiveStream(parts, {
      seed: 0,
      evenPictures: false,
      noise: () => drawnNoise(mode),
      observe: (event) => event.type === "pass" && event.kind === "denoise" && predictions.push(event.result.clean),
    });
    for (const chunk of about.chunks.keys()) {
      const { frames } = await stream.generate({
        parameters: {
          ...defaultParameters(),
          inputMode: mode === "text" ? "text" : "video",
          vaceEnabled: false,
          ...(mode === "text" ? { denoisingStepList: about.steps.text } : {}),
          prompts: [{ text: about.stream_prompt, weight: 1 }],
          noiseScale: about.noise_scale,
        },
        ...(mode === "text" ? {} : { frames: inputFrames(chunk) }),
      });
      for (const i of about.steps[mode].keys()) {
        const recorded = framesFirst(`${mode}.${chunk}.x0.${i}`).data;
        expect(largestDifference(predictions.shift()!, recorded)).toBeLessThan(1e-3);
      }
      expectPictures(frames, `${mode}.${chunk}.frames`);
    }
  });

  it("follows a condition as in training", async () => {
    // In training a conditioned video starts with four latents, in a stream with three, so the parts are called here.
    const text = await generator.encodeText((await parts.prompts.encode([about.stream_prompt]))[0]!);
    const cache = generator.openCache({ relative: false });
    const encoder = autoencoder.openEncoder();
    const decoder = autoencoder.openDecoder();
    let startFrame = 0;
    for (const chunk of about.chunks.keys()) {
      const reactive = await encoder.encode(toPixels(inputFrames(chunk), size));
      const inactive = await parts.grey.frames(startFrame, reactive.frames);
      const context = videoContext(inactive, reactive, config.vace!, grid.width * grid.height);
      const window = cache.open(startFrame, reactive.frames);
      const pass = { text, window, past: await cache.past(window) };
      const channels = config.transformer.inChannels;
      const noise = fixedNoise(
        drawnNoise("vace"),
        { channels, ...grid },
        { gain: config.noiseGain, smooth: config.smoothNoise },
      );
      const draw = () => noise.normal(reactive.data.length);
      let latents: Latents = { frames: reactive.frames, data: draw() };
      let stepKeys: Prediction["keys"] | undefined;
      const predictions: Float32Array[] = [];
      let hints: Hints | undefined;
      for (const [i, timestep] of about.steps.vace.entries()) {
        if (i === 0 || config.vace!.hints === "each_step")
          hints = await generator.hints(latents, timestep, text, { ...context, scale: 1 });
        const { clean, keys } = await generator.forward({ ...pass, latents, timestep, hints });
        stepKeys = keys;
        expect(largestDifference(clean, framesFirst(`vace.${chunk}.x0.${i}`).data)).toBeLessThan(1e-3);
        const next = about.steps.vace[i + 1];
        const fresh = next === undefined ? undefined : draw();
        predictions.push(clean);
        const mean = clean.map((_, at) => predictions.reduce((sum, one) => sum + one[at]!, 0) / predictions.length);
        const data = fresh ? addNoise(mean, fresh, generator.scheduler.sigmaOf(next!)) : mean;
        latents = { frames: latents.frames, data };
      }
      const fromStep = config.context === "last_step" ? stepKeys : undefined;
      await cache.keep(window, fromStep ?? (await generator.keys({ ...pass, latents, timestep: 0 })));
      startFrame += latents.frames;
      const glance = { pixels: toPixels(inputFrames(chunk), size), scale: 1 };
      expectPictures(toFrames(await decoder.decode(latents, { glance }), size), `vace.${chunk}.frames`);
    }
  });
});
