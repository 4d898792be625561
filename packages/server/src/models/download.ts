/**
 * Downloads models from the Hugging Face hub into the cache that all its
 * clients share. First a plan (which files of which commit are missing, how
 * large, under which licence), a check of the disk, then file after file.
 * Nothing that is there already is fetched again, and without anything
 * missing nobody is asked.
 */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { ApiError, errorText } from "@everframe/protocol";
import { downloadBlob, incompletePath } from "./blob-download.ts";
import { type FreeBytes, freeBytes } from "./disk-space.ts";
import { DownloadLock } from "./download-lock.ts";
import { MAIN } from "./hub-cache.ts";
import { HubClient, HubError, type RepoInfo } from "./hub-client.ts";
import { CACHE_VARIABLE, type HubSettings } from "./hub-settings.ts";
import { findFile, type ModelPlaces } from "./installed-models.ts";
import type { Artifact } from "./model-catalogue.ts";
import { type RetryOptions, withRetries } from "./retry.ts";

/** Left free on the disk beside the files themselves. */
const SPARE_BYTES = 256e6;

export type DownloaderOptions = {
  settings: HubSettings;
  places: ModelPlaces;
  /** Default: what the system tells. */
  freeBytes?: FreeBytes;
  /** Its `onRetry` hears of the questions of a plan; those of a run are told as notes of the progress. */
  retry?: RetryOptions;
  /** An answer that takes longer counts as lost; default 30 s. */
  stallMs?: number;
};

type PlannedFile = { path: string; etag: string; bytes: number; blobPath: string };

export type PlannedRepo = {
  /** With the missing files alone. */
  artifact: Artifact;
  repo: string;
  commit: string;
  /** As the hub states it, else as the catalogue does. */
  licence: string;
  /** The repository's page, for people. */
  page: string;
  files: PlannedFile[];
};

export type DownloadPlan = {
  /** Those with something missing. */
  repos: PlannedRepo[];
  totalBytes: number;
  /** Of them already here, from an earlier try. */
  presentBytes: number;
};

export type DownloadProgress = {
  /** The repository's name. */
  artifact: string;
  file: string;
  doneBytes: number;
  totalBytes: number;
  /** Something to tell, such as a cut line or another downloader at work. */
  note?: string;
};

export class Downloader {
  readonly #options: DownloaderOptions;
  readonly #client: HubClient;

  constructor(options: DownloaderOptions) {
    this.#options = options;
    this.#client = new HubClient(options.settings, options.stallMs);
  }

  /**
   * What is to be fetched. Asks the hub only for repositories with a missing file.
   * Throws `download_offline`, `download_refused`, `download_failed`, or the signal's reason.
   */
  async plan(artifacts: readonly Artifact[], signal: AbortSignal): Promise<DownloadPlan> {
    const plan: DownloadPlan = { repos: [], totalBytes: 0, presentBytes: 0 };
    for (const artifact of artifacts) {
      const files = artifact.files.filter((file) => findFile(artifact, file, this.#options.places) === undefined);
      if (files.length === 0) continue;
      if (this.#options.settings.offline) throw new ApiError("download_offline", { what: artifact.name });
      plan.repos.push(await told(artifact.name, () => this.#planRepo({ ...artifact, files }, signal)));
    }
    for (const file of plan.repos.flatMap((repo) => repo.files)) {
      plan.totalBytes += file.bytes;
      plan.presentBytes += await presentBytes(file);
    }
    return plan;
  }

  /** Throws `disk_full` when the plan does not fit the cache's disk. */
  async checkSpace(plan: DownloadPlan): Promise<{ neededBytes: number; free: number | undefined }> {
    const folder = this.#options.places.cache.folder;
    const neededBytes = plan.totalBytes - plan.presentBytes;
    const free = await (this.#options.freeBytes ?? freeBytes)(folder);
    if (neededBytes > 0 && free !== undefined && free < neededBytes + SPARE_BYTES) {
      const gb = (bytes: number) => (bytes / 1e9).toFixed(1);
      const [neededGb, freeGb] = [gb(neededBytes + SPARE_BYTES), gb(free)];
      throw new ApiError("disk_full", { folder, neededGb, freeGb, variable: CACHE_VARIABLE });
    }
    return { neededBytes, free };
  }

  /**
   * Fetches what the plan names. What was fetched stays when it fails or is given up.
   * Throws `disk_full`, `download_refused`, `download_failed`, or the signal's reason.
   */
  async run(plan: DownloadPlan, signal: AbortSignal, onProgress: (progress: DownloadProgress) => void): Promise<void> {
    await this.checkSpace(plan);
    const { cache } = this.#options.places;
    let doneBytes = 0;
    for (const { artifact, repo, commit, files } of plan.repos) {
      for (const file of files) {
        const report = (bytes: number, note?: string) =>
          onProgress({
            artifact: artifact.name,
            file: file.path,
            doneBytes: doneBytes + bytes,
            totalBytes: plan.totalBytes,
            ...(note === undefined ? {} : { note }),
          });
        await told(`${repo}/${file.path}`, () => this.#fetch(repo, commit, file, signal, report));
        doneBytes += file.bytes;
        await cache.place(repo, commit, file.path, file.etag);
      }
      // Last, so that the branch never names a commit whose files are not here yet.
      await cache.setCommit(repo, commit);
    }
  }

  async #planRepo(artifact: Artifact, signal: AbortSignal): Promise<PlannedRepo> {
    const { places, retry = {} } = this.#options;
    const { repo, info } = await this.#firstRepo(artifact, signal);
    const files: PlannedFile[] = [];
    for (const { path } of artifact.files) {
      const { etag, bytes } = await withRetries(
        () => this.#client.fileInfo(repo, info.commit, path, signal),
        retry,
        signal,
      );
      files.push({ path, etag, bytes, blobPath: places.cache.blobPath(repo, etag) });
    }
    const licence = info.licence ?? artifact.licence;
    return { artifact, repo, commit: info.commit, licence, page: this.#client.pageOf(repo), files };
  }

  /** The first repository that can be read and has all the files. */
  async #firstRepo(artifact: Artifact, signal: AbortSignal): Promise<{ repo: string; info: RepoInfo }> {
    let first: unknown;
    for (const repo of artifact.repos) {
      try {
        const info = await withRetries(
          () => this.#client.repoInfo(repo, MAIN, signal),
          this.#options.retry ?? {},
          signal,
        );
        const absent = artifact.files.filter((file) => !info.files.has(file.path)).map((file) => file.path);
        if (absent.length === 0) return { repo, info };
        first ??= new HubError(`${repo} has no ${absent.join(", ")}`, { retryable: false });
      } catch (error) {
        const isElsewhere =
          (error instanceof HubError && (error.status === 401 || error.status === 404)) ||
          (error instanceof ApiError && error.code === "download_refused");
        if (!isElsewhere) throw error;
        first ??= error;
      }
    }
    if (first instanceof HubError && first.status === 401) {
      const repo = artifact.repos[0];
      throw new ApiError("download_refused", { what: repo, page: this.#client.pageOf(repo) }, { cause: first });
    }
    throw first;
  }

  async #fetch(
    repo: string,
    commit: string,
    file: PlannedFile,
    signal: AbortSignal,
    report: (bytes: number, note?: string) => void,
  ): Promise<void> {
    if (existsSync(file.blobPath)) return;
    const onWait = () => report(0, "another download of this file is running: waiting for it");
    const lock = await DownloadLock.acquire(this.#options.places.cache.lockPath(repo, file.etag), { signal, onWait });
    try {
      if (existsSync(file.blobPath)) return; // the other one has fetched it
      let bytes = 0;
      await downloadBlob({
        ...file,
        what: file.path,
        signal,
        openAt: (start) => this.#client.open(repo, commit, file.path, start, signal),
        onBytes: (now) => {
          report(now, now < bytes ? "it arrived damaged: fetching it again" : undefined);
          bytes = now;
        },
        retry: {
          ...this.#options.retry,
          onRetry: (error, waitMs) => report(bytes, `${error.message}: going on in ${Math.ceil(waitMs / 1000)} s`),
        },
      });
    } finally {
      await lock.release();
    }
  }
}

/** Errors of the hub as `download_failed` with the file's or repository's name. */
async function told<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    throw new ApiError("download_failed", { what, reason: errorText(error) }, { cause: error });
  }
}

async function presentBytes({ blobPath, bytes }: PlannedFile): Promise<number> {
  if (existsSync(blobPath)) return bytes;
  const partial = await stat(incompletePath(blobPath)).catch(() => undefined);
  return Math.min(bytes, partial?.size ?? 0);
}
