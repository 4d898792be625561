/**
 * What every video autoencoder of this package can do: turn pixels into
 * latents and back, piece by piece, each running stream with a state object of
 * its own. Latents are 8 times smaller in space; in time the first latent
 * stands for one frame, each later one for four (causal video autoencoders,
 * as in Wan2.1, arXiv:2503.20314).
 */
import type { Pixels } from "./preprocess.ts";
import type { SeamVectors } from "./token-seams.ts";

/** Pixels of a latent's side. */
export const SPACE_FACTOR = 8;
/** Pixel frames of a latent frame, but for a stream's first. */
export const TIME_FACTOR = 4;

export type Latents = {
  readonly frames: number;
  /** [frames, C, height, width] */
  readonly data: Float32Array;
};

/** One video being encoded. */
export type EncoderStream = {
  /**
   * Latents of the next pixel frames. The first call takes 1 + 4n frames and gives 1 + n latents, later ones take 4n
   * and give n; frames beyond a multiple of 4 give no latent, or are repeated until they do.
   * @param signal looked at between passes; after an abort the stream must be reset
   */
  encode(pixels: Pixels, signal?: AbortSignal): Promise<Latents>;
  /** The next call is a first one again. */
  reset(): void;
};

/** The video whose structure latents keep, for a decoder that can take detail from it that latents do not hold. */
export type Glance = {
  /** As many frames as the latents stand for. */
  readonly pixels: Pixels;
  /** How much of it acts, 0 to 1. */
  readonly scale: number;
};

export type DecodeOptions = {
  /** As in `EncoderStream`. */
  readonly signal?: AbortSignal | undefined;
  /** Default: there is no such video. Decoders that cannot use it leave it alone. */
  readonly glance?: Glance | undefined;
};

/** One video being decoded. */
export type DecoderStream = {
  /** Pixel frames of the next latents: n latents give 4n frames, the first call 4n - 3. Values in [-1, 1]. */
  decode(latents: Latents, options?: DecodeOptions): Promise<Pixels>;
  /** The next call is a first one again. */
  reset(): void;
};

export type Autoencoder = {
  readonly latentChannels: number;
  /** From this latent on, a picture that never changes gives latents that never change. */
  readonly settledAfter: number;
  /**
   * How the original pipeline holds the caches of this kind of autoencoder: all videos of a stream in one (default),
   * or those of the condition on their own. See `VideoBank`.
   */
  readonly conditionCaches?: "shared" | "own";
  /** How seams between tokens are smoothed on its latents. Default: not at all. */
  readonly seams?: SeamVectors;
  openEncoder(): EncoderStream;
  openDecoder(): DecoderStream;
  close(): Promise<void>;
};

/** Latents of a fresh stream over these pixels, apart from every running stream. */
export async function encodeOnce(autoencoder: Autoencoder, pixels: Pixels, signal?: AbortSignal): Promise<Latents> {
  return autoencoder.openEncoder().encode(pixels, signal);
}

/** Pixel frames that a number of latents gives. */
export function pixelFramesOf(latentFrames: number, first: boolean): number {
  return TIME_FACTOR * latentFrames - (first ? TIME_FACTOR - 1 : 0);
}
