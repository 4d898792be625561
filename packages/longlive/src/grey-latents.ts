/**
 * Latents of a mid-grey video from its start: what the condition branch is
 * told about parts of the picture that nothing is kept of. The video never
 * changes, so its latents settle and a short table serves all streams. It is
 * filled as far as streams have come, since a large autoencoder takes minutes
 * for all of it.
 */
import { type Autoencoder, type EncoderStream, type Latents, pixelFramesOf } from "./autoencoder.ts";
import { RGB_CHANNELS, type Size } from "./preprocess.ts";

export class GreyLatents {
  readonly #size: Size;
  readonly #encoder: EncoderStream;
  /** Latents until the last one stands for all that follow. */
  readonly #most: number;
  /** [C, height, width] of each latent so far. */
  readonly #rows: Float32Array[] = [];
  /** The last one as often as a chunk has frames. */
  #settled: Latents | undefined;
  /** Ends when the table is as long as the last caller needs it. */
  #filled: Promise<void> = Promise.resolve();

  constructor(autoencoder: Autoencoder, size: Size) {
    this.#size = size;
    this.#encoder = autoencoder.openEncoder();
    this.#most = autoencoder.settledAfter + 1;
  }

  /** Latents `start` to `start + frames - 1` of the grey video, not to be written to. */
  async frames(start: number, frames: number, signal?: AbortSignal): Promise<Latents> {
    const filled = this.#filled.then(() => this.#fill(Math.min(start + frames, this.#most), signal));
    // A failure is told to its own caller; the next one tries again.
    this.#filled = filled.catch(() => {});
    await filled;
    if (start < this.#most - 1) return this.#joined(start, frames);
    if (this.#settled?.frames !== frames) this.#settled = this.#joined(start, frames);
    return this.#settled;
  }

  #joined(start: number, frames: number): Latents {
    const latentSize = this.#rows[0]!.length;
    const data = new Float32Array(frames * latentSize);
    for (let f = 0; f < frames; f++) data.set(this.#rows[Math.min(start + f, this.#most - 1)]!, f * latentSize);
    return { frames, data };
  }

  async #fill(count: number, signal: AbortSignal | undefined): Promise<void> {
    const missing = count - this.#rows.length;
    if (missing <= 0) return;
    const frames = pixelFramesOf(missing, this.#rows.length === 0);
    const pixels = { frames, data: new Float32Array(frames * RGB_CHANNELS * this.#size.width * this.#size.height) };
    try {
      const { data } = await this.#encoder.encode(pixels, signal);
      const size = data.length / missing;
      for (let i = 0; i < missing; i++) this.#rows.push(data.subarray(i * size, (i + 1) * size));
    } catch (cause) {
      // What the encoder remembers may be half of a call.
      this.#rows.length = 0;
      this.#encoder.reset();
      throw cause;
    }
    // Its memory of frames is large, and is not needed again.
    if (this.#rows.length === this.#most) this.#encoder.reset();
  }
}
