/**
 * Encoder and decoder of Wan2.1's video autoencoder (arXiv:2503.20314), with
 * the parameter names of its checkpoint. The pruned LightVAE is the same
 * network with fewer channels. One graph each for all calls of a stream.
 */
import { type Device, Graph, type Model, type Value, type WeightFile } from "@everframe/graph";
import { SPACE_FACTOR } from "./autoencoder.ts";
import type { WanAutoencoderConfig } from "./autoencoder-config.ts";
import { levelWidths } from "./autoencoder-tensors.ts";
import type { CacheLayout } from "./feature-caches.ts";
import { RGB_CHANNELS } from "./preprocess.ts";
import { WanLayers } from "./wan-autoencoder-layers.ts";
import type { LatentGrid } from "./wan-block.ts";

export type WanGraph = { readonly model: Model; readonly caches: CacheLayout };

/**
 * In: `pixels` [first + 4 groups, 3, H, W], `first` and `later` [1], and the caches. Out: `latents` [first + groups, z, h, w],
 * and the caches.
 */
export function wanEncoderGraph(
  config: WanAutoencoderConfig,
  file: WeightFile,
  grid: LatentGrid,
  device: Device,
): WanGraph {
  const g = new Graph("encoder", { device });
  const layers = new WanLayers(g, file);
  const pixels = g.input("pixels", [
    "first+4*groups",
    RGB_CHANNELS,
    grid.height * SPACE_FACTOR,
    grid.width * SPACE_FACTOR,
  ]);
  let x = layers.causalConv(pixels, "encoder.conv1");
  let index = 0;
  for (const [level, width] of levelWidths(config).entries()) {
    for (let i = 0; i < config.resBlocks; i++) x = layers.residual(x, `encoder.downsamples.${index++}`, width);
    const halvesTime = config.temporalDownsample[level];
    if (halvesTime === undefined) continue;
    const name = `encoder.downsamples.${index++}`;
    x = layers.halveSpace(x, name);
    if (halvesTime) x = layers.halveTime(x, name);
  }
  x = middle(layers, x, "encoder");
  x = layers.causalConv(g.silu(layers.norm(x, "encoder.head.0")), "encoder.head.2");
  const { latentChannels: z, mean, std } = config;
  // The other half of the channels is the spread, which nobody draws from.
  const mu = layers.pointwise(x, "conv1", z); // [first + groups, z, h, w]
  const inverse = std.map((value) => Math.fround(1 / value));
  g.output("latents", g.mul(g.sub(mu, g.constant(mean, [z, 1, 1])), g.constant(inverse, [z, 1, 1])));
  layers.caches.declareOutputs();
  return { model: g.build(), caches: layers.caches };
}

/**
 * In: `latents` [first + groups, z, h, w], `first` and `later` [1], and the caches. Out: `pixels` [first + 4 groups, 3 H W] in
 * [-1, 1], and the caches.
 */
export function wanDecoderGraph(
  config: WanAutoencoderConfig,
  file: WeightFile,
  grid: LatentGrid,
  device: Device,
): WanGraph {
  const g = new Graph("decoder", { device });
  const layers = new WanLayers(g, file);
  const { latentChannels: z, mean, std } = config;
  const latents = g.input("latents", ["first+groups", z, grid.height, grid.width]);
  const inverse = std.map((value) => Math.fround(1 / value));
  const mu = g.add(g.div(latents, g.constant(inverse, [z, 1, 1])), g.constant(mean, [z, 1, 1]));
  let x = layers.causalConv(layers.pointwise(mu, "conv2"), "decoder.conv1");
  x = middle(layers, x, "decoder");
  let index = 0;
  const doublesTime = [...config.temporalDownsample].reverse();
  for (const [level, width] of levelWidths(config).reverse().entries()) {
    for (let i = 0; i <= config.resBlocks; i++) x = layers.residual(x, `decoder.upsamples.${index++}`, width);
    const doubles = doublesTime[level];
    if (doubles === undefined) continue;
    const name = `decoder.upsamples.${index++}`;
    if (doubles) x = layers.doubleTime(x, name);
    x = layers.doubleSpace(x, name);
  }
  x = layers.causalConv(g.silu(layers.norm(x, "decoder.head.0")), "decoder.head.2");
  const pixels = g.clip(x, -1, 1);
  // One row a frame: an operator that is not merged into the convolution stays before the caches' outputs.
  g.output(
    "pixels",
    g.reshape(pixels, [pixels.shape[0]!, RGB_CHANNELS * grid.height * grid.width * SPACE_FACTOR ** 2]),
  );
  layers.caches.declareOutputs();
  return { model: g.build(), caches: layers.caches };
}

function middle(layers: WanLayers, x: Value, half: "encoder" | "decoder"): Value {
  const width = Number(x.shape[1]);
  const mixed = layers.attention(layers.residual(x, `${half}.middle.0`, width), `${half}.middle.1`);
  return layers.residual(mixed, `${half}.middle.2`, width);
}
