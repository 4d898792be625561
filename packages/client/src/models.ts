// The models' files on the server's machine: what is there, fetching what is missing, giving that up.
import type { ModelDownloadAnswer, ModelProgress, ModelStatus as WireStatus } from "@everframe/protocol";
import { DOWNLOAD_POLL_MS } from "./defaults.ts";
import { ClientError } from "./errors.ts";
import type { Api, CallOptions } from "./http.ts";
import { pause } from "./pause.ts";

/** How far a download is. */
export type DownloadProgress = {
  /** False when it has ended, well or not. */
  isDownloading: boolean;
  /** Of all bytes that were missing, 0 to 100. */
  percentage: number;
  /** Whose file is being fetched: a repository's name. */
  artifact: string;
  /** The file in it. */
  file: string | undefined;
  /** Of what was missing. */
  downloadedBytes: number;
  /** Of what was missing. */
  totalBytes: number;
  /** What it waits for at the moment, in words. */
  note: string | undefined;
  /** Why it failed. */
  error: string | undefined;
};

export type ModelStatus = {
  /** All files are here; also true for a pipeline that needs none. */
  downloaded: boolean;
  /** Names of the files that are not here. */
  missing: readonly string[];
  /** Of the download that runs, or of the last one if it failed. */
  progress: DownloadProgress | undefined;
};

export type DownloadOptions = {
  /** Gives the download up on the server, too; what has come stays, and the next download goes on from there. Default: none. */
  signal?: AbortSignal | undefined;
  /** Told each look at the progress. Default: nobody is. */
  onProgress?: (progress: DownloadProgress) => void;
  /** Milliseconds between two looks. Default 500. */
  pollMs?: number;
};

export class Models {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** What is there of a pipeline or group: "longlive" (default), "vae" or "all". */
  async status(id = "longlive", { signal }: CallOptions = {}): Promise<ModelStatus> {
    const path = `/api/v1/models/status?pipeline_id=${encodeURIComponent(id)}`;
    const { downloaded, missing, progress } = await this.#api.request<WireStatus>(path, { signal });
    return { downloaded, missing, progress: progress === null ? undefined : toProgress(progress) };
  }

  /**
   * Fetches what is missing and resolves when all files are here. Follows a download that runs already. Throws
   * `server`/`download_failed` and its like, and `aborted` with the signal.
   */
  async download(id = "longlive", options: DownloadOptions = {}): Promise<ModelStatus> {
    const { signal, onProgress, pollMs = DOWNLOAD_POLL_MS } = options;
    try {
      await this.#begin(id, signal);
      for (;;) {
        const now = await this.status(id, { signal });
        if (now.progress !== undefined) onProgress?.(now.progress);
        if (now.downloaded) return now;
        if (now.progress?.isDownloading !== true) throw downloadError(now);
        await pause(pollMs, signal);
      }
    } catch (error) {
      if (signal?.aborted === true) await this.cancel(id);
      throw error;
    }
  }

  /** Gives a download up; what has come stays. Does nothing where none runs. */
  async cancel(id = "longlive"): Promise<void> {
    const path = `/api/v1/models/download?pipeline_id=${encodeURIComponent(id)}`;
    await this.#api.request<ModelDownloadAnswer>(path, { method: "DELETE" });
  }

  async #begin(id: string, signal: AbortSignal | undefined): Promise<void> {
    try {
      const json = { pipeline_id: id };
      await this.#api.request<ModelDownloadAnswer>("/api/v1/models/download", { method: "POST", json, signal });
    } catch (error) {
      if (ClientError.from(error).reason !== "download_running") throw error;
    }
  }
}

function downloadError({ progress, missing }: ModelStatus): ClientError {
  const message = progress?.error ?? `The download ended before everything was here (${missing.length} files missing).`;
  const help = "Start it again: it goes on where it was.";
  return ClientError.server({ reason: "download_failed", message, help, retryable: true });
}

function toProgress(wire: ModelProgress): DownloadProgress {
  return {
    isDownloading: wire.is_downloading,
    percentage: wire.percentage,
    artifact: wire.current_artifact,
    file: wire.current_file ?? undefined,
    downloadedBytes: wire.downloaded_bytes,
    totalBytes: wire.total_bytes,
    note: wire.note ?? undefined,
    error: wire.error ?? undefined,
  };
}
