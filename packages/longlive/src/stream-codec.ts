/**
 * The encoders and the decoder of one viewer's stream. Each video that a
 * stream encodes (the one that becomes noised latents, and the two halves of a
 * condition) has a memory of its own; the published pipeline has a single one
 * for all of them, and a single "nothing decoded yet" flag, which `shared`
 * repeats.
 */
import type { Autoencoder, DecoderStream, EncoderStream } from "./autoencoder.ts";

export type StreamCodec = {
  /** The video that becomes noised latents. */
  readonly video: EncoderStream;
  /** What is kept of a condition's video. */
  readonly inactive: EncoderStream;
  /** What is painted anew of a condition's video. */
  readonly reactive: EncoderStream;
  readonly decoder: DecoderStream;
  /** Everything starts again. */
  reset(): void;
};

/**
 * @param shared One memory for all encoders: until something has been decoded each call starts from nothing, after
 * that each continues where any other stopped. Resetting one part resets all.
 */
export function openStreamCodec(autoencoder: Autoencoder, options: { shared: boolean }): StreamCodec {
  if (options.shared) return sharedCodec(autoencoder);
  const video = autoencoder.openEncoder();
  const inactive = autoencoder.openEncoder();
  const reactive = autoencoder.openEncoder();
  const decoder = autoencoder.openDecoder();
  return {
    video,
    inactive,
    reactive,
    decoder,
    reset() {
      for (const part of [video, inactive, reactive, decoder]) part.reset();
    },
  };
}

function sharedCodec(autoencoder: Autoencoder): StreamCodec {
  const memory = autoencoder.openEncoder();
  const pictures = autoencoder.openDecoder();
  let nothingDecoded = true;
  const reset = () => {
    nothingDecoded = true;
  };
  const encoder: EncoderStream = {
    encode(pixels, signal) {
      if (nothingDecoded) memory.reset();
      return memory.encode(pixels, signal);
    },
    reset,
  };
  const decoder: DecoderStream = {
    decode(latents, options) {
      if (nothingDecoded) pictures.reset();
      nothingDecoded = false;
      return pictures.decode(latents, options);
    },
    reset,
  };
  return { video: encoder, inactive: encoder, reactive: encoder, decoder, reset };
}
