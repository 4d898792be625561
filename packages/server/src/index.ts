/**
 * The server as one object: HTTP, sessions and the pipeline, put together.
 * The command line, tests and benchmarks start it through this.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ApiError } from "@everframe/protocol";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import type { Logger } from "pino";
import { AssetStore } from "./assets/asset-store.ts";
import { ImageDecoder } from "./assets/image-decoder.ts";
import { createApp } from "./http/app.ts";
import { IceDirectory } from "./ice/ice-directory.ts";
import { readIceSettings } from "./ice/ice-settings.ts";
import type { LogFile } from "./log-file.ts";
import { createLogger } from "./logger.ts";
import { ServerMetrics } from "./metrics/server-metrics.ts";
import { DownloadManager } from "./models/download-manager.ts";
import { HubCache } from "./models/hub-cache.ts";
import { type HubSettings, readHubSettings } from "./models/hub-settings.ts";
import { modelsDirOf } from "./models/installed-models.ts";
import { availableBytes } from "./models/machine-memory.ts";
import { longlive } from "./pipelines/longlive.ts";
import { passthrough } from "./pipelines/passthrough.ts";
import type { PipelineDefinition } from "./pipelines/pipeline.ts";
import { type PipelineActivity, PipelineManager } from "./pipelines/pipeline-manager.ts";
import { Encoder } from "./recording/encoder.ts";
import { Recordings } from "./recording/recordings.ts";
import { Access } from "./security/access.ts";
import type { ProtectionOptions } from "./security/protect.ts";
import { isLoopbackName } from "./security/request-source.ts";
import { systemClock } from "./sessions/clock.ts";
import { SessionManager } from "./sessions/session-manager.ts";
import type { Restore } from "./supervisor/restart-policy.ts";
import { createWrtcBackend } from "./webrtc/wrtc-peer.ts";

const STUDIO_FOLDER = fileURLToPath(new URL("../../../apps/studio/dist", import.meta.url));
const SDK_FOLDER = fileURLToPath(new URL("../../client/dist", import.meta.url));
const EXAMPLES_FOLDER = fileURLToPath(new URL("../../../examples", import.meta.url));
const PACKAGE = fileURLToPath(new URL("../package.json", import.meta.url));
/** Connections at once: enough for every session's, and for a crowd that looks on. */
const MAX_CONNECTIONS = 1024;
/** A client that takes longer to say what it wants is no client. */
const HEADERS_TIMEOUT_MS = 20_000;
/** Longer than proxies and clients keep an idle connection, so that none is closed while a request is on its way. */
const KEEP_ALIVE_MS = 75_000;
const MAX_RECORDING_AGE_MS = 24 * 3600_000;
/** Of all together. */
const MAX_RECORDING_BYTES = 10 * 1024 ** 3;

export type ServerOptions = {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 8000; 0 takes any free one. */
  port?: number;
  /** Default ~/.daydream-scope/models. */
  modelsDir?: string;
  /** Where models are fetched from and kept; default as the environment says (HF_HOME and the like). */
  hub?: HubSettings;
  /** Default `assets` beside the models folder. */
  assetsDir?: string;
  /** Where recordings are kept; default `recordings` beside the models folder. */
  recordingsDir?: string;
  /** Path or name of ffmpeg, which records; default "ffmpeg". */
  ffmpeg?: string;
  /** Folder of LoRA files; default `lora` beside the models folder. */
  loraDir?: string;
  /** What models compute on; default the CPU. */
  device?: "cpu" | "webgpu";
  /** Folder of the built page; default that of apps/studio. */
  studioFolder?: string;
  /** Folder of the built scripts for pages without a bundler; default that of packages/client. */
  sdkFolder?: string;
  /** STUN and TURN servers, each a URL or JSON; default as the environment says, see `readIceSettings`. */
  iceServers?: readonly string[];
  /** Whether to connect through TURN servers alone. */
  isRelayOnly?: boolean;
  /** UDP ports for media, both included; default any. */
  udpPorts?: { min: number; max: number };
  /** What clients have to show; default nothing. */
  token?: string;
  /** Origins whose pages may use everything, "*" for all; see `ProtectionOptions`. */
  allowOrigins?: readonly string[];
  /** Names of this server beside the local ones; they matter without a token alone. */
  allowHosts?: readonly string[];
  /** Whether a proxy in front tells the client's address in X-Forwarded-For. */
  trustProxy?: boolean;
  /** Sessions at once, even if the machine could hold more; default 8. */
  maxSessions?: number;
  /** Frames a second that each session should get at least: more sessions than that allows are refused. Default 2. */
  minFps?: number;
  /** How long a lost client may stay away before its session is given up, milliseconds; default 30,000. */
  graceMs?: number;
  /** Memory that is free now; default as the system says. */
  availableBytes?: () => number;
  /** Upper bound of a session's outgoing bitrate; the size of the picture bounds it too. */
  maxBitrateBps?: number;
  /** More pipelines than the built-in ones, or others under their ids. */
  pipelines?: readonly PipelineDefinition[];
  /** What an earlier process of this server left behind. */
  restore?: Restore;
  /** Told what is being loaded, or is there, whenever that changes. */
  onActivity?: (activity: PipelineActivity) => void;
  log?: Logger;
  /** Where `log` is also written to, for the endpoints that show it. */
  logFile?: LogFile;
};

export type EverframeServer = {
  /** The HTTP application, to be asked without a socket. */
  app: Hono;
  /** Starts to listen; rejects when the port is in use. */
  start(): Promise<{ url: string; port: number }>;
  /** Ends sessions, the pipeline and the socket, in the order that leaves no native code running. */
  close(): Promise<void>;
};

/** Puts a server together; it listens once it is started. Throws for a token that is too short and for bad ICE servers. */
export function createServer(options: ServerOptions = {}): EverframeServer {
  const host = options.host ?? "127.0.0.1";
  const log = options.log ?? createLogger();
  const modelsDir = modelsDirOf({}, options.modelsDir);
  const hub = options.hub ?? readHubSettings(process.env);
  const places = { modelsDir, cache: new HubCache(hub.cacheDir) };
  const downloads = new DownloadManager({ settings: hub, places }, log);
  const assets = new AssetStore(options.assetsDir ?? join(dirname(modelsDir), "assets"));
  const isLocal = isLoopbackName(host);
  const { iceServers = [], isRelayOnly = false, udpPorts, trustProxy = false } = options;
  // A proxy in front means that clients come from elsewhere after all.
  const iceSettings = readIceSettings({ iceServers, isRelayOnly, isLocal: isLocal && !trustProxy }, process.env);
  const ice = new IceDirectory(iceSettings, log);
  const access = new Access(options.token);
  const protection: ProtectionOptions = {
    access,
    isLocal,
    trustProxy,
    ...(options.allowOrigins === undefined ? {} : { allowOrigins: options.allowOrigins }),
    ...(options.allowHosts === undefined ? {} : { allowHosts: options.allowHosts }),
  };
  const metrics = new ServerMetrics();
  const sessions = new SessionManager({
    onChunk: (tookMs) => metrics.countChunk(tookMs),
    onEnd: (reason, figures) => metrics.countSession(reason, figures),
    media: createWrtcBackend({ log, isRelayOnly, ...(udpPorts === undefined ? {} : { udpPorts }) }),
    iceServers: () => ice.servers(),
    resolveAsset: (path) => assets.resolve(path),
    imageDecoder: new ImageDecoder(),
    clock: systemClock,
    log,
    graceMs: options.graceMs ?? 30_000,
    ...(options.maxBitrateBps === undefined ? {} : { maxBitrateBps: options.maxBitrateBps }),
    maxSessions: options.maxSessions ?? 8,
    minFps: options.minFps ?? 2,
    availableBytes: options.availableBytes ?? availableBytes,
  });
  const recordings = new Recordings({
    folder: options.recordingsDir ?? join(dirname(modelsDir), "recordings"),
    encoder: new Encoder(options.ffmpeg),
    maxAgeMs: MAX_RECORDING_AGE_MS,
    maxBytes: MAX_RECORDING_BYTES,
    clock: systemClock,
    log,
  });
  const loraDir = resolve(options.loraDir ?? join(dirname(modelsDir), "lora"));
  const models = { places, loraDir, ...(options.device === undefined ? {} : { device: options.device }) };
  const builtIn = [longlive("longlive", models), longlive("longlive-tiny", models), passthrough];
  const own = options.pipelines ?? [];
  const pipelines = new PipelineManager({
    definitions: [...own, ...builtIn.filter((one) => !own.some(({ id }) => id === one.id))],
    log,
    users: {
      release: (nextPipelineId) => sessions.release(nextPipelineId),
      adopt: (pipeline) => sessions.adopt(pipeline),
      end: (reason, error) => sessions.closeAll(reason, error),
    },
    availableBytes: options.availableBytes ?? availableBytes,
    ...(options.onActivity === undefined ? {} : { onActivity: options.onActivity }),
  });
  restorePipeline(pipelines, options.restore);
  const version = (JSON.parse(readFileSync(PACKAGE, "utf8")) as { version: string }).version;
  const studioFolder = resolve(options.studioFolder ?? STUDIO_FOLDER);
  const pages = { studioFolder, sdkFolder: options.sdkFolder ?? SDK_FOLDER, examplesFolder: EXAMPLES_FOLDER };
  const { logFile } = options;
  const app = createApp({
    pipelines,
    sessions,
    assets,
    downloads,
    recordings,
    ice,
    protection,
    ...pages,
    version,
    metrics,
    logFile,
    log,
  });
  let socket: Server | undefined;

  return {
    app,
    async start() {
      socket = createAdaptorServer({ fetch: app.fetch }) as Server;
      socket.maxConnections = MAX_CONNECTIONS;
      socket.headersTimeout = HEADERS_TIMEOUT_MS;
      socket.keepAliveTimeout = KEEP_ALIVE_MS;
      socket.listen(options.port ?? 8000, host);
      await once(socket, "listening"); // rejects on "error"
      const address = socket.address();
      if (address === null || typeof address === "string") throw new Error("internal: the socket has no port");
      if (!isLocal && access.isOpen) {
        log.warn(
          { host },
          "anyone who reaches this address can use this server: give it a token, or bind it to 127.0.0.1",
        );
      }
      const name = isLocal || isAnyAddress(host) ? "localhost" : host.includes(":") ? `[${host}]` : host;
      return { url: `http://${name}:${address.port}`, port: address.port };
    },
    async close() {
      socket?.close();
      await downloads.close();
      await recordings.close();
      // The pipeline's end includes that of its sessions, and waits for the engine thread.
      await pipelines.close();
      await sessions.closeAll("server_shutdown");
      socket?.closeAllConnections();
    },
  };
}

/** Loads what was loaded before, or says in the status why it is not there any more. */
function restorePipeline(pipelines: PipelineManager, { load, failed }: Restore = {}): void {
  try {
    if (load !== undefined) pipelines.load(load);
  } catch (error) {
    pipelines.fail(ApiError.from(error));
  }
  if (failed === undefined) return;
  const { pipelineId } = failed.request;
  const reason = `the server died of it (${failed.cause}) and was started again without it`;
  const error = failed.outOfMemory
    ? new ApiError("out_of_memory", { reason: `${reason}; most likely the memory did not suffice` })
    : new ApiError("load_failed", { pipelineId, reason });
  pipelines.fail(error);
}

function isAnyAddress(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}
