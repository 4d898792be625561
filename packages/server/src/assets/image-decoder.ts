/**
 * Uploaded images as pixels, for reference images and first and last frames.
 * Pictures are turned as their EXIF orientation says (CIPA DC-008) and shrunk
 * to what a model can use at most, so that a camera's photo does not cost a
 * hundred megabytes. The last few are kept: clients name the same ones again.
 */
import { readFile, stat } from "node:fs/promises";
import { ApiError, errorText } from "@everframe/protocol";
import type { RgbaFrame } from "../webrtc/media-peer.ts";
import { MAX_ASSET_BYTES } from "./asset-store.ts";

const MEGAPIXEL = 1_000_000;
const MAX_INPUT_PIXELS = 64 * MEGAPIXEL;
/** No pipeline makes larger pictures. */
const MAX_SIDE = 2048;
/** At most 16 MiB each. */
const MAX_KEPT = 8;
/** Not SVG and the like, which can refer to other files. "magick" is how some builds read BMP. */
const FORMATS = ["png", "jpeg", "webp", "magick"];

export type DecodedImage = {
  /** The same for the same content: path, size and time of the file. */
  readonly key: string;
  /** The picture, at most 2048 pixels a side; the caller may give its buffer away. */
  copy(): RgbaFrame;
};

export class ImageDecoder {
  /** By key, the one used longest ago first. */
  readonly #kept = new Map<string, DecodedImage>();

  /**
   * Reads an image file (PNG, JPEG, WebP; up to 64 megapixels and 50 MiB).
   * Throws `asset_unreadable`.
   */
  async decode(path: string): Promise<DecodedImage> {
    try {
      const { size, mtimeMs } = await stat(path);
      const key = `${path}|${size}|${mtimeMs}`;
      const image = this.#kept.get(key) ?? (await read(path, size, key));
      this.#kept.delete(key);
      this.#kept.set(key, image);
      if (this.#kept.size > MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
      return image;
    } catch (error) {
      throw new ApiError("asset_unreadable", { path, reason: reasonOf(error) }, { cause: error });
    }
  }
}

async function read(path: string, bytes: number, key: string): Promise<DecodedImage> {
  if (bytes > MAX_ASSET_BYTES) throw new Error(`the file is larger than ${MAX_ASSET_BYTES / 1024 / 1024} MiB`);
  // Given by content: by name the library could answer with a file's content before it was replaced.
  const file = await readFile(path);
  // Imported at the first image: it is a native library that most sessions never need.
  const { default: sharp } = await import("sharp");
  const input = sharp(file, { limitInputPixels: MAX_INPUT_PIXELS, failOn: "error" });
  const { format } = await input.metadata();
  if (!FORMATS.includes(format ?? "")) throw new Error(`its format is ${format}, which is not read`);
  const { data, info } = await input
    .autoOrient()
    .resize({ width: MAX_SIDE, height: MAX_SIDE, fit: "inside", withoutEnlargement: true })
    .toColourspace("srgb")
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true }); // [height, width, 4]
  const { width, height } = info;
  return { key, copy: () => ({ width, height, data: new Uint8Array(data) }) };
}

function reasonOf(error: unknown): string {
  const text = errorText(error);
  if (/pixel limit/i.test(text)) return `it has more than ${MAX_INPUT_PIXELS / MEGAPIXEL} megapixels`;
  if (/unsupported image format/i.test(text)) return "its content is no image of a format that this server reads";
  return text;
}
