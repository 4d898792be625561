/**
 * The autoencoder of longlive-tiny: a linear map of 4 frames of 8x8 pixels to
 * one latent (its principal components), refined by a small ConvNeXt-like
 * network (arXiv:2201.03545) that also sees the features of the group before.
 * All groups of a call run at once, since a group needs only the linear part
 * of the one before.
 */
import type { Session, WeightFile } from "@everframe/graph";
import { type Autoencoder, type DecoderStream, type EncoderStream, SPACE_FACTOR, TIME_FACTOR } from "./autoencoder.ts";
import type { TinyAutoencoderConfig } from "./autoencoder-config.ts";
import { type EngineOptions, openSession } from "./engine.ts";
import type { Pixels } from "./preprocess.ts";
import { tinyDecoderGraph, tinyEncoderGraph } from "./tiny-autoencoder-graphs.ts";
import type { LatentGrid } from "./wan-block.ts";

const RGB = 3;

export class TinyAutoencoder implements Autoencoder {
  readonly latentChannels: number;
  // A group sees one group back, so a still picture settles at the second latent.
  readonly settledAfter = 1;
  readonly #dim: number;
  readonly #grid: LatentGrid;
  readonly #encoder: Session;
  readonly #decoder: Session;

  private constructor(config: TinyAutoencoderConfig, grid: LatentGrid, encoder: Session, decoder: Session) {
    this.latentChannels = config.latentChannels;
    this.#dim = config.dim;
    this.#grid = grid;
    this.#encoder = encoder;
    this.#decoder = decoder;
  }

  static async create(
    config: TinyAutoencoderConfig,
    file: WeightFile,
    grid: LatentGrid,
    options: EngineOptions = {},
  ): Promise<TinyAutoencoder> {
    const { device = "cpu" } = options;
    const encoder = await openSession(tinyEncoderGraph(config, file, grid, device), options);
    const decoder = await openSession(tinyDecoderGraph(config, file, grid, device), options);
    return new TinyAutoencoder(config, grid, encoder, decoder);
  }

  openEncoder(): EncoderStream {
    let before: Float32Array | undefined;
    return {
      encode: async (pixels) => {
        const grouped = before ? wholeGroups(pixels) : repeatFirst(pixels);
        const frames = grouped.frames / TIME_FACTOR;
        if (frames === 0) throw new RangeError(`${pixels.frames} frames are too few to encode.`);
        const { latents, after } = await this.#encoder.run({
          pixels: { data: grouped.data, dims: [grouped.frames, RGB, ...this.#pixelSize] },
          before: { data: before ?? new Float32Array(this.#featureCount), dims: [this.#positions, this.#dim] },
        });
        before = after!.data as Float32Array;
        return { frames, data: latents!.data as Float32Array };
      },
      reset() {
        before = undefined;
      },
    };
  }

  openDecoder(): DecoderStream {
    let before: Float32Array | undefined;
    return {
      decode: async (latents) => {
        const { pixels, after } = await this.#decoder.run({
          latents: { data: latents.data, dims: [latents.frames, this.latentChannels, ...this.#latentSize] },
          before: { data: before ?? new Float32Array(this.#featureCount), dims: [this.#positions, this.#dim] },
        });
        // The first latent of a stream stands for one frame, the last of its group.
        const dropped = before ? 0 : TIME_FACTOR - 1;
        before = after!.data as Float32Array;
        const data = pixels!.data as Float32Array;
        const frames = latents.frames * TIME_FACTOR;
        return { frames: frames - dropped, data: data.subarray((dropped * data.length) / frames) };
      },
      reset() {
        before = undefined;
      },
    };
  }

  async close(): Promise<void> {
    await this.#encoder.close();
    await this.#decoder.close();
  }

  get #positions(): number {
    return this.#grid.height * this.#grid.width;
  }

  get #featureCount(): number {
    return this.#positions * this.#dim;
  }

  get #latentSize(): [number, number] {
    return [this.#grid.height, this.#grid.width];
  }

  get #pixelSize(): [number, number] {
    return [this.#grid.height * SPACE_FACTOR, this.#grid.width * SPACE_FACTOR];
  }
}

/** Whole groups of 4; what remains is dropped. */
function wholeGroups({ frames, data }: Pixels): Pixels {
  const kept = frames - (frames % TIME_FACTOR);
  return { frames: kept, data: data.subarray(0, (kept * data.length) / frames) };
}

/** The first frame four times, so that it fills a group, then whole groups. */
function repeatFirst({ frames, data }: Pixels): Pixels {
  const size = data.length / frames;
  const kept = TIME_FACTOR + (frames - 1) - ((frames - 1) % TIME_FACTOR);
  const repeated = new Float32Array(kept * size);
  for (let i = 0; i < TIME_FACTOR - 1; i++) repeated.set(data.subarray(0, size), i * size);
  repeated.set(data.subarray(0, (kept - TIME_FACTOR + 1) * size), (TIME_FACTOR - 1) * size);
  return { frames: kept, data: repeated };
}
