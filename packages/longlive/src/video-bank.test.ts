import { describe, expect, it } from "vitest";
import type { Autoencoder, Latents } from "./autoencoder.ts";
import { COMPAT } from "./compat.ts";
import { VideoBank } from "./video-bank.ts";

/**
 * One pixel a frame, latents that say which frames they are made of: causal like a real one, but legible. A latent is
 * the sum of its frames; the first of a stream has one frame.
 */
function summing(): Autoencoder {
  return {
    latentChannels: 1,
    settledAfter: 0,
    openEncoder() {
      let begun = false;
      return {
        async encode({ data }) {
          const sums: number[] = [];
          let at = 0;
          if (!begun) sums.push(data[at++]!);
          for (; at + 4 <= data.length; at += 4) sums.push(data.subarray(at, at + 4).reduce((a, b) => a + b, 0));
          begun = true;
          return { frames: sums.length, data: Float32Array.from(sums) };
        },
        reset() {
          begun = false;
        },
      };
    },
    openDecoder: () => ({ decode: async (latents: Latents) => latents, reset: () => {} }),
    close: async () => {},
  };
}

/** Frames `from` to `from + count - 1`, each with its number as value. */
const pixels = (from: number, count: number) => ({
  frames: count,
  data: Float32Array.from({ length: count }, (_, i) => from + i),
});
const chunk = { frames: 3, data: new Float32Array(3) };

describe("VideoBank", () => {
  it("starts a video at its first frame, and one that begins in mid-stream so that 12 frames give 3 latents", async () => {
    const bank = new VideoBank(summing(), COMPAT.everframe);
    expect([...(await bank.encode("video", pixels(0, 13))).data]).toEqual([0, 10, 26, 42]);
    await bank.decode(chunk);
    expect([...(await bank.encode("video", pixels(13, 12))).data]).toEqual([58, 74, 90]);
    expect(bank.startsAt("reactive")).toBe(1);
    expect([...(await bank.encode("reactive", pixels(1, 12))).data]).toEqual([10, 26, 42]);
  });

  it("begins a video anew after a chunk without it, and goes on with one that was there", async () => {
    const bank = new VideoBank(summing(), COMPAT.everframe);
    await bank.encode("video", pixels(0, 13));
    await bank.decode(chunk);
    await bank.decode(chunk);
    expect(bank.startsAt("video")).toBe(1);
    expect([...(await bank.encode("video", pixels(1, 12))).data]).toEqual([10, 26, 42]);
    await bank.decode(chunk);
    expect(bank.startsAt("video")).toBeUndefined();
    bank.restart();
    expect(bank.startsAt("video")).toBe(0);
  });
});
