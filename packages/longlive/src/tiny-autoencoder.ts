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
import { type Frame, opaqueWord, type Pixels, pixelsOf } from "./preprocess.ts";
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
        const { levels, after } = await this.#decoder.run({
          latents: { data: latents.data, dims: [latents.frames, this.latentChannels, ...this.#latentSize] },
          before: { data: before ?? new Float32Array(this.#featureCount), dims: [this.#positions, this.#dim] },
        });
        const pictures = picturesOf(levels!.data as Uint8Array | Float32Array, latents.frames, this.#grid);
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

/** @param levels [groups, height, width, 4 frames, RGB, 8, 8], 0 to 255 */
function picturesOf(levels: Uint8Array | Float32Array, groups: number, { height, width }: LatentGrid): Frame[] {
  const size = { width: width * SPACE_FACTOR, height: height * SPACE_FACTOR };
  const channel = SPACE_FACTOR * SPACE_FACTOR;
  const pictures = Array.from({ length: groups * TIME_FACTOR }, () => new Uint32Array(size.width * size.height));
  let from = 0;
  for (let group = 0; group < groups; group++) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        for (let f = 0; f < TIME_FACTOR; f++, from += RGB * channel) {
          copyPatch(
            levels,
            from,
            pictures[group * TIME_FACTOR + f]!,
            SPACE_FACTOR * (row * size.width + column),
            size.width,
          );
        }
      }
    }
  }
  return pictures.map((words) => ({ ...size, data: new Uint8Array(words.buffer) }));
}

/** Copies the 8x8 pixels at `from` to the place `to` of a picture. */
function copyPatch(
  levels: Uint8Array | Float32Array,
  from: number,
  words: Uint32Array,
  to: number,
  width: number,
): void {
  const channel = SPACE_FACTOR * SPACE_FACTOR;
  for (let y = 0; y < SPACE_FACTOR; y++) {
    for (let x = 0; x < SPACE_FACTOR; x++) {
      const at = from + y * SPACE_FACTOR + x;
      words[to + y * width + x] = opaqueWord(levels[at]!, levels[at + channel]!, levels[at + 2 * channel]!);
    }
  }
}
