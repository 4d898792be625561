/** What the routes work with. */
import type { IceServer } from "@everframe/protocol";
import type { Logger } from "pino";
import type { AssetStore } from "../assets/asset-store.ts";
import type { LogFile } from "../log-file.ts";
import type { ServerMetrics } from "../metrics/server-metrics.ts";
import type { DownloadManager } from "../models/download-manager.ts";
import type { PipelineManager } from "../pipelines/pipeline-manager.ts";
import type { SessionManager } from "../sessions/session-manager.ts";

export type AppContext = {
  pipelines: PipelineManager;
  sessions: SessionManager;
  assets: AssetStore;
  downloads: DownloadManager;
  iceServers: readonly IceServer[];
  /** Folder of the built studio page; it may not exist. */
  studioFolder: string;
  /** Folder of the example pages, served below /examples/. */
  examplesFolder: string;
  version: string;
  metrics: ServerMetrics;
  /** Undefined where the log is written to no file. */
  logFile: LogFile | undefined;
  log: Logger;
};
