/**
 * Fetches one file into `<blob>.incomplete`, going on after cuts (also those
 * of an earlier process), and makes it a blob once its hash is the hub's. A
 * file that arrives damaged is fetched again from the start, because nothing
 * tells where the damage is.
 */
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { ApiError } from "@everframe/protocol";
import { hasCode } from "../system-error.ts";
import { type FileInfo, HubError } from "./hub-client.ts";
import { CACHE_VARIABLE } from "./hub-settings.ts";
import { Retry, type RetryOptions } from "./retry.ts";

/** Whole downloads of a file whose hash is wrong. */
const MAX_DAMAGED = 3;
const READ_BYTES = 1 << 20;

export type BlobDownload = FileInfo & {
  /** For messages: the path in the repository. */
  what: string;
  blobPath: string;
  /** Opens the file from a position on; see `HubClient.open`. */
  openAt: (start: number) => Promise<{ from: number; body: AsyncIterable<Uint8Array> }>;
  signal: AbortSignal;
  /** Told how many bytes are there; fewer than before after damage. */
  onBytes: (bytes: number) => void;
  retry?: RetryOptions;
};

/** Path of the file that grows until the blob is whole. */
export function incompletePath(blobPath: string): string {
  return `${blobPath}.incomplete`;
}

/** Throws `download_failed`, `disk_full`, `HubError`, or the signal's reason; what was fetched stays for the next time. */
export async function downloadBlob(download: BlobDownload): Promise<void> {
  const { blobPath, bytes, signal, what } = download;
  await mkdir(dirname(blobPath), { recursive: true });
  const file = await open(incompletePath(blobPath), "a+");
  try {
    for (let damaged = 0; ; damaged++) {
      if (damaged === MAX_DAMAGED) {
        const reason = `it arrived damaged ${MAX_DAMAGED} times (the hash is not the one that the hub tells)`;
        throw new ApiError("download_failed", { what, reason });
      }
      const growing = await GrowingFile.open(file, download);
      download.onBytes(growing.bytes);
      const retry = new Retry(download.retry);
      while (growing.bytes < bytes) {
        try {
          await fetchRest(growing, download, retry);
        } catch (error) {
          // "Range not satisfiable": what is here is not the beginning of what is there.
          if (error instanceof HubError && error.status === 416) await growing.restart();
          await retry.after(error, signal);
        }
      }
      if (growing.hashMatches()) break;
      await file.truncate(0);
    }
    await file.datasync(); // a blob's name vouches for its contents, also after a power cut
  } finally {
    await file.close();
  }
  await rename(incompletePath(blobPath), blobPath);
}

async function fetchRest(growing: GrowingFile, download: BlobDownload, retry: Retry): Promise<void> {
  const { openAt, bytes, what, onBytes } = download;
  const { from, body } = await openAt(growing.bytes);
  if (from !== growing.bytes) await growing.restart();
  for await (const part of body) {
    if (growing.bytes + part.byteLength > bytes) {
      throw new HubError(`more bytes came for ${what} than announced`, { retryable: false });
    }
    // A server that cannot continue and is cut at the same place each time makes none.
    if (await growing.append(part)) retry.progress();
    onBytes(growing.bytes);
  }
  if (growing.bytes < bytes) throw new HubError("the connection ended too early", { retryable: true });
}

/** The incomplete file with the hash of what is in it. */
class GrowingFile {
  bytes = 0;
  readonly #file: FileHandle;
  readonly #download: BlobDownload;
  #hash: Hash;
  #mostBytes = 0;

  private constructor(file: FileHandle, download: BlobDownload) {
    this.#file = file;
    this.#download = download;
    this.#hash = newHash(download);
  }

  /** Takes over what an earlier try left. */
  static async open(file: FileHandle, download: BlobDownload): Promise<GrowingFile> {
    const growing = new GrowingFile(file, download);
    const { size } = await file.stat();
    if (size > download.bytes) await file.truncate(0);
    const part = Buffer.alloc(READ_BYTES);
    while (true) {
      download.signal.throwIfAborted();
      const { bytesRead } = await file.read(part, 0, part.length, growing.bytes);
      if (bytesRead === 0) {
        growing.#mostBytes = growing.bytes;
        return growing;
      }
      growing.#hash.update(part.subarray(0, bytesRead));
      growing.bytes += bytesRead;
    }
  }

  /** True when there is more now than there ever was. */
  async append(part: Uint8Array): Promise<boolean> {
    try {
      await this.#file.appendFile(part);
    } catch (error) {
      if (!hasCode(error, "ENOSPC")) throw error;
      const neededGb = ((this.#download.bytes - this.bytes) / 1e9).toFixed(1);
      const params = { folder: dirname(this.#download.blobPath), neededGb, freeGb: "0", variable: CACHE_VARIABLE };
      throw new ApiError("disk_full", params, { cause: error });
    }
    this.#hash.update(part);
    this.bytes += part.byteLength;
    const isMore = this.bytes > this.#mostBytes;
    if (isMore) this.#mostBytes = this.bytes;
    return isMore;
  }

  async restart(): Promise<void> {
    await this.#file.truncate(0);
    this.bytes = 0;
    this.#hash = newHash(this.#download);
  }

  /** True, too, for an etag of a kind that is no hash of the contents. */
  hashMatches(): boolean {
    const { etag } = this.#download;
    return !isHash(etag) || this.#hash.digest("hex") === etag.toLowerCase();
  }
}

function isHash(etag: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(etag);
}

/** SHA-256, or for small files the name that git gives to contents: SHA-1 over a header and them. */
function newHash({ etag, bytes }: FileInfo): Hash {
  return etag.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${bytes}\0`);
}
