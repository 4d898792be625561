/**
 * The images that a session's parameters name, as pixels for the chunk that
 * starts. Reference images are given to the model only when they change: it
 * keeps them, and taking new ones costs an encoding each. A client may name
 * the same ones with every message. An image that cannot be read is left out
 * and told once.
 */
import { ApiError, type Parameters } from "@everframe/protocol";
import type { DecodedImage, ImageDecoder } from "../assets/image-decoder.ts";
import type { ChunkImages } from "../pipelines/pipeline.ts";

export class SessionImages {
  readonly #decoder: ImageDecoder;
  readonly #onProblem: (error: ApiError) => void;
  /** The list that was read last: another message brings another one. */
  #paths: readonly string[] | undefined;
  /** Keys of the images that the model has. */
  #references = "";
  /** What was told of the references that cannot be read. */
  #problems = new Set<string>();

  /** `onProblem` hears `asset_unreadable`, once for each image that is left out. */
  constructor(decoder: ImageDecoder, onProblem: (error: ApiError) => void) {
    this.#decoder = decoder;
    this.#onProblem = onProblem;
  }

  /** The images for the chunk of these parameters, its own to give away. Never throws. */
  async take({ vaceRefImages, firstFrameImage, lastFrameImage }: Parameters): Promise<ChunkImages> {
    const images: ChunkImages = {};
    if (vaceRefImages !== undefined && vaceRefImages !== this.#paths) {
      this.#paths = vaceRefImages;
      const references = await this.#changedReferences(vaceRefImages);
      if (references !== undefined) images.references = references.map((image) => image.copy());
    }
    const first = firstFrameImage === undefined ? undefined : await this.#read(firstFrameImage, this.#onProblem);
    if (first !== undefined) images.firstImage = first.copy();
    const last = lastFrameImage === undefined ? undefined : await this.#read(lastFrameImage, this.#onProblem);
    if (last !== undefined) images.lastImage = last.copy();
    return images;
  }

  /** The images that can be read; undefined where the model has just these. */
  async #changedReferences(paths: readonly string[]): Promise<DecodedImage[] | undefined> {
    const told = this.#problems;
    this.#problems = new Set();
    const found: DecodedImage[] = [];
    // One at a time: many large pictures at once would take the memory and every core.
    for (const path of paths) {
      const image = await this.#read(path, (error) => {
        if (!told.has(error.message) && !this.#problems.has(error.message)) this.#onProblem(error);
        this.#problems.add(error.message);
      });
      if (image !== undefined) found.push(image);
    }
    const keys = found.map((image) => image.key).join("\n");
    if (keys === this.#references) return undefined;
    this.#references = keys;
    return found;
  }

  async #read(path: string, onProblem: (error: ApiError) => void): Promise<DecodedImage | undefined> {
    try {
      return await this.#decoder.decode(path);
    } catch (error) {
      onProblem(ApiError.from(error));
      return undefined;
    }
  }
}
