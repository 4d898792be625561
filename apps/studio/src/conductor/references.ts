// Images for the model: made small enough, uploaded, and shown as thumbnails. References act until they are taken away,
// frames in one chunk.
import { type Client, ClientError, type LiveParameters } from "@everframe/client";
import { type Look, MAX_REFERENCES, type Reference } from "../state/look.ts";
import type { State } from "../state/state.ts";
import type { Store } from "../state/store.ts";
import { pictureOf } from "./pictures.ts";

/** Longer side of what is uploaded, pixels: more than any model reads. */
const MAX_SIDE = 1024;
const THUMBNAIL = { width: 192, height: 108 };

/** The server's codes for a file that it does not have, or never will. */
const GONE = ["asset_not_found", "asset_path_forbidden"];

type Parts = {
  client: Client;
  store: Store<State>;
  setLook: (look: Look) => void;
  send: (parameters: LiveParameters) => void;
};

export class References {
  readonly #client: Client;
  readonly #store: Store<State>;
  readonly #setLook: (look: Look) => void;
  readonly #send: (parameters: LiveParameters) => void;

  constructor({ client, store, setLook, send }: Parts) {
    this.#client = client;
    this.#store = store;
    this.#setLook = setLook;
    this.#send = send;
  }

  /** Uploads an image and adds it; the oldest goes when there are too many. Throws ClientError. */
  async add(image: Blob, name: string): Promise<void> {
    const reference = await this.#upload(image, name);
    const { look } = this.#store.get().settings;
    this.#setLook({ ...look, references: [...look.references, reference].slice(-MAX_REFERENCES) });
  }

  /** Uploads an image for a parameter that takes one, and sends it: now, or when video runs. Throws ClientError. */
  async place(key: string, image: Blob, name: string): Promise<void> {
    const frame = await this.#upload(image, name);
    const { frames } = this.#store.get();
    this.#store.update({ frames: { ...frames, [key]: { ...frame, isWaiting: false } } });
    this.play(key);
  }

  /** Sends a placed image once more. */
  play(key: string): void {
    const { frames, phase } = this.#store.get();
    const frame = frames[key];
    if (frame === undefined) return;
    const isWaiting = phase !== "live";
    this.#store.update({ frames: { ...frames, [key]: { ...frame, isWaiting } } });
    if (!isWaiting) this.#send({ [key]: frame.path });
  }

  /** Takes a placed image away; what it has done stays. */
  displace(key: string): void {
    const { [key]: _, ...frames } = this.#store.get().frames;
    this.#store.update({ frames });
  }

  async #upload(image: Blob, name: string): Promise<Reference> {
    const bitmap = await decode(image);
    try {
      const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
      const size = { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) };
      const upload = await pictureOf(bitmap, size, "image/png").blob();
      const asset = await this.#client.assets.upload(upload, { name: uniqueName(name) });
      this.#show(asset.path, bitmap);
      return { path: asset.path, name: name || "Picture" };
    } finally {
      bitmap.close();
    }
  }

  #show(path: string, image: ImageBitmap): void {
    const { referencePictures } = this.#store.get();
    this.#store.update({ referencePictures: { ...referencePictures, [path]: pictureOf(image, THUMBNAIL).url() } });
  }

  /** Takes a reference away; its file stays on the server. */
  remove(path: string): void {
    const { look } = this.#store.get().settings;
    this.#setLook({ ...look, references: look.references.filter((reference) => reference.path !== path) });
  }

  /** Looks at what is remembered from an earlier visit; what the server no longer has is forgotten. */
  async refresh(): Promise<void> {
    const { look } = this.#store.get().settings;
    for (const { path } of look.references) {
      if (this.#store.get().referencePictures[path] !== undefined) continue;
      try {
        const bitmap = await decode(await this.#client.assets.fetch(path));
        this.#show(path, bitmap);
        bitmap.close();
      } catch (error) {
        if (GONE.includes(ClientError.from(error).reason)) this.remove(path);
        else console.warn("A reference's picture could not be read.", error);
      }
    }
  }
}

/** A name of its own: an image of the same name would be replaced under somebody else's feet. */
function uniqueName(name: string): string {
  const stem = name
    .replace(/\.\w+$/, "")
    .replace(/[^\w-]+/g, "-")
    .slice(0, 40);
  return `${stem || "reference"}-${Date.now().toString(36)}.png`;
}

async function decode(image: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(image);
  } catch (cause) {
    throw ClientError.unsupported("The browser cannot read this image.", "Use a PNG, JPEG or WebP file.", cause);
  }
}
