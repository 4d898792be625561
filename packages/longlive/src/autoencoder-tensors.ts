/**
 * Names and shapes of the tensors in autoencoder checkpoints: what a file must
 * hold, no more and no less.
 */
import type { WanAutoencoderConfig } from "./autoencoder-config.ts";
import { RGB_CHANNELS } from "./preprocess.ts";
import type { TensorShapes } from "./tensor-shapes.ts";

/** Channels of each level, from the picture's size down. */
export function levelWidths({ type, dim, channelMultiples }: WanAutoencoderConfig): number[] {
  const kept = type === "lightvae" ? 0.25 : 1;
  return channelMultiples.map((multiple) => Math.trunc(dim * multiple * kept));
}

/** Wan2.1's autoencoder and LightVAE. */
export function wanTensors(config: WanAutoencoderConfig): TensorShapes {
  const { latentChannels: z, resBlocks, temporalDownsample } = config;
  const widths = levelWidths(config);
  const [finest, coarsest] = [widths[0]!, widths.at(-1)!];
  const shapes: Record<string, readonly number[]> = {};
  const conv = (name: string, out: number, inner: number, ...kernel: number[]) => {
    shapes[`${name}.weight`] = [out, inner, ...kernel];
    shapes[`${name}.bias`] = [out];
  };
  const residual = (name: string, inner: number, out: number) => {
    shapes[`${name}.residual.0.gamma`] = [inner, 1, 1, 1];
    conv(`${name}.residual.2`, out, inner, 3, 3, 3);
    shapes[`${name}.residual.3.gamma`] = [out, 1, 1, 1];
    conv(`${name}.residual.6`, out, out, 3, 3, 3);
    if (inner !== out) conv(`${name}.shortcut`, out, inner, 1, 1, 1);
  };
  const ends = (half: "encoder" | "decoder", middle: number, head: number, out: number) => {
    residual(`${half}.middle.0`, middle, middle);
    shapes[`${half}.middle.1.norm.gamma`] = [middle, 1, 1];
    conv(`${half}.middle.1.to_qkv`, 3 * middle, middle, 1, 1);
    conv(`${half}.middle.1.proj`, middle, middle, 1, 1);
    residual(`${half}.middle.2`, middle, middle);
    shapes[`${half}.head.0.gamma`] = [head, 1, 1, 1];
    conv(`${half}.head.2`, out, head, 3, 3, 3);
  };

  conv("encoder.conv1", finest, RGB_CHANNELS, 3, 3, 3);
  let width = finest;
  let index = 0;
  for (const [level, out] of widths.entries()) {
    for (let i = 0; i < resBlocks; i++) {
      residual(`encoder.downsamples.${index++}`, width, out);
      width = out;
    }
    const halvesTime = temporalDownsample[level];
    if (halvesTime === undefined) continue;
    const name = `encoder.downsamples.${index++}`;
    conv(`${name}.resample.1`, width, width, 3, 3);
    if (halvesTime) conv(`${name}.time_conv`, width, width, 3, 1, 1);
  }
  ends("encoder", coarsest, coarsest, 2 * z);
  conv("conv1", 2 * z, 2 * z, 1, 1, 1);

  conv("conv2", z, z, 1, 1, 1);
  conv("decoder.conv1", coarsest, z, 3, 3, 3);
  const doublesTime = [...temporalDownsample].reverse();
  width = coarsest;
  index = 0;
  for (const [level, out] of [...widths].reverse().entries()) {
    for (let i = 0; i <= resBlocks; i++) {
      residual(`decoder.upsamples.${index++}`, width, out);
      width = out;
    }
    const doubles = doublesTime[level];
    if (doubles === undefined) continue;
    const name = `decoder.upsamples.${index++}`;
    if (doubles) conv(`${name}.time_conv`, 2 * width, width, 3, 1, 1);
    conv(`${name}.resample.1`, Math.trunc(width / 2), width, 3, 3);
    width = Math.trunc(width / 2);
  }
  ends("decoder", coarsest, finest, RGB_CHANNELS);
  return shapes;
}

/** Widths of a TAE: one for the whole encoder, and one for each decoder level and its end. */
export type TaeWidths = { readonly encoder: number; readonly decoder: readonly [number, number, number, number] };

/** As TAE and LightTAE were published. */
export const TAE_WIDTHS: TaeWidths = { encoder: 64, decoder: [256, 128, 64, 64] };

/** Frames that each encoder level of a TAE joins, and each decoder level splits into. */
export const TAE_JOINED = [2, 2, 1] as const;
export const TAE_SPLIT = [1, 2, 2] as const;
/** Blocks with memory at each level of a TAE. */
export const TAE_BLOCKS = 3;

/** TAE and LightTAE. */
export function taeTensors(latentChannels: number, widths: TaeWidths = TAE_WIDTHS): TensorShapes {
  const shapes: Record<string, readonly number[]> = {};
  const conv = (name: string, out: number, inner: number, options: { bias: boolean; kernel?: number }) => {
    const { bias, kernel = 3 } = options;
    shapes[`${name}.weight`] = [out, inner, kernel, kernel];
    if (bias) shapes[`${name}.bias`] = [out];
  };
  const memory = (name: string, width: number) => {
    conv(`${name}.conv.0`, width, 2 * width, { bias: true });
    for (const layer of [2, 4]) conv(`${name}.conv.${layer}`, width, width, { bias: true });
  };
  let index = 0;
  const encoder = () => `encoder.${index++}`;
  conv(encoder(), widths.encoder, RGB_CHANNELS, { bias: true });
  index++; // an activation
  for (const joined of TAE_JOINED) {
    conv(`${encoder()}.conv`, widths.encoder, joined * widths.encoder, { bias: false, kernel: 1 });
    conv(encoder(), widths.encoder, widths.encoder, { bias: false });
    for (let i = 0; i < TAE_BLOCKS; i++) memory(encoder(), widths.encoder);
  }
  conv(encoder(), latentChannels, widths.encoder, { bias: true });

  index = 1; // the first layer has no parameters
  const decoder = () => `decoder.${index++}`;
  conv(decoder(), widths.decoder[0], latentChannels, { bias: true });
  index++;
  for (const [level, split] of TAE_SPLIT.entries()) {
    const width = widths.decoder[level]!;
    for (let i = 0; i < TAE_BLOCKS; i++) memory(decoder(), width);
    index++; // resizing
    conv(`${decoder()}.conv`, split * width, width, { bias: false, kernel: 1 });
    conv(decoder(), widths.decoder[level + 1]!, width, { bias: false });
  }
  index++;
  conv(decoder(), RGB_CHANNELS, widths.decoder[3], { bias: true });
  return shapes;
}
