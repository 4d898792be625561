// Images and videos on the server: what references and first or last frames are named by.
import type { AssetInfo, AssetList, AssetType } from "@everframe/protocol";
import type { Api, CallOptions } from "./http.ts";

/** A file on the server. */
export type Asset = {
  /** File name without folder and extension. */
  name: string;
  /** What `vaceRefImages` takes. */
  path: string;
  sizeMb: number;
  folder: string | undefined;
  type: AssetType;
  createdAt: Date;
};

export class Assets {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /**
   * Stores an image or video of at most 50 MiB; `name`, with its extension, defaults to the file's own. One of the same
   * name is replaced. Throws `server`/`asset_too_large`, `asset_type_unsupported` and their like.
   */
  async upload(file: Blob, { name, signal }: CallOptions & { name?: string } = {}): Promise<Asset> {
    const filename = name ?? ("name" in file && typeof file.name === "string" ? file.name : "");
    const path = `/api/v1/assets?filename=${encodeURIComponent(filename)}`;
    return toAsset(await this.#api.request<AssetInfo>(path, { method: "POST", body: file, signal }));
  }

  /** Files on the server, newest first; all, or those of one type. */
  async list({ type, signal }: CallOptions & { type?: AssetType } = {}): Promise<Asset[]> {
    const query = type === undefined ? "" : `?type=${type}`;
    const { assets } = await this.#api.request<AssetList>(`/api/v1/assets${query}`, { signal });
    return assets.map(toAsset);
  }

  /** The file itself, for example to show it. For pages of the server's own only, unless the server allows others. */
  fetch(asset: Asset | string, { signal }: CallOptions = {}): Promise<Blob> {
    return this.#api.fetch(pathOf(asset), { signal });
  }

  /** Removes a file. Throws `server`/`asset_not_found`. */
  async remove(asset: Asset | string, { signal }: CallOptions = {}): Promise<void> {
    await this.#api.request(pathOf(asset), { method: "DELETE", signal });
  }
}

function pathOf(asset: Asset | string): string {
  const path = typeof asset === "string" ? asset : asset.path;
  return `/api/v1/assets/${encodeURIComponent(path)}`;
}

function toAsset(wire: AssetInfo): Asset {
  return {
    name: wire.name,
    path: wire.path,
    sizeMb: wire.size_mb,
    folder: wire.folder ?? undefined,
    type: wire.type,
    createdAt: new Date(wire.created_at * 1000),
  };
}
