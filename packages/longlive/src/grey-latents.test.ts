import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Autoencoder, pixelFramesOf } from "./autoencoder.ts";
import { WAN_AUTOENCODERS } from "./autoencoder-config.ts";
import { taeTensors } from "./autoencoder-tensors.ts";
import { GreyLatents } from "./grey-latents.ts";
import { openAutoencoder } from "./open-autoencoder.ts";
import { writeRandomWeights } from "./testing/random-weights.ts";

const SIZE = { width: 24, height: 16 };
const LATENT = 16 * 2 * 3;
let folder: string;
let autoencoder: Autoencoder;
let table: Float32Array;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "grey-"));
  const shapes = taeTensors(16, { encoder: 4, decoder: [8, 4, 4, 4] });
  const file = writeRandomWeights(join(folder, "tae.safetensors"), shapes);
  autoencoder = await openAutoencoder(WAN_AUTOENCODERS.tae, file, { height: 2, width: 3 }, { threads: 1 });
  const frames = pixelFramesOf(40, true);
  const grey = { frames, data: new Float32Array(frames * 3 * SIZE.width * SIZE.height) };
  table = (await autoencoder.openEncoder().encode(grey)).data;
});
afterAll(async () => {
  await autoencoder.close();
  rmSync(folder, { recursive: true });
});

const rows = (start: number, frames: number) => table.subarray(start * LATENT, (start + frames) * LATENT);

/** The same autoencoder, counting the pixel frames that are encoded; the encodes in `failing` fail. */
function counted(failing: number[] = []) {
  const seen = { frames: 0, calls: 0 };
  const opened: Autoencoder = {
    latentChannels: autoencoder.latentChannels,
    settledAfter: autoencoder.settledAfter,
    openEncoder() {
      const encoder = autoencoder.openEncoder();
      return {
        encode(pixels) {
          seen.frames += pixels.frames;
          if (failing.includes(seen.calls++)) return Promise.reject(new Error("out of luck"));
          return encoder.encode(pixels);
        },
        reset: () => encoder.reset(),
      };
    },
    openDecoder: () => autoencoder.openDecoder(),
    close: () => autoencoder.close(),
  };
  return { seen, grey: new GreyLatents(opened, SIZE) };
}

describe("GreyLatents", () => {
  it("gives the latents of a grey video, from wherever, also long after they have settled", async () => {
    const { grey, seen } = counted();
    for (const [start, frames] of [
      [0, 3],
      [3, 3],
      [0, 4],
      [7, 3],
      [20, 4],
    ] as const) {
      expect(await grey.frames(start, frames)).toEqual({ frames, data: rows(start, frames) });
    }
    expect(seen.frames).toBe(pixelFramesOf(autoencoder.settledAfter + 1, true));
  });

  it("encodes no more than streams have come to, and only once", async () => {
    const { grey, seen } = counted();
    const [a, b] = await Promise.all([grey.frames(0, 3), grey.frames(0, 4)]);
    expect(a.data).toEqual(rows(0, 3));
    expect(b.data).toEqual(rows(0, 4));
    expect(seen.frames).toBe(pixelFramesOf(4, true));
  });

  it("starts over after a failure", async () => {
    const { grey } = counted([1]);
    await grey.frames(0, 3);
    await expect(grey.frames(3, 3)).rejects.toThrow("out of luck");
    expect(await grey.frames(3, 3)).toEqual({ frames: 3, data: rows(3, 3) });
  });
});
