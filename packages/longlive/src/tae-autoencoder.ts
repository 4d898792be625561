/**
 * TAE and LightTAE: small networks that write and read Wan2.1's latents, made
 * for previews (after Ollin Boer Bohan's TAEHV). Each block sees its own input
 * of one frame before. Every latent stands for 4 frames; of a video's first
 * latent the decoder shows only the last one.
 */
import { type Device, Graph, type Value, type WeightFile } from "@everframe/graph";
import { type Autoencoder, type DecoderStream, type EncoderStream, SPACE_FACTOR, TIME_FACTOR } from "./autoencoder.ts";
import type { TaeAutoencoderConfig } from "./autoencoder-config.ts";
import { TAE_BLOCKS, TAE_JOINED, TAE_SPLIT, type TaeWidths, taeTensors } from "./autoencoder-tensors.ts";
import { CacheLayout } from "./feature-caches.ts";
import { closeHalves, type HalvesOptions, type NetworkHalves, openHalves } from "./network-halves.ts";
import { inParts, NetworkStream } from "./network-stream.ts";
import { RGB_CHANNELS } from "./preprocess.ts";
import { checkTensors, type TensorShapes } from "./tensor-shapes.ts";
import type { LatentGrid } from "./wan-block.ts";

/** Values of the picture's size and the first level's width that are alive at once. */
const LIVE_WIDTHS = 5;

export class TaeAutoencoder implements Autoencoder {
  readonly latentChannels: number;
  // Three blocks at half the frame rate, six at a quarter, each one frame back: 1.5 and 6 latents.
  readonly settledAfter = 8;
  readonly conditionCaches = "own";
  readonly #network: NetworkHalves;

  private constructor(config: TaeAutoencoderConfig, network: NetworkHalves) {
    this.latentChannels = config.latentChannels;
    this.#network = network;
  }

  /** Latents that go through the network at once. */
  get latentsPerPass(): number {
    return this.#network.latentsPerPass;
  }

  /** Widths are the file's. @throws WeightFileError when its tensors do not fit. */
  static async create(
    config: TaeAutoencoderConfig,
    file: WeightFile,
    grid: LatentGrid,
    options: HalvesOptions = {},
  ): Promise<TaeAutoencoder> {
    const { device = "cpu" } = options;
    const widths = widthsOf(file);
    const shapes = withSurplusRows(file, taeTensors(config.latentChannels, widths));
    checkTensors(file, shapes, { what: "an autoencoder of this kind" });
    const network = {
      encoder: taeEncoder(config, file, grid, device),
      decoder: taeDecoder(config, file, grid, device),
      latentChannels: config.latentChannels,
      liveChannels: LIVE_WIDTHS * widths.encoder,
    };
    return new TaeAutoencoder(config, await openHalves(network, grid, options));
  }

  /** The last frame of a call is repeated until it fills a group of 4. */
  openEncoder(): EncoderStream {
    const stream = new NetworkStream(this.#network.encoder);
    return {
      encode: async ({ frames, data }, signal) => {
        const groups = Math.ceil(frames / TIME_FACTOR);
        if (groups === 0) throw new RangeError("There are no frames to encode.");
        const whole = new Float32Array((data.length / frames) * groups * TIME_FACTOR);
        whole.set(data);
        const last = data.subarray(data.length - data.length / frames);
        for (let at = data.length; at < whole.length; at += last.length) whole.set(last, at);
        return stream.run(whole, this.#passes(groups, TIME_FACTOR), { signal });
      },
      reset: () => stream.reset(),
    };
  }

  openDecoder(): DecoderStream {
    const stream = new NetworkStream(this.#network.decoder);
    return {
      decode: async (latents, { signal } = {}) => {
        const dropped = stream.begun ? 0 : TIME_FACTOR - 1;
        const { frames, data } = await stream.run(latents.data, this.#passes(latents.frames, 1), { signal });
        return { frames: frames - dropped, data: data.subarray((dropped * data.length) / frames) };
      },
      reset: () => stream.reset(),
    };
  }

  close(): Promise<void> {
    return closeHalves(this.#network);
  }

  #passes(latents: number, framesOfLatent: number): number[] {
    return inParts(latents, this.latentsPerPass).map((count) => count * framesOfLatent);
  }
}

function widthsOf(file: WeightFile): TaeWidths {
  const outputsOf = (name: string) => file.info(`${name}.weight`).shape[0] ?? 0;
  const [first, second, third, last] = ["decoder.1", "decoder.8", "decoder.14", "decoder.20"].map(outputsOf);
  return { encoder: outputsOf("encoder.0"), decoder: [first!, second!, third!, last!] };
}

/** A layer that splits frames may hold rows for more frames than are made. */
function withSurplusRows(file: WeightFile, shapes: TensorShapes): TensorShapes {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const rows = /^decoder\.\d+\.conv\.weight$/.test(name) && file.has(name) ? (file.info(name).shape[0] ?? 0) : 0;
      return [name, rows > shape[0]! ? [rows, ...shape.slice(1)] : shape];
    }),
  );
}

/** Layers of a half, numbered as in the checkpoint: activations and resizing count too. */
class TaeLayers {
  readonly graph: Graph;
  readonly caches: CacheLayout;
  readonly #file: WeightFile;
  readonly #half: "encoder" | "decoder";
  #index = 0;

  constructor(graph: Graph, file: WeightFile, half: "encoder" | "decoder") {
    this.graph = graph;
    this.caches = new CacheLayout(graph);
    this.#file = file;
    this.#half = half;
  }

  /** A layer without parameters. */
  skip(layers = 1): void {
    this.#index += layers;
  }

  /** 3x3 convolution. @param x [T, in, H, W] */
  conv(x: Value): Value {
    return this.#conv(x, `${this.#half}.${this.#index++}`);
  }

  /** 3x3 convolution without bias, as between two sizes. */
  step(x: Value, stride = 1): Value {
    const weight = this.graph.weight(this.#file, `${this.#half}.${this.#index++}.weight`);
    return this.graph.conv2d(x, weight, undefined, { stride, pads: 1 });
  }

  /** A residual block that also sees its input one frame before. @param x [T, C, H, W] */
  memory(x: Value): Value {
    const { graph: g } = this;
    const name = `${this.#half}.${this.#index++}.conv`;
    const before = g.slice(this.caches.before(x, 1), 0, 0, -1); // [T, C, H, W], each frame's predecessor
    let y = this.#conv(g.concat([x, before], 1), `${name}.0`);
    for (const layer of [2, 4]) y = this.#conv(g.relu(y), `${name}.${layer}`);
    return g.relu(g.add(y, x));
  }

  /** Each so many frames to one. @param x [n * frames, C, H, W] @returns [frames, C, H, W] */
  join(x: Value, n: number, frames: string): Value {
    const { graph: g } = this;
    const [, channels, ...size] = x.shape as [string, number, number, number];
    const weight = this.#pointwise();
    return g.conv2d(g.reshape(x, [frames, n * channels, ...size]), weight);
  }

  /** Each frame to so many, whose channels follow one another. @returns [n * frames, C, H, W] */
  split(x: Value, n: number, frames: string): Value {
    const { graph: g } = this;
    const [, channels, ...size] = x.shape as [string, number, number, number];
    let weight = this.#pointwise();
    // Checkpoints may hold rows for more frames than are made: the last ones count.
    const rows = Number(weight.shape[0]);
    if (rows > n * channels) weight = g.slice(weight, 0, rows - n * channels);
    return g.reshape(g.conv2d(x, weight), [frames, channels, ...size]);
  }

  #pointwise(): Value {
    const name = `${this.#half}.${this.#index++}.conv.weight`;
    const [out, inner] = this.#file.info(name).shape as [number, number];
    return this.graph.weight(this.#file, name, { reshape: [out, inner, 1, 1] });
  }

  #conv(x: Value, name: string): Value {
    const { graph: g } = this;
    return g.conv2d(x, g.weight(this.#file, `${name}.weight`), g.weight(this.#file, `${name}.bias`), { pads: 1 });
  }
}

/** Frames at a rate, as sizes of a graph: `times` for each latent. */
function framesAt(times: number): string {
  return times === 1 ? "latents" : `${times}*latents`;
}

/** In: `pixels` [4 latents, 3, H, W] in [-1, 1] and the caches. Out: `latents` [latents, z, h, w] and the caches. */
function taeEncoder(config: TaeAutoencoderConfig, file: WeightFile, grid: LatentGrid, device: Device) {
  const g = new Graph("encoder", { device });
  const layers = new TaeLayers(g, file, "encoder");
  const { height, width } = grid;
  const pixels = g.input("pixels", [framesAt(TIME_FACTOR), RGB_CHANNELS, height * SPACE_FACTOR, width * SPACE_FACTOR]);
  const unit = g.mul(g.add(pixels, g.constant([1], [])), g.constant([0.5], []));
  let x = g.relu(layers.conv(unit));
  layers.skip();
  let rate = TIME_FACTOR;
  for (const joined of TAE_JOINED) {
    rate /= joined;
    x = layers.step(layers.join(x, joined, framesAt(rate)), 2);
    for (let i = 0; i < TAE_BLOCKS; i++) x = layers.memory(x);
  }
  const { latentChannels: z, mean, std } = config;
  const centred = g.sub(layers.conv(x), g.constant(mean, [z, 1, 1]));
  g.output("latents", g.div(centred, g.constant(std, [z, 1, 1])));
  layers.caches.declareOutputs();
  return { model: g.build(), caches: layers.caches };
}

/** In: `latents` [latents, z, h, w] and the caches. Out: `pixels` [4 latents, 3, H, W] in [-1, 1] and the caches. */
function taeDecoder(config: TaeAutoencoderConfig, file: WeightFile, grid: LatentGrid, device: Device) {
  const g = new Graph("decoder", { device });
  const layers = new TaeLayers(g, file, "decoder");
  const { latentChannels: z, mean, std } = config;
  const latents = g.input("latents", [framesAt(1), z, grid.height, grid.width]);
  const mu = g.add(g.mul(latents, g.constant(std, [z, 1, 1])), g.constant(mean, [z, 1, 1]));
  const three = g.constant([3], []);
  layers.skip();
  let x = g.relu(layers.conv(g.mul(g.tanh(g.div(mu, three)), three)));
  layers.skip();
  let rate = 1;
  for (const split of TAE_SPLIT) {
    for (let i = 0; i < TAE_BLOCKS; i++) x = layers.memory(x);
    layers.skip();
    rate *= split;
    x = layers.step(layers.split(g.resizeNearest2x(x), split, framesAt(rate)));
  }
  layers.skip();
  const unit = g.clip(layers.conv(g.relu(x)), 0, 1);
  g.output("pixels", g.clip(g.sub(g.mul(unit, g.constant([2], [])), g.constant([1], [])), -1, 1));
  layers.caches.declareOutputs();
  return { model: g.build(), caches: layers.caches };
}
