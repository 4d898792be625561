/**
 * The autoencoder of longlive-tiny: a linear map of 4 frames of 8x8 pixels to
 * one latent (its principal components), refined by a small ConvNeXt-like
 * network (arXiv:2201.03545) that also sees the features of the group before
 * and, while decoding, the input video where that is a condition.
 * All groups of a call run at once, since a group needs only the linear part
 * of the one before.
 */
import type { Model, Session, TensorLike, WeightFile } from "@everframe/graph";
import { AlternatingMemory } from "./alternating-memory.ts";
import { type Autoencoder, type DecoderStream, type EncoderStream, type Glance, TIME_FACTOR } from "./autoencoder.ts";
import type { TinyAutoencoderConfig } from "./autoencoder-config.ts";
import { type EngineOptions, openSession, openTogether } from "./engine.ts";
import { pixelsOf } from "./preprocess.ts";
import { canGlance, tinyDecoderGraph, tinyEncoderGraph } from "./tiny-autoencoder-graphs.ts";
import {
  LevelMemory,
  type Levels,
  type LevelType,
  levelArray,
  levelsOf,
  PATCH,
  picturesOf,
} from "./tiny-autoencoder-levels.ts";
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
  /** The decoder that takes a glance at the input video, if the weights can. */
  readonly #glancer: Session | undefined;
  #levels: Levels = new Uint8Array(0);

  private constructor(
    config: TinyAutoencoderConfig,
    file: WeightFile,
    grid: LatentGrid,
    encoder: Session,
    decoder: Session,
    glancer: Session | undefined,
  ) {
    this.latentChannels = config.latentChannels;
    if (file.has("seams.edges")) this.seams = { edges: file.read("seams.edges"), ramps: file.read("seams.ramps") };
    this.#dim = config.dim;
    this.#grid = grid;
    this.#encoder = encoder;
    this.#decoder = decoder;
    this.#glancer = glancer;
  }

  static async create(
    config: TinyAutoencoderConfig,
    file: WeightFile,
    grid: LatentGrid,
    options: EngineOptions = {},
  ): Promise<TinyAutoencoder> {
    const { device = "cpu" } = options;
    return openTogether(async (noted) => {
      const encoder = await noted(openSession(tinyEncoderGraph(config, file, grid, device), options));
      const decoderOf = (glances: boolean) =>
        noted(openSession(tinyDecoderGraph(config, file, grid, device, glances), options));
      const decoder = await decoderOf(false);
      const glancer = canGlance(file) ? await decoderOf(true) : undefined;
      return new TinyAutoencoder(config, file, grid, encoder, decoder, glancer);
    });
  }

  openEncoder(): EncoderStream {
    const memory = new AlternatingMemory();
    const dtype = dtypeOf(this.#encoder.model.inputs, "levels");
    let read = new LevelMemory();
    let before: Float32Array | undefined;
    return {
      encode: async (pixels) => {
        const indices = groupedFrames(pixels.frames, !before);
        const frames = indices.length / TIME_FACTOR;
        if (frames === 0) throw new RangeError(`${pixels.frames} frames are too few to encode.`);
        const levels = levelsOf(pixels, indices, this.#grid, dtype, read);
        const { latents, after } = await this.#encoder.run(
          { levels: { data: levels, dims: [frames * this.#positions, PATCH] }, before: this.#features(before) },
          { after: this.#features(memory.take(this.#positions * this.#dim, before)) },
        );
        before = after!.data as Float32Array;
        return { frames, data: latents!.data as Float32Array };
      },
      reset() {
        before = undefined;
        read = new LevelMemory();
      },
    };
  }

  openDecoder(): DecoderStream {
    const { height, width } = this.#grid;
    const memory = new AlternatingMemory();
    let before: Float32Array | undefined;
    return {
      decode: async (latents, { glance } = {}) => {
        const glancer = glance && this.#glancer;
        const { levels, after } = await (glancer ?? this.#decoder).run(
          {
            latents: { data: latents.data, dims: [latents.frames, this.latentChannels, height, width] },
            before: this.#features(before),
            ...(glancer ? this.#glance(glance, latents.frames, !before) : {}),
          },
          {
            after: this.#features(memory.take(this.#positions * this.#dim, before)),
            levels: { data: this.#decoded(latents.frames), dims: [latents.frames * this.#positions, PATCH] },
          },
        );
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
    await this.#glancer?.close();
  }

  #glance({ pixels, scale }: Glance, groups: number, first: boolean): Record<string, TensorLike> {
    const indices = groupedFrames(pixels.frames, first).slice(0, groups * TIME_FACTOR);
    if (indices.length < groups * TIME_FACTOR) {
      throw new RangeError(`${pixels.frames} frames are too few beside ${groups} latents.`);
    }
    const levels = levelsOf(pixels, indices, this.#grid, dtypeOf(this.#encoder.model.inputs, "levels"));
    return {
      glance: { data: levels, dims: [groups * this.#positions, PATCH] },
      glance_scale: { data: Float32Array.of(Math.min(1, scale)), dims: [1] },
    };
  }

  /** Where pictures are decoded to, and read at once. [groups * positions * PATCH] */
  #decoded(groups: number): Levels {
    const length = groups * this.#positions * PATCH;
    if (this.#levels.length < length) {
      this.#levels = levelArray(dtypeOf(this.#decoder.model.outputs, "levels"), length);
    }
    return this.#levels.subarray(0, length);
  }

  get #positions(): number {
    return this.#grid.height * this.#grid.width;
  }

  /** Features of the group before; zeros stand for none. [positions, dim] */
  #features(before: Float32Array | undefined): TensorLike {
    const dims = [this.#positions, this.#dim];
    return { data: before ?? new Float32Array(this.#positions * this.#dim), dims };
  }
}

/** Of a graph's port for pixels. */
function dtypeOf(ports: Model["inputs"], name: string): LevelType {
  return ports.find((port) => port.name === name)?.dtype === "u8" ? "u8" : "f32";
}

/** Which of the next frames are encoded: of a first call the first one four times, so that it fills a group. */
function groupedFrames(count: number, first: boolean): number[] {
  const lead = first ? TIME_FACTOR - 1 : 0;
  const kept = lead + count - ((lead + count) % TIME_FACTOR);
  return Array.from({ length: kept }, (_, i) => Math.max(0, i - lead));
}
