/**
 * Wan2.1's video autoencoder (arXiv:2503.20314), and LightVAE, the same with
 * fewer channels. A chunk goes through in one pass where memory allows it.
 */
import type { WeightFile } from "@everframe/graph";
import { type Autoencoder, type DecoderStream, type EncoderStream, TIME_FACTOR } from "./autoencoder.ts";
import type { WanAutoencoderConfig } from "./autoencoder-config.ts";
import { levelWidths, wanTensors } from "./autoencoder-tensors.ts";
import { closeHalves, type HalvesOptions, type NetworkHalves, openHalves } from "./network-halves.ts";
import { checkTensors } from "./tensor-shapes.ts";
import { wanDecoderGraph, wanEncoderGraph } from "./wan-autoencoder-graphs.ts";
import type { LatentGrid } from "./wan-block.ts";
import { WanStream } from "./wan-stream.ts";

/** Values of the picture's size and the first level's width that are alive at once. */
const LIVE_WIDTHS = 7;

export class WanAutoencoder implements Autoencoder {
  readonly latentChannels: number;
  readonly settledAfter: number;
  readonly #network: NetworkHalves;

  private constructor(config: WanAutoencoderConfig, network: NetworkHalves) {
    this.latentChannels = config.latentChannels;
    this.settledAfter = framesLookedBack(config) / TIME_FACTOR;
    this.#network = network;
  }

  /** Latents that go through the network at once. */
  get latentsPerPass(): number {
    return this.#network.latentsPerPass;
  }

  /** @throws WeightFileError when the file's tensors are not those of the description. */
  static async create(
    config: WanAutoencoderConfig,
    file: WeightFile,
    grid: LatentGrid,
    options: HalvesOptions = {},
  ): Promise<WanAutoencoder> {
    checkTensors(file, wanTensors(config), { what: "an autoencoder of this kind" });
    const { device = "cpu" } = options;
    const network = {
      encoder: wanEncoderGraph(config, file, grid, device),
      decoder: wanDecoderGraph(config, file, grid, device),
      latentChannels: config.latentChannels,
      liveChannels: LIVE_WIDTHS * levelWidths(config)[0]!,
    };
    return new WanAutoencoder(config, await openHalves(network, grid, options));
  }

  /**
   * A first call hands also the frames after its last whole group to the layers, as the original does: they give no
   * latent, but act on later ones.
   */
  openEncoder(): EncoderStream {
    const stream = new WanStream(this.#network.encoder, TIME_FACTOR, this.latentsPerPass);
    return { encode: (pixels, signal) => stream.run(pixels, signal), reset: () => stream.reset() };
  }

  openDecoder(): DecoderStream {
    const stream = new WanStream(this.#network.decoder, 1, this.latentsPerPass);
    return { decode: (latents, options) => stream.run(latents, options?.signal), reset: () => stream.reset() };
  }

  close(): Promise<void> {
    return closeHalves(this.#network);
  }
}

/** Pixel frames before a latent's last one that it depends on. */
function framesLookedBack({ resBlocks, temporalDownsample }: WanAutoencoderConfig): number {
  // Each layer with a kernel of 3 in time looks 2 frames back, at the frame rate of its level.
  let rate = 1;
  let frames = 2;
  for (const halvesTime of [...temporalDownsample, undefined]) {
    frames += 2 * 2 * resBlocks * rate;
    if (!halvesTime) continue;
    frames += 2 * rate;
    rate *= 2;
  }
  return frames + 2 * 5 * rate;
}
