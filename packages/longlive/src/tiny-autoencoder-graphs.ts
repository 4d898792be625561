/**
 * Graphs of the autoencoder of longlive-tiny. Both are made of rows, one for
 * each latent position of a group of 4 frames; only the convolutions between
 * neighbours need planes. Pixels come and go as levels, bytes where that is
 * possible: products with them are by far the largest.
 */
import { type Device, Graph, type Model, type Value, type WeightFile } from "@everframe/graph";
import type { TinyAutoencoderConfig } from "./autoencoder-config.ts";
import { HALF_RANGE, PATCH } from "./tiny-autoencoder-levels.ts";
import type { LatentGrid } from "./wan-block.ts";

const EPS = 1e-6;

type Half = {
  readonly g: Graph;
  readonly file: WeightFile;
  readonly prefix: "encoder" | "decoder";
  readonly grid: LatentGrid;
  readonly config: TinyAutoencoderConfig;
};

/**
 * In: `levels` [groups h w, PATCH] (u8 in 8 bits on a CPU, else f32), `before` [h w, dim]. Out: `latents`
 * [groups, z, h, w], `after` [h w, dim].
 */
export function tinyEncoderGraph(
  config: TinyAutoencoderConfig,
  file: WeightFile,
  grid: LatentGrid,
  device: Device,
): Model {
  const g = new Graph("encoder", { device });
  const half: Half = { g, file, prefix: "encoder", grid, config };
  const { latentChannels: z, dim } = config;
  const levels = levelInput(half, "levels");
  const both = linearOfLevels(half, levels, ["in", "skip"]); // [groups h w, dim + z]
  const features = featuresOf(half, g.slice(both, 1, 0, dim), config.encoderBlocks);
  const mu = g.add(g.slice(both, 1, dim), linear(half, norm(half, features, "norm"), "out")); // [groups h w, z]
  const inverse = config.std.map((std) => 1 / std);
  const scaled = g.mul(g.sub(mu, g.constant(config.mean, [z])), g.constant(inverse, [z]));
  g.output("latents", toPlanes(half, scaled, z));
  return g.build();
}

/** Whether the decoder can take a glance at the input video. */
export function canGlance(file: WeightFile): boolean {
  return file.has("decoder.seen.tone.weight");
}

/**
 * In: `latents` [groups, z, h, w], `before` [h w, dim]; if it `glances` at the input video also `glance`
 * [groups h w, PATCH], its levels, and `glance_scale` [1], how much of it acts. Out: `levels` [groups h w, PATCH],
 * 0 to 255 (u8; on a GPU f32), and `after` [h w, dim].
 */
export function tinyDecoderGraph(
  config: TinyAutoencoderConfig,
  file: WeightFile,
  grid: LatentGrid,
  device: Device,
  glances: boolean,
): Model {
  const g = new Graph("decoder", { device });
  const half: Half = { g, file, prefix: "decoder", grid, config };
  const { height: h, width: w } = grid;
  const { latentChannels: z } = config;
  const latents = g.input("latents", ["groups", z, h, w]);
  const mu = g.add(g.mul(toRows(half, latents, z), g.constant(config.std, [z])), g.constant(config.mean, [z]));
  const glance = glances ? glancedAt(half) : undefined;
  const features = norm(half, featuresOf(half, linear(half, mu, "in"), config.decoderBlocks, glance?.tone), "norm");
  const [weight, bias] = [g.weight(file, "decoder.out.weight"), g.weight(file, "decoder.out.bias")];
  const bothBiases = g.add(bias, g.weight(file, "decoder.skip.bias"));
  let refined = g.linear(features, weight, bothBiases, quantized(config));
  if (glance) {
    const fitting = g.mul(linear(half, features, "seen.gate"), glance.detail);
    refined = g.add(
      refined,
      g.linear(fitting, g.weight(file, "decoder.seen.show.weight"), undefined, quantized(config)),
    );
  }
  // The linear part carries the picture itself: 8 bits would be seen in it.
  const skip = g.transpose(g.weight(file, "decoder.skip.weight"), [1, 0]);
  const v = g.matmulAdd(mu, skip, refined); // [groups h w, PATCH]
  g.output("levels", levels(g, v));
  return g.build();
}

/** -1..1 as whole levels of 255, cut off as in `toFrames`. */
function levels(g: Graph, x: Value): Value {
  const zero = Math.floor(HALF_RANGE);
  if (g.device === "cpu") return g.quantize(x, 1 / HALF_RANGE, zero);
  return g.clip(g.add(g.round(g.mul(x, g.constant([HALF_RANGE], []))), g.constant([zero], [])), 0, 255);
}

/**
 * The network between its first and its last projection.
 * @param own, seen [groups h w, dim] of its own input, and of what it may glance at
 * @returns the same shape
 */
function featuresOf(half: Half, own: Value, blocks: number, seen?: Value): Value {
  const { g, file, prefix, grid, config } = half;
  const { dim } = config;
  const positions = grid.height * grid.width;
  const before = g.input("before", [positions, dim]);
  g.output("after", g.slice(own, 0, -positions));
  const shifted = g.slice(g.concat([before, own], 0), 0, 0, -positions); // each group's row holds the group before
  let y = g.add(own, g.linear(shifted, g.weight(file, `${prefix}.prev.weight`), undefined, quantized(config)));
  if (file.has(`${prefix}.place`)) y = placed(half, y);
  if (seen) y = g.add(y, seen);
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

/** Tells each row which of its token's four latents it is, so that a token's edge is told from one of the picture. */
function placed({ g, file, prefix, grid, config }: Half, rows: Value): Value {
  const [{ dim }, { height, width }] = [config, grid];
  const place = file.read(`${prefix}.place`); // [2, 2, dim]
  const all = new Float32Array(height * width * dim);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = (2 * (row % 2) + (column % 2)) * dim;
      all.set(place.subarray(from, from + dim), (row * width + column) * dim);
    }
  }
  const grouped = g.reshape(rows, ["groups", height * width, dim]);
  return g.reshape(g.add(grouped, g.constant(all, [height * width, dim])), rows.shape);
}

/** Of the input video: its tone, for the features, and detail, of which the features let through what fits. */
function glancedAt(half: Half): { readonly tone: Value; readonly detail: Value } {
  const { g, config } = half;
  const both = linearOfLevels(half, levelInput(half, "glance"), ["seen.tone", "seen.detail"]);
  const scaled = g.mul(both, g.input("glance_scale", [1]));
  return { tone: g.slice(scaled, 1, 0, config.dim), detail: g.slice(scaled, 1, config.dim) };
}

/** Pixels, [groups h w, PATCH]. */
function levelInput({ g, config, grid }: Half, name: string): Value {
  const dtype = g.device === "cpu" && config.linears === "int8" ? "u8" : "f32";
  return g.input(name, [`${grid.height * grid.width}*groups`, PATCH], dtype);
}

function linear({ g, file, prefix, config }: Half, x: Value, name: string): Value {
  const [weight, bias] = ["weight", "bias"].map((part) => g.weight(file, `${prefix}.${name}.${part}`));
  return g.linear(x, weight!, bias, quantized(config));
}

/** Several layers over pixels as one product, taken from their levels. @returns their results side by side */
function linearOfLevels({ g, file, prefix, config }: Half, levels: Value, names: readonly string[]): Value {
  const weights = names.map((name) => file.read(`${prefix}.${name}.weight`));
  const biases = names.map((name, i) =>
    file.has(`${prefix}.${name}.bias`)
      ? file.read(`${prefix}.${name}.bias`)
      : new Float32Array(weights[i]!.length / PATCH),
  );
  const [weight, bias] = [weights, biases].map((parts) => Float32Array.from(parts.flatMap((part) => [...part]))) as [
    Float32Array,
    Float32Array,
  ];
  const out = bias.length;
  // The layers were made for level / HALF_RANGE - 1. With mid grey as zero, rounded weights tint no even picture.
  const zeroPoint = levels.dtype === "u8" ? Math.ceil(HALF_RANGE) : 0;
  for (const [o, value] of bias.entries()) {
    const sum = weight.subarray(o * PATCH, (o + 1) * PATCH).reduce((total, w) => total + w, 0);
    bias[o] = value + sum * (zeroPoint / HALF_RANGE - 1);
  }
  const scaled = g.constant(
    weight.map((w) => w / HALF_RANGE),
    [out, PATCH],
  );
  return g.linear(levels, scaled, g.constant(bias, [out]), { ...quantized(config), zeroPoint });
}

function quantized({ linears }: TinyAutoencoderConfig): { quantize?: "int8" } {
  return linears === "int8" ? { quantize: "int8" } : {};
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
