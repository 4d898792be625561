/**
 * Latents of a mid-grey video from its start: what the condition branch is
 * told about parts of the picture that nothing is kept of. The video never
 * changes, so its latents settle and a short table serves all streams.
 */
import { type Autoencoder, type Latents, pixelFramesOf } from "./autoencoder.ts";
import type { Size } from "./preprocess.ts";

export class GreyLatents {
  readonly #autoencoder: Autoencoder;
  readonly #size: Size;
  #table: Promise<Latents> | undefined;

  constructor(autoencoder: Autoencoder, size: Size) {
    this.#autoencoder = autoencoder;
    this.#size = size;
  }

  /** Latents `start` to `start + frames - 1` of the grey video. */
  async frames(start: number, frames: number): Promise<Latents> {
    const table = await this.#settled();
    const latentSize = table.data.length / table.frames;
    const data = new Float32Array(frames * latentSize);
    for (let f = 0; f < frames; f++) {
      const row = Math.min(start + f, table.frames - 1);
      data.set(table.data.subarray(row * latentSize, (row + 1) * latentSize), f * latentSize);
    }
    return { frames, data };
  }

  #settled(): Promise<Latents> {
    if (!this.#table) {
      const frames = pixelFramesOf(this.#autoencoder.settledAfter + 1, true);
      const data = new Float32Array(frames * 3 * this.#size.width * this.#size.height);
      this.#table = this.#autoencoder.openEncoder().encode({ frames, data });
      // A failure is not kept: the next caller tries again.
      this.#table.catch(() => {
        this.#table = undefined;
      });
    }
    return this.#table;
  }
}
