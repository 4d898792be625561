/**
 * The autoencoder of longlive-tiny: a linear map of 4 frames of 8x8 pixels to
 * one latent (its principal components), refined by a small ConvNeXt-like
 * network (arXiv:2201.03545) that also sees the features of the group before.
 * All groups of a call run at once, since a group needs only the linear part
 * of the one before.
 */
import type { Session, WeightFile } from "@everframe/graph";
import { type Autoencoder, type DecoderStream, type EncoderStream, TIME_FACTOR } from "./autoencoder.ts";
import type { TinyAutoencoderConfig } from "./autoencoder-config.ts";
import { type EngineOptions, openSession } from "./engine.ts";
import { pixelsOf } from "./preprocess.ts";
import { tinyDecoderGraph, tinyEncoderGraph } from "./tiny-autoencoder-graphs.ts";
import { type Levels, levelsOf, PATCH, picturesOf } from "./tiny-autoencoder-levels.ts";
import type { SeamVectors } from "./token-seams.ts";
import type { LatentGrid } from "./wan-block.ts";

export class TinyAutoencoder implements Autoencoder {
  readonly latentChannels: number;
  // A group sees one group back, so a still picture settles at the second latent.
  readonly settledAfter = 1;
  readonly seams?: SeamVectors;
  readonly #dim: number;
  readonly #grid: LatentGrid;
  readonly #encoder: Session;
  readonly #decoder: Session;

  private constructor(
    config: TinyAutoencoderConfig,
    file: WeightFile,
    grid: LatentGrid,
    encoder: Session,
    decoder: Session,
  ) {
    this.latentChannels = config.latentChannels;
    if (file.has("seams.edges")) this.seams = { edges: file.read("seams.edges"), ramps: file.read("seams.ramps") };
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
    return new TinyAutoencoder(config, file, grid, encoder, decoder);
  }

  openEncoder(): EncoderStream {
    let before: Float32Array | undefined;
    return {
      encode: async (pixels) => {
        const indices = groupedFrames(pixels.frames, !before);
        const frames = indices.length / TIME_FACTOR;
        if (frames === 0) throw new RangeError(`${pixels.frames} frames are too few to encode.`);
        const levels = levelsOf(pixels, indices, this.#grid, this.#inBytes ? "u8" : "f32");
        const { latents, after } = await this.#encoder.run({
          levels: { data: levels, dims: [frames * this.#positions, PATCH] },
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
        const { levels, after } = await this.#decoder.run({
          latents: { data: latents.data, dims: [latents.frames, this.latentChannels, ...this.#latentSize] },
          before: { data: before ?? new Float32Array(this.#featureCount), dims: [this.#positions, this.#dim] },
        });
        const pictures = picturesOf(levels!.data as Levels, latents.frames, this.#grid);
        // The first latent of a stream stands for one frame, the last of its group.
        const shown = before ? pictures : pictures.slice(TIME_FACTOR - 1);
        before = after!.data as Float32Array;
        return pixelsOf(shown);
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

  /** Whether the encoder takes bytes. */
  get #inBytes(): boolean {
    return this.#encoder.model.inputs.some(({ name, dtype }) => name === "levels" && dtype === "u8");
  }
}

/** Which of the next frames are encoded: of a first call the first one four times, so that it fills a group. */
function groupedFrames(count: number, first: boolean): number[] {
  const lead = first ? TIME_FACTOR - 1 : 0;
  const kept = lead + count - ((lead + count) % TIME_FACTOR);
  return Array.from({ length: kept }, (_, i) => Math.max(0, i - lead));
}
