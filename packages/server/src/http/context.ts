/** What the routes work with. */
import type { Logger } from "pino";
import type { AssetStore } from "../assets/asset-store.ts";
import type { IceDirectory } from "../ice/ice-directory.ts";
import type { LogFile } from "../log-file.ts";
import type { ServerMetrics } from "../metrics/server-metrics.ts";
import type { DownloadManager } from "../models/download-manager.ts";
import type { PipelineManager } from "../pipelines/pipeline-manager.ts";
import type { Recordings } from "../recording/recordings.ts";
import type { ProtectionOptions } from "../security/protect.ts";
import type { SessionManager } from "../sessions/session-manager.ts";

export type AppContext = {
  pipelines: PipelineManager;
  sessions: SessionManager;
  assets: AssetStore;
  downloads: DownloadManager;
  recordings: Recordings;
  ice: IceDirectory;
  protection: ProtectionOptions;
  /** Folder of the built studio page; it may not exist. */
  studioFolder: string;
  /** Folder of the built scripts for pages without a bundler; it may not exist. */
  sdkFolder: string;
  /** Folder of the example pages, served below /examples/. */
  examplesFolder: string;
  version: string;
  metrics: ServerMetrics;
  /** Undefined where the log is written to no file. */
  logFile: LogFile | undefined;
  log: Logger;
};
