/**
 * What an autoencoder is: kind, sizes, statistics of its latents, weight
 * file. `wan` is Wan2.1's own; `lightvae` has a quarter of its channels;
 * `tae` and `lighttae` are small networks that were trained to read and write
 * the same latents; `tiny` is longlive-tiny's.
 */
import type { LoadParams } from "@everframe/protocol";
import type { Fields } from "./config-fields.ts";

/** Autoencoders between which a user can choose for one transformer. */
export type VaeType = LoadParams["vaeType"];

/** Per latent channel: what encoded latents are centred and scaled by. */
type LatentStatistics = { readonly mean: readonly number[]; readonly std: readonly number[] };

export type TinyAutoencoderConfig = LatentStatistics & {
  readonly type: "tiny";
  readonly latentChannels: number;
  readonly dim: number;
  readonly encoderBlocks: number;
  readonly decoderBlocks: number;
  readonly mlpRatio: number;
  /** How linear layers are computed on a CPU: "int8" is faster and rounds. Default "f32". */
  readonly linears?: "f32" | "int8";
  readonly weights: string;
};

export type WanAutoencoderConfig = LatentStatistics & {
  /** A `lightvae` has a quarter of every width, rounded down. */
  readonly type: "wan" | "lightvae";
  readonly latentChannels: number;
  readonly dim: number;
  /** Width of each level in multiples of `dim`, from the picture's size down. */
  readonly channelMultiples: readonly number[];
  /** Residual blocks a level of the encoder; the decoder has one more. */
  readonly resBlocks: number;
  /** Whether the step down from each level also halves the frame rate. */
  readonly temporalDownsample: readonly boolean[];
  readonly weights: string;
};

/** All widths come from the weight file. */
export type TaeAutoencoderConfig = LatentStatistics & {
  readonly type: "tae" | "lighttae";
  readonly latentChannels: number;
  readonly weights: string;
};

export type AutoencoderConfig = TinyAutoencoderConfig | WanAutoencoderConfig | TaeAutoencoderConfig;

/** Statistics of the 16 latent channels of Wan2.1's autoencoder, as published with it. */
export const WAN_LATENTS: LatentStatistics = {
  mean: [
    -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508, 0.4134, -0.0715, 0.5517, -0.3632, -0.1922,
    -0.9497, 0.2503, -0.2921,
  ],
  std: [
    2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743, 3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253,
    2.8251, 1.916,
  ],
};

const WAN_SIZES = {
  latentChannels: 16,
  dim: 96,
  channelMultiples: [1, 2, 4, 4],
  resBlocks: 2,
  temporalDownsample: [false, true, true],
} as const;

/** Latents that are used as they come. */
function plainLatents(channels: number): LatentStatistics {
  return { mean: new Array<number>(channels).fill(0), std: new Array<number>(channels).fill(1) };
}

/** The autoencoders for Wan2.1's latents, with their files as Daydream Scope lays them out. */
export const WAN_AUTOENCODERS: Readonly<Record<VaeType, WanAutoencoderConfig | TaeAutoencoderConfig>> = {
  wan: { type: "wan", ...WAN_SIZES, ...WAN_LATENTS, weights: "Wan2.1-T2V-1.3B/Wan2.1_VAE.pth" },
  lightvae: { type: "lightvae", ...WAN_SIZES, ...WAN_LATENTS, weights: "Autoencoders/lightvaew2_1.pth" },
  tae: { type: "tae", latentChannels: 16, ...plainLatents(16), weights: "Autoencoders/taew2_1.pth" },
  lighttae: { type: "lighttae", latentChannels: 16, ...WAN_LATENTS, weights: "Autoencoders/lighttaew2_1.pth" },
};

/** Reads an autoencoder's part of a `config.json`. @throws ConfigError */
export function parseAutoencoder(fields: Fields): AutoencoderConfig {
  const type = fields.oneOf("type", ["tiny", "wan", "lightvae", "tae", "lighttae"]);
  const weights = fields.text("weights");
  switch (type) {
    case "tiny": {
      const latentChannels = fields.count("z_dim");
      return {
        type,
        latentChannels,
        dim: fields.count("dim"),
        encoderBlocks: fields.count("encoder_blocks"),
        decoderBlocks: fields.count("decoder_blocks"),
        mlpRatio: fields.count("mlp_ratio"),
        ...(fields.has("linears") ? { linears: fields.oneOf("linears", ["f32", "int8"]) } : {}),
        ...parseStatistics(fields, latentChannels),
        weights,
      };
    }
    case "wan":
    case "lightvae": {
      const latentChannels = fields.count("z_dim", { otherwise: WAN_SIZES.latentChannels });
      const channelMultiples = fields.has("dim_mult") ? fields.numbers("dim_mult") : WAN_SIZES.channelMultiples;
      const { temporalDownsample } = WAN_SIZES;
      if (channelMultiples.length !== temporalDownsample.length + 1) fields.fail("dim_mult", "must have 4 numbers");
      return {
        type,
        latentChannels,
        dim: fields.count("dim", { otherwise: WAN_SIZES.dim }),
        channelMultiples,
        resBlocks: fields.count("num_res_blocks", { otherwise: WAN_SIZES.resBlocks }),
        temporalDownsample,
        ...parseStatistics(fields, latentChannels, WAN_LATENTS),
        weights,
      };
    }
    case "tae":
    case "lighttae": {
      const latentChannels = fields.count("z_dim", { otherwise: WAN_SIZES.latentChannels });
      const statistics =
        type === "tae" ? plainLatents(latentChannels) : parseStatistics(fields, latentChannels, WAN_LATENTS);
      return { type, latentChannels, ...statistics, weights };
    }
  }
}

function parseStatistics(fields: Fields, channels: number, otherwise?: LatentStatistics): LatentStatistics {
  const read = (name: "mean" | "std") => {
    const values = otherwise && !fields.has(name) ? otherwise[name] : fields.numbers(name);
    return values.length === channels ? values : fields.fail(name, `must have ${channels} numbers`);
  };
  return { mean: read("mean"), std: read("std") };
}
