// The way in: one object for one server.
import type { HardwareInfo, IceServers, LoadAnswer, PipelineStatus as WireStatus } from "@everframe/protocol";
import { Assets } from "./assets.ts";
import { LOAD_TIMEOUT_MS, NOT_LOADED_GRACE_MS, STATUS_POLL_MS } from "./defaults.ts";
import { ClientError } from "./errors.ts";
import { Api, type CallOptions, type Fetch } from "./http.ts";
import type { LinkEnvironment } from "./link.ts";
import { Models } from "./models.ts";
import { pause } from "./pause.ts";
import { type PipelineSchema, readSchemas } from "./schemas.ts";
import { type ConnectOptions, Session } from "./session.ts";
import { type LoadOptions, toLoadBody } from "./wire-parameters.ts";

export type ClientOptions = {
  /** The server's address, for example "http://localhost:8000". Default: where the page came from. */
  url?: string;
  /** The server's token, where it asks for one. Pages that the server gave out have a cookie instead. Default: none. */
  token?: string;
  /** What makes requests. Default: the browser's own, or Node's. */
  fetch?: Fetch;
  /** What makes connections, where there is no browser. Default: the browser's own. */
  RTCPeerConnection?: typeof RTCPeerConnection;
};

/** What is loaded on the server. */
export type PipelineStatus = {
  /** "not_loaded", "loading", "loaded" or "error". */
  status: WireStatus["status"];
  /** "longlive", "passthrough", or undefined. */
  pipeline: string | undefined;
  /** Which weights run, for example "longlive-tiny". */
  model: string | undefined;
  /** Size of the generated picture, pixels; undefined while nothing is loaded, or when it follows the input. */
  size: { width: number; height: number } | undefined;
  /** Whether references and input video as a guide can be used; undefined while nothing is loaded. */
  vaceEnabled: boolean | undefined;
  /** What the noise of sessions without a `baseSeed` is made from. */
  seed: number | undefined;
  /** LoRAs whose scales can be changed while video runs, with the scales of the load. */
  loras: readonly { path: string; scale: number }[];
  /** Why the last load failed. */
  error: string | undefined;
  /** What a running load is doing, in words. */
  loadingStage: string | undefined;
};

export type WaitOptions = CallOptions & {
  /** Longest wait, milliseconds. Default 300 000. */
  timeoutMs?: number;
  /** Told each status while waiting. Default: nobody is. */
  onStatus?: (status: PipelineStatus) => void;
};

export type LoadCall = WaitOptions & {
  /** False returns as soon as loading has begun. Default true. */
  wait?: boolean;
};

export type Client = {
  /** The server's address. */
  readonly url: string;
  /**
   * Loads a pipeline (default "longlive") and resolves when it is loaded. What is loaded already stays, and sessions that
   * run go on with it. Throws `server`/`load_failed`, `out_of_memory` and their like, `timeout`, `aborted`.
   */
  load(options?: LoadOptions, call?: LoadCall): Promise<PipelineStatus>;
  /** What is loaded now. */
  status(call?: CallOptions): Promise<PipelineStatus>;
  /** Resolves when a pipeline is loaded. Throws `server`/`load_failed` when loading fails, `timeout`, `aborted`. */
  waitUntilLoaded(options?: WaitOptions): Promise<PipelineStatus>;
  /** Every pipeline of the server with its parameters, enough to draw their controls. */
  schemas(call?: CallOptions): Promise<Record<string, PipelineSchema>>;
  /** The server's machine: processors and memory. For pages of the server's own only, unless the server allows others. */
  hardware(call?: CallOptions): Promise<HardwareInfo>;
  /** STUN and TURN servers, for a peer connection of one's own. */
  iceServers(call?: CallOptions): Promise<RTCIceServer[]>;
  /** Images and videos on the server. */
  readonly assets: Assets;
  /** The models' files on the server. */
  readonly models: Models;
  /** Opens a stream: resolves when media and parameters flow. */
  connect(options?: ConnectOptions): Promise<Session>;
};

/**
 * A client of one server.
 *
 * @example
 * const client = createClient({ url: "http://localhost:8000" });
 * await client.load();
 * const input = await camera();
 * const session = await client.connect({ stream: input, parameters: { prompts: "pencil sketch" } });
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

  /** What this client loaded last, to be loaded again by a server that has forgotten it. */
  let lastLoad: LoadOptions | undefined;

  async function load(options: LoadOptions = {}, { wait = true, ...call }: LoadCall = {}): Promise<PipelineStatus> {
    const { signal } = call;
    await api.request<LoadAnswer>("/api/v1/pipeline/load", { method: "POST", json: toLoadBody(options), signal });
    lastLoad = options;
    return wait ? waitUntilLoaded(call) : status({ signal });
  }

  const environment: Omit<LinkEnvironment, "PeerConnection"> = {
    api,
    iceServers: (signal) => iceServers({ signal }),
    async revive(signal) {
      const { status: name } = await status({ signal });
      if (name === "not_loaded" && lastLoad !== undefined) await load(lastLoad, { signal });
      else if (name !== "not_loaded") await waitUntilLoaded({ signal });
    },
  };

  return {
    url: api.url,
    status,
    waitUntilLoaded,
    iceServers,
    load,
    schemas: ({ signal } = {}) => readSchemas(api, signal),
    hardware: ({ signal } = {}) => api.request<HardwareInfo>("/api/v1/hardware/info", { signal }),
    assets: new Assets(api),
    models: new Models(api),
    connect(connect: ConnectOptions = {}) {
      const PeerConnection = options.RTCPeerConnection ?? globalThis.RTCPeerConnection;
      if (PeerConnection === undefined) {
        const help = "Use a current browser, and allow WebRTC in its settings.";
        return Promise.reject(ClientError.unsupported("This browser has no WebRTC.", help));
      }
      return Session.connect({ ...environment, PeerConnection }, connect);
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
    loras: wire.loaded_lora_adapters ?? [],
    error: wire.error ?? undefined,
    loadingStage: wire.loading_stage ?? undefined,
  };
}
