// The way in: one object for one server.
import type {
  AssetInfo,
  AssetList,
  AssetType,
  IceServers,
  LoadAnswer,
  PipelineStatus as WireStatus,
} from "@everframe/protocol";
import { LOAD_TIMEOUT_MS, NOT_LOADED_GRACE_MS, STATUS_POLL_MS } from "./defaults.ts";
import { ClientError } from "./errors.ts";
import { Api, type Fetch } from "./http.ts";
import { type ConnectOptions, Session } from "./session.ts";
import { type LoadOptions, toLoadBody } from "./wire-parameters.ts";

export type ClientOptions = {
  /** The server's address, for example "http://localhost:8000". Default: where the page came from. */
  url?: string;
  /** The server's token, where it asks for one. A page that the server gave out has a cookie instead. */
  token?: string;
  /** Instead of the browser's own, where there is no browser. */
  fetch?: Fetch;
  /** Instead of the browser's own, where there is no browser. */
  RTCPeerConnection?: typeof RTCPeerConnection;
};

export type CallOptions = { signal?: AbortSignal | undefined };

/** What is loaded on the server. */
export type PipelineStatus = {
  status: WireStatus["status"];
  /** "longlive", "passthrough", or undefined. */
  pipeline: string | undefined;
  /** Which weights run, for example "longlive-tiny". */
  model: string | undefined;
  /** Size of the generated picture, pixels; undefined while nothing is loaded, or when it follows the input. */
  size: { width: number; height: number } | undefined;
  vaceEnabled: boolean | undefined;
  seed: number | undefined;
  /** Why the last load failed. */
  error: string | undefined;
  /** What a running load is doing, in words. */
  loadingStage: string | undefined;
};

export type WaitOptions = CallOptions & {
  /** Default 300 000. */
  timeoutMs?: number;
  /** Told each status while waiting. */
  onStatus?: (status: PipelineStatus) => void;
};

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

export type Client = {
  /** The server's address. */
  readonly url: string;
  /** Begins to load a pipeline (default "longlive") and returns at once; `waitUntilLoaded` waits for the end. */
  load(options?: LoadOptions, call?: CallOptions): Promise<void>;
  /** What is loaded now. */
  status(call?: CallOptions): Promise<PipelineStatus>;
  /** Resolves when a pipeline is loaded. Throws `server`/`load_failed` when loading fails, `timeout`, `aborted`. */
  waitUntilLoaded(options?: WaitOptions): Promise<PipelineStatus>;
  /** STUN and TURN servers, for a peer connection of one's own. */
  iceServers(call?: CallOptions): Promise<RTCIceServer[]>;
  readonly assets: {
    /** Stores an image or video on the server; `name` defaults to the file's own. */
    upload(file: Blob, options?: CallOptions & { name?: string }): Promise<Asset>;
    /** Files on the server, newest first. */
    list(options?: CallOptions & { type?: AssetType }): Promise<Asset[]>;
  };
  /** Opens a stream: resolves when media and parameters flow. */
  connect(options?: ConnectOptions): Promise<Session>;
};

/**
 * A client of one server.
 *
 * @example
 * const client = createClient({ url: "http://localhost:8000" });
 * await client.load();
 * await client.waitUntilLoaded();
 * const input = await camera();
 * const session = await client.connect({ stream: input.stream, parameters: { prompts: "pencil sketch" } });
 * video.srcObject = session.output;
 * session.set({ prompts: "oil painting" });
 */
export function createClient(options: ClientOptions = {}): Client {
  const url = options.url ?? globalThis.location?.origin;
  if (url === undefined) throw ClientError.unsupported("No server is named.", "Give createClient a url.");
  const api = new Api(url, options.fetch ?? globalThis.fetch.bind(globalThis), options.token);

  async function status({ signal }: CallOptions = {}): Promise<PipelineStatus> {
    return toStatus(await api.request<WireStatus>("/api/v1/pipeline/status", { signal }));
  }

  async function waitUntilLoaded(wait: WaitOptions = {}): Promise<PipelineStatus> {
    const { signal, timeoutMs = LOAD_TIMEOUT_MS, onStatus } = wait;
    const startMs = performance.now();
    for (;;) {
      const now = await status({ signal });
      onStatus?.(now);
      if (now.status === "loaded") return now;
      if (now.status === "error") {
        throw ClientError.server({
          reason: "load_failed",
          message: now.error ?? "The pipeline could not be loaded.",
          help: "Change what the message names, or look at the server's log, then load again.",
        });
      }
      const waitedMs = performance.now() - startMs;
      if (now.status === "not_loaded" && waitedMs > NOT_LOADED_GRACE_MS) {
        throw ClientError.server({
          reason: "pipeline_not_loaded",
          message: "No pipeline is loaded, and none is being loaded.",
          help: "Load one first.",
        });
      }
      if (waitedMs > timeoutMs) throw ClientError.timeout("Loading the pipeline", timeoutMs);
      await pause(STATUS_POLL_MS, signal);
    }
  }

  async function iceServers({ signal }: CallOptions = {}): Promise<RTCIceServer[]> {
    const answer = await api.request<IceServers>("/api/v1/webrtc/ice-servers", { signal });
    // Some servers send null where a STUN entry has no user; RTCPeerConnection wants the keys left out.
    return answer.iceServers.map(({ urls, username, credential }) => ({
      urls,
      ...(username == null ? {} : { username }),
      ...(credential == null ? {} : { credential }),
    }));
  }

  return {
    url: api.url,
    status,
    waitUntilLoaded,
    iceServers,
    async load(load: LoadOptions = {}, { signal }: CallOptions = {}) {
      await api.request<LoadAnswer>("/api/v1/pipeline/load", { method: "POST", json: toLoadBody(load), signal });
    },
    assets: {
      async upload(file, { name, signal } = {}) {
        const filename = name ?? ("name" in file && typeof file.name === "string" ? file.name : "");
        const path = `/api/v1/assets?filename=${encodeURIComponent(filename)}`;
        return toAsset(await api.request<AssetInfo>(path, { method: "POST", body: file, signal }));
      },
      async list({ type, signal } = {}) {
        const query = type === undefined ? "" : `?type=${type}`;
        const { assets } = await api.request<AssetList>(`/api/v1/assets${query}`, { signal });
        return assets.map(toAsset);
      },
    },
    connect(connect: ConnectOptions = {}) {
      const PeerConnection = options.RTCPeerConnection ?? globalThis.RTCPeerConnection;
      if (PeerConnection === undefined) {
        const help = "Use a current browser, and allow WebRTC in its settings.";
        return Promise.reject(ClientError.unsupported("This browser has no WebRTC.", help));
      }
      return Session.connect({ api, PeerConnection, iceServers: (signal) => iceServers({ signal }) }, connect);
    },
  };
}

function toStatus(wire: WireStatus): PipelineStatus {
  const params = wire.load_params;
  const { width, height } = params ?? { width: null, height: null };
  return {
    status: wire.status,
    pipeline: wire.pipeline_id ?? undefined,
    model: wire.model ?? undefined,
    size: width === null || height === null ? undefined : { width, height },
    vaceEnabled: params?.vace_enabled,
    seed: params?.seed,
    error: wire.error ?? undefined,
    loadingStage: wire.loading_stage ?? undefined,
  };
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

/** Resolves after `ms`; throws ClientError `aborted` as soon as the signal fires. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(ClientError.aborted(signal?.reason));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
