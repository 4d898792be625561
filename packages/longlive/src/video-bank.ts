/**
 * The videos that a stream encodes side by side and the one that it decodes:
 * each goes on where it stopped a chunk ago, and begins anew after a gap. One
 * that begins while the stream runs is started so that it fits: the pictures
 * that are decoded go on without a cut (causal video autoencoders with feature
 * caches: Wan2.1, arXiv:2503.20314).
 */
import type { Autoencoder, DecodeOptions, Latents } from "./autoencoder.ts";
import type { Compat } from "./compat.ts";
import { type Pixels, pixelsOf } from "./preprocess.ts";
import { openStreamCodec, type StreamCodec } from "./stream-codec.ts";

/** The input that becomes noised latents, and of a condition what is kept and what is painted anew. */
export type EncodedVideo = "video" | "inactive" | "reactive";

export class VideoBank {
  readonly #compat: Compat;
  readonly #codec: StreamCodec;
  readonly #shared: boolean;
  #usedBefore = new Set<EncodedVideo>();
  #used = new Set<EncodedVideo>();
  /** Nothing was decoded since the last restart. */
  #first = true;

  constructor(autoencoder: Autoencoder, compat: Compat) {
    this.#compat = compat;
    this.#shared = !compat.separateEncoderCaches && autoencoder.conditionCaches !== "own";
    this.#codec = openStreamCodec(autoencoder, { shared: this.#shared });
  }

  /** Which latent of a new video the next frames give first; undefined when the video goes on. */
  startsAt(video: EncodedVideo): 0 | 1 | undefined {
    if (this.#first) return 0;
    // What all videos share cannot begin anew for one of them.
    return this.#compat.smoothModeChange && !this.#shared && !this.#usedBefore.has(video) ? 1 : undefined;
  }

  /**
   * Latents of the next frames of a video. A video that begins in mid-stream is given its first frame once more
   * before the others, and the latent of that frame is dropped: so 12 frames always give 3 latents there.
   */
  async encode(video: EncodedVideo, pixels: Pixels, signal?: AbortSignal): Promise<Latents> {
    const encoder = this.#codec[video];
    this.#used.add(video);
    if (this.startsAt(video) !== 1) return encoder.encode(pixels, signal);
    encoder.reset();
    const { frames, data } = await encoder.encode(firstTwice(pixels), signal);
    return { frames: frames - 1, data: data.subarray(data.length / frames) };
  }

  /** Pixel frames of a chunk's latents; the chunk ends with it. */
  async decode(latents: Latents, options: DecodeOptions = {}): Promise<Pixels> {
    const pixels = await this.#codec.decoder.decode(latents, options);
    this.#first = false;
    this.#usedBefore = this.#used;
    this.#used = new Set();
    return pixels;
  }

  /** All videos begin anew. */
  restart(): void {
    this.#first = true;
    this.#used.clear();
    if (this.#shared || this.#compat.conditionCachesRestart) {
      this.#codec.reset();
    } else {
      this.#codec.video.reset();
      this.#codec.decoder.reset();
    }
  }
}

function firstTwice(pixels: Pixels): Pixels {
  if (pixels.pictures) return pixelsOf([pixels.pictures[0]!, ...pixels.pictures]);
  const { frames, data } = pixels;
  const size = data.length / frames;
  const joined = new Float32Array(data.length + size);
  joined.set(data.subarray(0, size));
  joined.set(data, size);
  return { frames: frames + 1, data: joined };
}
