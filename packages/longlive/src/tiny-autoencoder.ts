/**
 * The autoencoder of longlive-tiny: a linear map of 4 frames of 8x8 pixels to
 * one latent (its principal components), refined by a small ConvNeXt-like
 * network (arXiv:2201.03545) that also sees the features of the group before.
 * All groups of a call run at once, since a group needs only the linear part
 * of the one before.
 */
import { type Device, Graph, type Model, type Session, type Value, type WeightFile } from "@everframe/graph";
import { type Autoencoder, type DecoderStream, type EncoderStream, SPACE_FACTOR, TIME_FACTOR } from "./autoencoder.ts";
import type { TinyAutoencoderConfig } from "./autoencoder-config.ts";
import { type EngineOptions, openSession } from "./engine.ts";
import type { Pixels } from "./preprocess.ts";
import type { LatentGrid } from "./wan-block.ts";

const RGB = 3;
const EPS = 1e-6;

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
    const encoder = await openSession(encoderGraph(config, file, grid, device), options);
    const decoder = await openSession(decoderGraph(config, file, grid, device), options);
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

/** Pixels of a latent position: 4 frames of 8x8 RGB. */
const PATCH = TIME_FACTOR * RGB * SPACE_FACTOR * SPACE_FACTOR;

type Half = {
  readonly g: Graph;
  readonly file: WeightFile;
  readonly prefix: "encoder" | "decoder";
  readonly grid: LatentGrid;
};

/** In: `pixels` [4 groups, 3, H, W], `before` [h w, dim]. Out: `latents` [groups, z, h, w], `after` [h w, dim]. */
function encoderGraph(config: TinyAutoencoderConfig, file: WeightFile, grid: LatentGrid, device: Device): Model {
  const g = new Graph("encoder", { device });
  const half: Half = { g, file, prefix: "encoder", grid };
  const { height: h, width: w } = grid;
  const { latentChannels: z } = config;
  const pixels = g.input("pixels", [`${TIME_FACTOR}*groups`, RGB, h * SPACE_FACTOR, w * SPACE_FACTOR]);
  const split = g.reshape(pixels, ["groups", TIME_FACTOR * RGB, h, SPACE_FACTOR, w, SPACE_FACTOR]);
  const patches = g.transpose(split, [0, 2, 4, 1, 3, 5]); // [groups, h, w, 4 frames x RGB, 8, 8]
  const u = g.reshape(patches, [`${h * w}*groups`, PATCH]);
  const features = featuresOf(half, u, config.dim, config.encoderBlocks);
  const mu = g.add(linear(half, u, "skip"), linear(half, norm(half, features, "norm"), "out")); // [groups h w, z]
  const inverse = config.std.map((std) => 1 / std);
  const scaled = g.mul(g.sub(mu, g.constant(config.mean, [z])), g.constant(inverse, [z]));
  g.output("latents", toPlanes(half, scaled, z));
  return g.build();
}

/** In: `latents` [groups, z, h, w], `before` [h w, dim]. Out: `pixels` [groups, 12, h, 8, w, 8], `after` [h w, dim]. */
function decoderGraph(config: TinyAutoencoderConfig, file: WeightFile, grid: LatentGrid, device: Device): Model {
  const g = new Graph("decoder", { device });
  const half: Half = { g, file, prefix: "decoder", grid };
  const { height: h, width: w } = grid;
  const { latentChannels: z } = config;
  const latents = g.input("latents", ["groups", z, h, w]);
  const rows = g.reshape(g.transpose(latents, [0, 2, 3, 1]), [`${h * w}*groups`, z]);
  const mu = g.add(g.mul(rows, g.constant(config.std, [z])), g.constant(config.mean, [z]));
  const features = featuresOf(half, mu, config.dim, config.decoderBlocks);
  const v = bothLinear(half, [mu, "skip"], [norm(half, features, "norm"), "out"]); // [groups h w, PATCH]
  const split = g.reshape(g.clip(v, -1, 1), ["groups", h, w, TIME_FACTOR * RGB, SPACE_FACTOR, SPACE_FACTOR]);
  const pictures = g.transpose(split, [0, 3, 1, 4, 2, 5]); // [groups, 4 frames x RGB, h, 8, w, 8]
  // Elements are in the order of [4 groups, 3, H, W]; a reshape at the end would copy all of them.
  g.output("pixels", pictures);
  return g.build();
}

/** The network without its last projection. @param x [groups h w, in] @returns [groups h w, dim] */
function featuresOf(half: Half, x: Value, dim: number, blocks: number): Value {
  const { g, file, prefix, grid } = half;
  const positions = grid.height * grid.width;
  const before = g.input("before", [positions, dim]);
  const own = linear(half, x, "in");
  g.output("after", g.slice(own, 0, -positions));
  const shifted = g.slice(g.concat([before, own], 0), 0, 0, -positions); // each group's row holds the group before
  let y = g.add(own, g.linear(shifted, g.weight(file, `${prefix}.prev.weight`)));
  for (let i = 0; i < blocks; i++) {
    const block = `blocks.${i}`;
    const weight = g.weight(file, `${prefix}.${block}.dw.weight`);
    const bias = g.weight(file, `${prefix}.${block}.dw.bias`);
    const mixed = toRows(half, g.conv2d(toPlanes(half, y, dim), weight, bias, { pads: 1, groups: dim }), dim);
    const hidden = g.gelu(linear(half, norm(half, mixed, `${block}.norm`), `${block}.fc1`), "erf");
    y = g.add(y, linear(half, hidden, `${block}.fc2`));
  }
  return y;
}

function linear({ g, file, prefix }: Half, x: Value, name: string): Value {
  return g.linear(x, g.weight(file, `${prefix}.${name}.weight`), g.weight(file, `${prefix}.${name}.bias`));
}

/** Sum of two linear layers as one product: large results are written once. */
function bothLinear({ g, file, prefix }: Half, ...layers: (readonly [Value, string])[]): Value {
  const [x, names] = [layers.map(([value]) => value), layers.map(([, name]) => `${prefix}.${name}`)];
  const [first, second] = names.map((name) => g.weight(file, `${name}.bias`));
  const weight = g.concat(
    names.map((name) => g.weight(file, `${name}.weight`)),
    1,
  );
  return g.linear(g.concat(x, 1), weight, g.add(first!, second!));
}

function norm({ g, file, prefix }: Half, x: Value, name: string): Value {
  const [scale, bias] = [g.weight(file, `${prefix}.${name}.weight`), g.weight(file, `${prefix}.${name}.bias`)];
  return g.layerNorm(x, { scale, bias, eps: EPS });
}

/** [groups h w, channels] -> [groups, channels, h, w] */
function toPlanes({ g, grid }: Half, x: Value, channels: number): Value {
  return g.transpose(g.reshape(x, ["groups", grid.height, grid.width, channels]), [0, 3, 1, 2]);
}

/** [groups, channels, h, w] -> [groups h w, channels] */
function toRows({ g, grid }: Half, x: Value, channels: number): Value {
  return g.reshape(g.transpose(x, [0, 2, 3, 1]), [`${grid.height * grid.width}*groups`, channels]);
}
