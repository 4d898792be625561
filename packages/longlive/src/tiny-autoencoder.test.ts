/** The autoencoder of longlive-tiny in 8 bits: pictures are nearly those in float, and a GPU keeps to float. */
import { fileURLToPath } from "node:url";
import { SafetensorsFile, Session } from "@everframe/graph";
import { expect, it } from "vitest";
import type { TinyAutoencoderConfig } from "./autoencoder-config.ts";
import { readModelConfig } from "./config.ts";
import { seededNoise } from "./noise.ts";
import { type Frame, type Pixels, toFrames, toPixels } from "./preprocess.ts";
import { stripeVideo } from "./testing/tiny-parts.ts";
import { TinyAutoencoder } from "./tiny-autoencoder.ts";
import { tinyDecoderGraph, tinyEncoderGraph } from "./tiny-autoencoder-graphs.ts";
import { PATCH } from "./tiny-autoencoder-levels.ts";

const FOLDER = fileURLToPath(new URL("../../../models/longlive-tiny", import.meta.url));
const shipped = readModelConfig(FOLDER).autoencoder as TinyAutoencoderConfig;
const file = SafetensorsFile.open(`${FOLDER}/${shipped.weights}`);
const size = { width: 96, height: 64 };
const grid = { width: 12, height: 8 };

function meanSquareError(shown: readonly Frame[], wanted: readonly Frame[]): number {
  const differences = shown.flatMap(({ data }, i) => [...data].map((byte, at) => byte - wanted[i]!.data[at]!));
  return differences.reduce((sum, value) => sum + value ** 2, 0) / differences.length;
}

/** A video there and back, in two calls; all bytes. */
async function thereAndBack(linears: "f32" | "int8"): Promise<Uint8Array[]> {
  const autoencoder = await TinyAutoencoder.create({ ...shipped, linears }, file, grid);
  const [encoder, decoder] = [autoencoder.openEncoder(), autoencoder.openDecoder()];
  const shown = [];
  for (const video of [stripeVideo(0, 13), stripeVideo(91, 12)]) {
    shown.push(...toFrames(await decoder.decode(await encoder.encode(toPixels(video, size))), size));
  }
  await autoencoder.close();
  return shown.map(({ data }) => data);
}

it("shows nearly the same in 8 bits", async () => {
  const [exact, short] = [await thereAndBack("f32"), await thereAndBack("int8")];
  expect(short.length).toBe(25);
  const differences = exact.flatMap((bytes, i) => [...bytes].map((byte, at) => Math.abs(byte - short[i]![at]!)));
  expect(Math.max(...new Set(differences))).toBeGreaterThan(0);
  const meanSquare = differences.reduce((sum, value) => sum + value ** 2, 0) / differences.length;
  // 48 dB, where the autoencoder itself has 30.
  expect(meanSquare).toBeLessThan(1);
});

it("shows more of a video's detail when it may glance at it, and at half the scale half as much", async () => {
  const autoencoder = await TinyAutoencoder.create(shipped, file, grid);
  const [pixels, more] = [stripeVideo(0, 13), stripeVideo(91, 12)].map((video) => toPixels(video, size)) as [
    Pixels,
    Pixels,
  ];
  const encoder = autoencoder.openEncoder();
  const latents = [await encoder.encode(pixels), await encoder.encode(more)];
  const errors = [];
  for (const scale of [0, 0.5, 1]) {
    const decoder = autoencoder.openDecoder();
    const shown = [];
    for (const [i, given] of [pixels, more].entries()) {
      shown.push(...toFrames(await decoder.decode(latents[i]!, { glance: { pixels: given, scale } }), size));
    }
    errors.push(meanSquareError(shown, [...toFrames(pixels, size), ...toFrames(more, size)]));
  }
  await autoencoder.close();
  expect(errors[1]).toBeLessThan(errors[0]!);
  expect(errors[2]).toBeLessThan(errors[1]!);
});

it("refuses a video that is shorter than what it decodes", async () => {
  const autoencoder = await TinyAutoencoder.create(shipped, file, grid);
  const latents = await autoencoder.openEncoder().encode(toPixels(stripeVideo(0, 13), size));
  const glance = { pixels: toPixels(stripeVideo(0, 9), size), scale: 1 };
  await expect(autoencoder.openDecoder().decode(latents, { glance })).rejects.toThrow(
    "9 frames are too few beside 4 latents",
  );
  await autoencoder.close();
});

it("keeps float on a GPU", () => {
  for (const device of ["cpu", "webgpu"] as const) {
    const config = { ...shipped, linears: "int8" } as const;
    expect(tinyEncoderGraph(config, file, grid, device).usesInt8).toBe(device === "cpu");
    for (const glances of [false, true]) {
      expect(tinyDecoderGraph(config, file, grid, device, glances).usesInt8).toBe(device === "cpu");
    }
  }
});

it("gives a GPU, which has no bytes, the same levels as floats", async () => {
  const latents = { data: seededNoise(5).normal(2 * 64 * 96), dims: [2, 64, 8, 12] };
  const before = { data: new Float32Array(96 * shipped.dim), dims: [96, shipped.dim] };
  const glance = { data: new Float32Array(2 * 96 * PATCH).map((_, i) => (31 * i) % 256), dims: [2 * 96, PATCH] };
  const glanceScale = { data: Float32Array.of(1), dims: [1] };
  const made = [];
  for (const device of ["cpu", "webgpu"] as const) {
    const session = await Session.create(tinyDecoderGraph({ ...shipped, linears: "f32" }, file, grid, device, true), {
      device: "cpu",
    });
    made.push((await session.run({ latents, before, glance, glance_scale: glanceScale }))["levels"]!.data);
    await session.close();
  }
  const [bytes, floats] = made;
  expect(bytes).toBeInstanceOf(Uint8Array);
  expect(floats).toBeInstanceOf(Float32Array);
  expect([...bytes!]).toEqual([...floats!]);
});
