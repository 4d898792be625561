/**
 * Recorded calls of the original's autoencoder, step by step: stream encodes
 * and decodes that share one memory, with calls in between that must not
 * disturb them.
 */
import { encodeOnce, type Latents } from "../autoencoder.ts";
import type { EngineOptions } from "../engine.ts";
import type { Pixels } from "../preprocess.ts";
import { toPixels } from "../preprocess.ts";
import { openStreamCodec } from "../stream-codec.ts";
import { WanAutoencoder } from "../wan-autoencoder.ts";
import type { Comparison } from "./comparison.ts";
import type { GoldenCase } from "./golden-case.ts";
import { rgbFrames } from "./part-cases.ts";

/** A recorded step is a sentence; these are the calls that it can name. */
const ENCODE = /encode_to_latent\(px\((\d+):(\d+)\)(, use_cache=False)?\)/;
const DECODE = /decode_to_pixel\(([\w.]+?)(?:\[:, :(\d+)\])?(, use_cache=False)?\)/;
const BATCH = /as a BATCH/;
const RESULT = /-> ([a-z]\w*\.\w[\w.]*)|^([a-z]\w*\.\w+) = /;

export async function runAutoencoder(golden: GoldenCase, comparison: Comparison, engine: EngineOptions): Promise<void> {
  const size = { height: golden.json.height!, width: golden.json.width! };
  const autoencoder = await openWanAutoencoder(golden, size, engine);
  try {
    const video = toPixels(rgbFrames(golden, "frames"), size);
    const px = (from: number, to: number) => framesOf(video, from, to);
    const latents = new Map<string, Latents>();
    const codec = openStreamCodec(autoencoder, { shared: true });
    const latentsOf = (name: string) => latents.get(name) ?? recordedLatents(golden, name);

    for (const { name: run, steps } of golden.json["runs"] as { name: string; steps: string[] }[]) {
      for (const step of steps) {
        const [, arrow, assigned] = RESULT.exec(step) ?? [];
        const result = arrow ?? assigned ?? "";
        const [encode, from, to, once] = ENCODE.exec(step) ?? [];
        const [decode, source, frames, apart] = DECODE.exec(step) ?? [];
        if (/^(fresh VAE|clear_cache)/.test(step)) {
          codec.reset();
        } else if (BATCH.test(step)) {
          const images = [...step.matchAll(/px\((\d+):(\d+)\)/g)].map(([, a, b]) => px(Number(a), Number(b)));
          const each = [];
          for (const image of images) each.push((await encodeOnce(autoencoder, image)).data);
          comparison.tensor(
            result,
            each.flatMap((data) => [...data]),
          );
        } else if (encode) {
          const pixels = px(Number(from), Number(to));
          const encoded = once ? await encodeOnce(autoencoder, pixels) : await codec.video.encode(pixels);
          latents.set(result, encoded);
          comparison.tensor(result, encoded.data);
        } else if (decode) {
          const input = frames ? framesOf(latentsOf(source!), 0, Number(frames)) : latentsOf(source!);
          const decoded = await (apart ? autoencoder.openDecoder() : codec.decoder).decode(input);
          const last = framesOf(decoded, decoded.frames - 1, decoded.frames).data;
          comparison.tensor(result, decoded.data);
          comparison.tensor(`${run}.decoded_last`, last);
          comparison.tensor(`${run}.decoded_first_last`, [...framesOf(decoded, 0, 1).data, ...last]);
        } else {
          comparison.fail(`unknown step: ${step}`);
        }
      }
    }
  } finally {
    await autoencoder.close();
  }
}

/** The case's autoencoder, whole chunks in one pass. */
export function openWanAutoencoder(
  golden: GoldenCase,
  size: { height: number; width: number },
  engine: EngineOptions,
): Promise<WanAutoencoder> {
  const grid = { height: size.height / 8, width: size.width / 8 };
  return WanAutoencoder.create(golden.autoencoderConfig(), golden.weights("vae"), grid, engine);
}

function framesOf<T extends Pixels | Latents>({ frames, data }: T, from: number, to: number): Latents {
  const size = data.length / frames;
  return { frames: to - from, data: data.subarray(from * size, to * size) };
}

function recordedLatents(golden: GoldenCase, name: string): Latents {
  return { frames: golden.inputs.info(name).shape[1]!, data: golden.inputs.read(name) };
}
