/**
 * The folder of uploaded images and videos. Files are written beside their
 * place and renamed into it, so that a broken upload leaves nothing and a
 * reader never sees half a file.
 */
import { randomUUID } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { mkdir, open, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, parse, relative, resolve, sep } from "node:path";
import { ApiError, type AssetInfo, type AssetType, errorText } from "@everframe/protocol";
import { type OpenFile, openFile } from "../open-file.ts";
import { hasCode } from "../system-error.ts";
import { ALLOWED_EXTENSIONS, assetType, parseAssetName } from "./asset-name.ts";
import { SIGNATURE_BYTES, typeByContent } from "./file-signature.ts";

/** Names the folder in the environment. */
const FOLDER_VARIABLE = "DAYDREAM_SCOPE_ASSETS_DIR";
const MIB = 1024 * 1024;
export const MAX_ASSET_BYTES = 50 * MIB;

export class AssetStore {
  /** Absolute. */
  readonly folder: string;

  constructor(folder: string) {
    this.folder = resolve(folder);
  }

  /**
   * Writes a file, replacing one of the same name.
   *
   * `name` may have folders, which are made. `declaredBytes` is what the
   * sender says it will be, to refuse at once what is too large. Throws
   * `asset_name_invalid`, `asset_type_unsupported`, `asset_content_unknown`,
   * `asset_too_large`, `disk_full`, `folder_unusable`.
   */
  async save(
    name: string,
    content: ReadableStream<Uint8Array> | null,
    declaredBytes: number | undefined,
  ): Promise<AssetInfo> {
    const path = join(this.folder, ...parseAssetName(name));
    if (declaredBytes !== undefined && declaredBytes > MAX_ASSET_BYTES) throw tooLarge();
    await this.#makeFolder(dirname(path));
    if (!isInside(await realpath(this.folder), await realpath(dirname(path)))) {
      throw new ApiError("asset_name_invalid", { reason: "a folder in it leads out of the assets folder" });
    }
    const temporary = join(dirname(path), `.upload-${randomUUID()}`);
    try {
      await writeLimited(temporary, content, assetType(name)!);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      if (hasCode(error, "EISDIR", "ENOTEMPTY", "EEXIST"))
        throw new ApiError("asset_name_invalid", { reason: "a folder has that name" });
      if (isForbidden(error)) throw this.#unusable(error);
      if (hasCode(error, "ENOSPC")) {
        const neededGb = ((declaredBytes ?? MAX_ASSET_BYTES) / 1e9).toFixed(2);
        const params = { folder: this.folder, neededGb, variable: FOLDER_VARIABLE };
        throw new ApiError("disk_full", params, { cause: error });
      }
      throw error;
    }
    return this.#describe(path);
  }

  /** All files, or those of one type; newest first, then by folder and name. A missing folder is empty. */
  async list(type: AssetType | undefined): Promise<AssetInfo[]> {
    const entries = await ifThere(readdir(this.folder, { recursive: true, withFileTypes: true }));
    const names = (entries ?? []).filter((entry) => entry.isFile() && !entry.name.startsWith("."));
    const wanted = names.filter((entry) => {
      const found = assetType(entry.name);
      return found !== undefined && (type === undefined || found === type);
    });
    const infos = await Promise.all(wanted.map((entry) => ifThere(this.#describe(join(entry.parentPath, entry.name)))));
    return infos
      .filter((info) => info !== undefined)
      .sort(
        (a, b) => b.created_at - a.created_at || compare(a.folder ?? "", b.folder ?? "") || compare(a.name, b.name),
      );
  }

  /**
   * The absolute path of an uploaded file, from that path or from its name
   * below the assets folder, with its extension or, as listings have it,
   * without.
   * Throws `asset_name_invalid` for what lies elsewhere, `asset_not_found`.
   */
  resolve(path: string): string {
    const named = isAbsolute(path) ? resolve(path) : join(this.folder, path);
    if (!isInside(this.folder, named)) {
      throw new ApiError("asset_name_invalid", { reason: "it is not below the assets folder" });
    }
    const full = assetType(named) === undefined ? (withExtension(named) ?? named) : named;
    try {
      const real = realpathSync(full);
      if (!isInside(realpathSync(this.folder), real)) {
        throw new ApiError("asset_name_invalid", { reason: "it leads out of the assets folder" });
      }
      return real;
    } catch (error) {
      if (error instanceof ApiError) throw error;
      throw new ApiError("asset_not_found", { path }, { cause: error });
    }
  }

  /**
   * Opens a file to be sent; the caller closes it.
   * Throws `asset_path_forbidden` for what lies elsewhere, `asset_not_found`.
   */
  async open(path: string): Promise<{ path: string; file: OpenFile }> {
    const real = this.#resolveStored(path);
    const file = await openFile(real);
    if (file === undefined) throw new ApiError("asset_not_found", { path });
    return { path: real, file };
  }

  /**
   * Removes a file. Sessions that use it go on with what they have read.
   * Throws as `open` does, or `folder_unusable`.
   */
  async remove(path: string): Promise<void> {
    try {
      await rm(this.#resolveStored(path));
    } catch (error) {
      if (error instanceof ApiError) throw error;
      if (isForbidden(error)) throw this.#unusable(error);
      throw new ApiError("asset_not_found", { path }, { cause: error });
    }
  }

  /** Makes the assets folder and one below it. */
  async #makeFolder(path: string): Promise<void> {
    await mkdir(this.folder, { recursive: true }).catch((error: unknown) => {
      throw this.#unusable(error);
    });
    await mkdir(path, { recursive: true }).catch((error: unknown) => {
      if (isForbidden(error)) throw this.#unusable(error);
      if (!hasCode(error, "EEXIST", "ENOTDIR")) throw error;
      throw new ApiError("asset_name_invalid", { reason: "a file has the name of its folder" }, { cause: error });
    });
  }

  #unusable(cause: unknown): ApiError {
    const params = { folder: this.folder, reason: errorText(cause), variable: FOLDER_VARIABLE };
    return new ApiError("folder_unusable", params, { cause });
  }

  /** A path as `resolve` takes it, of nothing but what the listing shows. */
  #resolveStored(path: string): string {
    let real: string;
    try {
      real = this.resolve(path);
    } catch (error) {
      if (error instanceof ApiError && error.code === "asset_name_invalid") {
        throw new ApiError("asset_path_forbidden", {}, { cause: error });
      }
      throw error;
    }
    // Uploads on their way, and what somebody else put into the folder.
    const isHidden = relative(realpathSync(this.folder), real)
      .split(sep)
      .some((segment) => segment.startsWith("."));
    if (isHidden || assetType(real) === undefined) throw new ApiError("asset_not_found", { path });
    return real;
  }

  async #describe(path: string): Promise<AssetInfo> {
    const info = await stat(path);
    const folder = relative(this.folder, dirname(path)).split(sep).join("/");
    return {
      name: parse(path).name,
      path,
      size_mb: Math.round((info.size / MIB) * 100) / 100,
      folder: folder === "" ? null : folder,
      type: assetType(path)!,
      created_at: info.ctimeMs / 1000,
    };
  }
}

/**
 * Writes a stream to a new file as it comes; throws `asset_too_large` at the
 * first byte too many, and `asset_content_unknown` when it is not of `type`.
 */
async function writeLimited(path: string, content: ReadableStream<Uint8Array> | null, type: AssetType): Promise<void> {
  const file = await open(path, "wx");
  let head = new Uint8Array(0);
  let bytes = 0;
  const check = () => {
    if (typeByContent(head) !== type)
      throw new ApiError("asset_content_unknown", { type, allowed: ALLOWED_EXTENSIONS[type] });
  };
  try {
    for await (const part of content ?? []) {
      const isUnchecked = bytes < SIGNATURE_BYTES;
      bytes += part.byteLength;
      if (bytes > MAX_ASSET_BYTES) throw tooLarge();
      if (isUnchecked) {
        head = Buffer.concat([head, part.subarray(0, SIGNATURE_BYTES - head.length)]);
        if (bytes >= SIGNATURE_BYTES) check();
      }
      await file.writeFile(part);
    }
    if (bytes < SIGNATURE_BYTES) check();
  } finally {
    await file.close();
  }
}

/** The file that a name without its extension means; of several the first by the order of the extensions. */
function withExtension(path: string): string | undefined {
  const extensions = [...ALLOWED_EXTENSIONS.image, ...ALLOWED_EXTENSIONS.video];
  return extensions.flatMap((one) => [path + one, path + one.toUpperCase()]).find((one) => existsSync(one));
}

function tooLarge(): ApiError {
  return new ApiError("asset_too_large", { limitMib: MAX_ASSET_BYTES / MIB });
}

/** Whether a path is a folder or lies below it; both absolute. Links are not followed. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || (!way.startsWith(`..${sep}`) && way !== ".." && !isAbsolute(way));
}

/** The result; undefined where a file or folder is not there, or not any more. */
async function ifThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function isForbidden(error: unknown): boolean {
  return hasCode(error, "EACCES", "EPERM", "EROFS");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
