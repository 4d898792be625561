/**
 * The downloads that clients of the HTTP interface start: one at a time for
 * each pipeline, in the background, with the progress and the last failure
 * kept for those who ask.
 */
import { ApiError, errorText, type ModelProgress, type ModelStatus } from "@everframe/protocol";
import type { Logger } from "pino";
import { Downloader, type DownloaderOptions, type DownloadProgress } from "./download.ts";
import { installedFiles } from "./installed-models.ts";
import { type Artifact, artifactsOf } from "./model-catalogue.ts";

type Running = { abort: AbortController; done: Promise<void> };

export class DownloadManager {
  readonly #options: DownloaderOptions;
  readonly #log: Logger;
  readonly #running = new Map<string, Running>();
  readonly #progress = new Map<string, ModelProgress>();
  #isClosed = false;

  constructor(options: DownloaderOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
  }

  /** Starts the download of what a pipeline or group lacks. Throws `download_running`, `shutting_down`. */
  start(id: string): void {
    if (this.#isClosed) throw new ApiError("shutting_down", {});
    if (this.#running.has(id)) throw new ApiError("download_running", { pipelineId: id });
    const abort = new AbortController();
    const done = this.#run(id, artifactsOf(id), abort.signal).finally(() => this.#running.delete(id));
    this.#running.set(id, { abort, done });
  }

  /** Whether the files of a pipeline or group are here, and how its download goes on or why it failed. */
  status(id: string): ModelStatus {
    const { missing } = installedFiles(id, this.#options.places);
    return { downloaded: missing.length === 0, progress: this.#progress.get(id) ?? null, missing };
  }

  /** Gives up a running download and waits for its end; what it fetched stays. False when there is none. */
  async cancel(id: string): Promise<boolean> {
    const running = this.#running.get(id);
    running?.abort.abort();
    await running?.done;
    return running !== undefined;
  }

  /** Gives up all that run, and starts none any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#running.keys()].map((id) => this.cancel(id)));
  }

  async #run(id: string, artifacts: readonly Artifact[], signal: AbortSignal): Promise<void> {
    const first = artifacts[0];
    if (first === undefined) return;
    this.#tell(id, { artifact: first.name, doneBytes: 0, totalBytes: 0 });
    this.#log.info({ pipeline: id }, "model download started");
    try {
      const downloader = new Downloader(this.#options);
      const plan = await downloader.plan(artifacts, signal);
      for (const { repo, licence, page } of plan.repos) this.#log.info({ repo, licence, page }, "model licence");
      await downloader.run(plan, signal, (progress) => this.#tell(id, progress));
      this.#progress.delete(id);
      this.#log.info({ pipeline: id, bytes: plan.totalBytes }, "model download done");
    } catch (error) {
      if (signal.aborted) {
        this.#progress.delete(id);
        this.#log.info({ pipeline: id }, "model download cancelled");
        return;
      }
      this.#progress.set(id, {
        ...this.#progress.get(id)!,
        is_downloading: false,
        note: null,
        error: errorText(error),
      });
      this.#log.error({ err: error, pipeline: id }, "model download failed");
    }
  }

  #tell(id: string, progress: Omit<DownloadProgress, "file"> & { file?: string }): void {
    const { artifact, file, doneBytes, totalBytes, note } = progress;
    this.#progress.set(id, {
      is_downloading: true,
      percentage: totalBytes === 0 ? 0 : Math.floor((1000 * doneBytes) / totalBytes) / 10,
      current_artifact: artifact,
      current_file: file ?? null,
      downloaded_bytes: doneBytes,
      total_bytes: totalBytes,
      note: note ?? null,
      error: null,
    });
  }
}
