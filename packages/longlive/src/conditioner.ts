/**
 * Keeps a stream's condition from chunk to chunk and puts each chunk's
 * together: video frames with masks, first and last pictures, reference
 * images (VACE, arXiv:2503.07598).
 */
import { AlternatingMemory } from "./alternating-memory.ts";
import { type Autoencoder, encodeOnce, type Latents, TIME_FACTOR } from "./autoencoder.ts";
import type { Compat } from "./compat.ts";
import type { VaceConfig } from "./config.ts";
import { extendFrames } from "./frame-extension.ts";
import type { GreyLatents } from "./grey-latents.ts";
import { seededNoise } from "./noise.ts";
import type { Frame, Masks, Pixels, Size } from "./preprocess.ts";
import { prepareReference } from "./references.ts";
import {
  joinFrames,
  maskChannels,
  maskedPixels,
  paintsAll,
  referenceContext,
  type VaceContext,
  videoContext,
} from "./vace-context.ts";
import type { VideoBank } from "./video-bank.ts";

export type ConditionInput = {
  /** Frames of the condition, in the model's size. */
  readonly pixels?: Pixels | undefined;
  /** Masks of these frames, as many. Default: all is painted anew. */
  readonly masks?: Masks | undefined;
  /** Pictures for this chunk's first and last frames. */
  readonly firstImage?: Frame | undefined;
  readonly lastImage?: Frame | undefined;
  readonly scale: number;
  /** Latent frames of the chunk. */
  readonly latentFrames: number;
};

/** What the conditioner needs of a model. */
export type ConditionParts = {
  readonly autoencoder: Autoencoder;
  readonly grey: GreyLatents;
  readonly vace: VaceConfig;
  readonly size: Size;
  /** Latent positions of a frame. */
  readonly plane: number;
  /** Latent frames of a chunk that is not the first. */
  readonly framesPerBlock: number;
  /** Somebody keeps the conditions, which else are written over by the next chunk's. */
  readonly observed: boolean;
};

/** Told of everything that was encoded, in order. */
export type OnEncoded = (latents: Latents) => void;

export class Conditioner {
  readonly #parts: ConditionParts;
  readonly #compat: Compat;
  readonly #videos: VideoBank;
  readonly #onEncoded: OnEncoded;
  readonly #memory: AlternatingMemory | undefined;
  #held: { pixels?: Pixels | undefined; masks?: Masks | undefined } = {};
  #references: readonly Frame[] = [];
  #encoded: { images: readonly Frame[]; asClip: boolean; latents: Latents } | undefined;
  #leadNoise = new Float32Array(0);
  /** Latents of the grey video so far. */
  #greyFrames = 0;
  #notices: string[] = [];
  /** Of the call that goes on. */
  #signal: AbortSignal | undefined;

  constructor(parts: ConditionParts, compat: Compat, videos: VideoBank, onEncoded: OnEncoded) {
    this.#parts = parts;
    this.#compat = compat;
    this.#videos = videos;
    this.#onEncoded = onEncoded;
    this.#memory = parts.observed ? undefined : new AlternatingMemory();
  }

  /** True when frames of an earlier chunk still act though none came with this one. */
  get holdsFrames(): boolean {
    return this.#held.pixels !== undefined;
  }

  /** What went wrong since the last call and did not stop the stream. */
  takeNotices(): string[] {
    const notices = this.#notices;
    this.#notices = [];
    return notices;
  }

  /**
   * To be called once a chunk, with new reference images, if any: an empty list clears them, undefined leaves them or,
   * in the original, clears them too.
   */
  takeReferences(references: readonly Frame[] | undefined): void {
    if (references) this.#references = references;
    else if (!this.#compat.referencesPersist) this.#references = [];
  }

  /** The condition of the next chunk; undefined when there is none. */
  async next(input: ConditionInput, signal?: AbortSignal): Promise<VaceContext | undefined> {
    this.#signal = signal;
    const { vace, plane } = this.#parts;
    const shown = this.#shownFrames(input);
    const frames = shown && (await this.#encodeFrames(shown));
    const images = await this.#encodeReferences(frames !== undefined);
    const references = images && referenceContext(images, vace, plane);
    const { scale } = input;
    if (!references) return frames && { ...frames, scale };
    const whole = frames ? joinFrames([references, frames]) : references;
    const surplus = frames ? references.frames : Math.max(0, references.frames - input.latentFrames);
    if (!this.#compat.noVideoFrameLost || surplus === 0) return { ...whole, scale };
    const size = images.data.length / images.frames;
    const lead = { frames: surplus, data: images.data.subarray(0, surplus * size) };
    return { ...whole, scale, lead: { latents: lead, noise: this.#noiseOf(lead.data.length) } };
  }

  /** Frames and masks of the chunk after everything that may stand in for them. */
  #shownFrames({ pixels, masks, firstImage, lastImage }: ConditionInput) {
    if (!this.#compat.absentConditionCleared) {
      this.#held = { pixels: pixels ?? this.#held.pixels, masks: masks ?? this.#held.masks };
    }
    const base = this.#compat.absentConditionCleared ? { pixels, masks } : this.#held;
    const first = firstImage && this.#prepared(firstImage, "The first frame's image");
    const last = lastImage && this.#prepared(lastImage, "The last frame's image");
    if (!first && !last) return base.pixels && { pixels: base.pixels, masks: base.masks };
    const { framesPerBlock, size } = this.#parts;
    return extendFrames({ first, last }, TIME_FACTOR * framesPerBlock, base, size);
  }

  async #encodeFrames({ pixels, masks }: { pixels: Pixels; masks?: Masks | undefined }): Promise<Latents> {
    const { vace, plane, size } = this.#parts;
    if (masks && masks.frames !== pixels.frames) {
      throw new RangeError(`${masks.frames} masks do not fit ${pixels.frames} frames.`);
    }
    const mask = masks && maskChannels(masks, size);
    if (!masks || paintsAll(masks)) {
      // Nothing is kept: the inactive part is grey throughout, which takes an encoder only if that has seen else.
      const kept = this.#compat.separateEncoderCaches ? undefined : await this.#encodeGrey(pixels);
      this.#greyFrames = this.#videos.startsAt("reactive") ?? this.#greyFrames;
      const reactive = await this.#encode("reactive", pixels);
      const inactive = kept ?? (await this.#greyLatents(reactive.frames));
      return videoContext(inactive, reactive, vace, plane, mask, this.#memory);
    }
    const inactive = await this.#encode("inactive", maskedPixels(pixels, masks, "inactive"));
    // What is painted anew may jump with the mask, so it is encoded on its own.
    const reactive = await this.#encodeAlone(maskedPixels(pixels, masks, "reactive"));
    this.#onEncoded(reactive);
    const frames = Math.min(inactive.frames, reactive.frames);
    return videoContext(cut(inactive, frames), cut(reactive, frames), vace, plane, mask, this.#memory);
  }

  /** Latents of the grey video that runs beside the reactive one. */
  async #greyLatents(frames: number): Promise<Latents> {
    const latents = await this.#parts.grey.frames(this.#greyFrames, frames, this.#signal);
    this.#greyFrames += frames;
    return latents;
  }

  #encodeGrey({ frames, data }: Pixels): Promise<Latents> {
    return this.#encode("inactive", { frames, data: new Float32Array(data.length) });
  }

  async #encode(role: "inactive" | "reactive", pixels: Pixels): Promise<Latents> {
    const latents = await this.#videos.encode(role, pixels, this.#signal);
    this.#onEncoded(latents);
    return latents;
  }

  /** In no stream. */
  #encodeAlone(pixels: Pixels): Promise<Latents> {
    return encodeOnce(this.#parts.autoencoder, pixels, this.#signal);
  }

  /** @returns one frame an image; the original makes a clip of them where no video comes with them */
  async #encodeReferences(withFrames: boolean): Promise<Latents | undefined> {
    const images = this.#references;
    if (images.length === 0) return undefined;
    const asClip = !this.#compat.everyReference && !withFrames;
    if (!asClip && images.length > 1 && !this.#compat.everyReference) {
      throw new RangeError("Several reference images with input frames do not fit together.");
    }
    if (this.#encoded?.images === images && this.#encoded.asClip === asClip) return this.#encoded.latents;
    const prepared = images.flatMap((image, i) => this.#prepared(image, `Reference image ${i + 1}`) ?? []);
    if (prepared.length === 0) {
      this.#references = [];
      return undefined;
    }
    const clips = asClip ? [joinFrames(prepared)] : prepared;
    const latents: Latents[] = [];
    for (const clip of clips) latents.push(await this.#encodeAlone(clip));
    const joined = joinFrames(latents);
    this.#onEncoded(joined);
    this.#encoded = { images, asClip, latents: joined };
    return joined;
  }

  #prepared(image: Frame, name: string): Pixels | undefined {
    try {
      return prepareReference(image, this.#parts.size, this.#compat.wholeReferences);
    } catch (error) {
      if (!this.#compat.badReferenceReportedOnce || !(error instanceof RangeError)) throw error;
      this.#notices.push(`${name} is left out: ${error.message}`);
      return undefined;
    }
  }

  /** Noise that the leading frames keep from chunk to chunk. */
  #noiseOf(count: number): Float32Array {
    if (this.#leadNoise.length !== count) this.#leadNoise = seededNoise(0).normal(count) as Float32Array<ArrayBuffer>;
    return this.#leadNoise;
  }
}

function cut({ frames, data }: Latents, count: number): Latents {
  return { frames: count, data: data.subarray(0, (data.length / frames) * count) };
}
