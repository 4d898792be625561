// The page's conductor, without React: watches the server, loads the pipeline, opens the source, runs the session, and
// publishes one immutable snapshot after each change. Components read the snapshot and call the methods.

import type { PipelineStatus, Session, SessionState, SessionStats } from "@everframe/client";
import { type Client, ClientError, camera, file, type Input, screen } from "@everframe/client";
import { type Notice, noticeOf, noticeOfEnd, noticeOfSourceEnd, UNREACHABLE } from "./notice.ts";
import {
  changedParameters,
  readSettings,
  type Settings,
  toLoadOptions,
  toParameters,
  writeSettings,
} from "./settings.ts";

export type SourceKind = Input["kind"];

/**
 * Where the stream stands: `idle` nothing runs; `opening` the browser asks for the source; `waiting` for the pipeline;
 * `connecting`; `warming` until the first generated picture; `live`.
 */
export type Phase = "idle" | "opening" | "waiting" | "connecting" | "warming" | "live";

export type Snapshot = {
  settings: Settings;
  phase: Phase;
  /** True while no packets arrive and the connection may still heal. */
  interrupted: boolean;
  /** False while the server does not answer; undefined before the first try. */
  reachable: boolean | undefined;
  pipeline: PipelineStatus | undefined;
  source: Input | undefined;
  /** The source that was asked for last: what "start again" means. */
  kind: SourceKind;
  output: MediaStream | undefined;
  stats: SessionStats | undefined;
  /** Why nothing runs, in words. */
  notice: Notice | undefined;
  /** A remark about a stream that goes on. */
  remark: string | undefined;
};

const POLL_LOADING_MS = 400;
const POLL_UNREACHABLE_MS = 2_000;
const POLL_IDLE_MS = 4_000;
const REMARK_MS = 6_000;

/** One page's studio. `start` and the rest never throw: what goes wrong becomes a notice. */
export class Studio {
  readonly #client: Client;
  readonly #listeners = new Set<() => void>();
  readonly #page = new AbortController();
  #snapshot: Snapshot;
  #session: Session | undefined;
  #attempt: AbortController | undefined;
  #pollTimer: ReturnType<typeof setTimeout> | undefined;
  #remarkTimer: ReturnType<typeof setTimeout> | undefined;
  #settingsTimer: ReturnType<typeof setTimeout> | undefined;
  /** A load of ours was asked for; counted, so that a status asked for before it is not believed after it. */
  #loadSent = false;
  #loads = 0;
  #file: Blob | undefined;

  constructor(client: Client) {
    this.#client = client;
    this.#snapshot = {
      settings: readSettings(),
      phase: "idle",
      interrupted: false,
      reachable: undefined,
      pipeline: undefined,
      source: undefined,
      kind: "camera",
      output: undefined,
      stats: undefined,
      notice: undefined,
      remark: undefined,
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  readonly snapshot = (): Snapshot => this.#snapshot;

  /** Begins to watch the server; loads the pipeline when none is loaded. Returns the function that ends it all. */
  open(): () => void {
    this.#poll();
    return () => {
      this.#page.abort();
      clearTimeout(this.#pollTimer);
      clearTimeout(this.#remarkTimer);
      this.stop();
    };
  }

  /** Opens a source and streams it. The open source of the same kind is used again, unless a file is given. */
  async start(kind: SourceKind, chosen?: Blob): Promise<void> {
    this.#endAttempt();
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#update({ notice: undefined, phase: "opening", kind });
    try {
      const source = await this.#openSource(kind, chosen);
      if (attempt.signal.aborted) {
        if (this.#snapshot.source !== source) source.release();
        return;
      }
      this.#update({ source, phase: "waiting" });
      await this.#whenLoaded(attempt.signal);
      this.#update({ phase: "connecting" });
      const session = await this.#client.connect({
        stream: source.stream,
        parameters: toParameters(this.#snapshot.settings),
        signal: attempt.signal,
      });
      this.#session = session;
      this.#watch(session);
      this.#update({ phase: "warming", output: session.output });
      // The settings may have changed while the offer was on its way.
      session.set(toParameters(this.#snapshot.settings));
    } catch (error) {
      if (this.#attempt !== attempt) return;
      this.#endAttempt();
      this.#update({ phase: "idle", notice: noticeOf(error, "start") });
    }
  }

  /** Ends the stream and gives the source back. */
  stop(): void {
    this.#endAttempt();
    this.#snapshot.source?.release();
    this.#update({ phase: "idle", source: undefined, notice: undefined });
  }

  /** The output shows its first picture. */
  firstPicture(): void {
    if (this.#snapshot.phase === "warming") this.#update({ phase: "live" });
  }

  /** Changes settings: live where the stream can follow, by loading again where it cannot. */
  change(patch: Partial<Settings>): void {
    const before = this.#snapshot.settings;
    const settings = { ...before, ...patch };
    this.#update({ settings });
    clearTimeout(this.#settingsTimer);
    this.#settingsTimer = setTimeout(() => writeSettings(settings), 200);
    const loadedWithoutVace = settings.mode === "vace" && this.#snapshot.pipeline?.vaceEnabled === false;
    if (settings.size !== before.size || settings.passthrough !== before.passthrough || loadedWithoutVace) {
      void this.load();
      return;
    }
    const parameters = changedParameters(before, settings);
    if (parameters !== undefined && this.#session?.state.name === "live") this.#session.set(parameters);
  }

  /** Loads the pipeline for the settings, and goes on with the source that is open. */
  async load(): Promise<void> {
    const { source, phase } = this.#snapshot;
    const resume = phase === "idle" ? undefined : source;
    const { pipeline: former } = this.#snapshot;
    this.#endAttempt();
    this.#loadSent = true;
    this.#loads++;
    this.#update({ phase: "idle", notice: undefined, pipeline: former && { ...former, status: "loading" } });
    try {
      await this.#client.load(toLoadOptions(this.#snapshot.settings), { signal: this.#page.signal });
      const pipeline = await this.#client.status({ signal: this.#page.signal });
      this.#update({ pipeline, reachable: true });
    } catch (error) {
      this.#update({ notice: noticeOf(error, "load") });
      return;
    } finally {
      this.#poll();
    }
    if (resume !== undefined) await this.start(resume.kind);
  }

  async #openSource(kind: SourceKind, chosen: Blob | undefined): Promise<Input> {
    const current = this.#snapshot.source;
    if (current?.kind === kind && chosen === undefined && isLive(current)) return current;
    current?.release();
    this.#update({ source: undefined });
    const size = this.#snapshot.pipeline?.size ?? {};
    const source = await open(kind, size, chosen ?? this.#file);
    if (kind === "file") this.#file = chosen ?? this.#file;
    source.onEnded(() => {
      if (this.#snapshot.source !== source) return;
      this.stop();
      this.#update({ notice: noticeOfSourceEnd(kind) });
    });
    return source;
  }

  #watch(session: Session): void {
    session.on("state", (state) => this.#handleState(session, state));
    session.on("stats", (stats) => this.#update({ stats }));
    session.on("error", (error) => this.#say(error.message));
    session.on("rejected", (rejected) => {
      this.#say(rejected.map(({ name, allowed }) => `${name ?? "A setting"} must be ${allowed}.`).join(" "));
    });
  }

  #handleState(session: Session, state: SessionState): void {
    if (this.#session !== session) return;
    if (state.name === "live") this.#update({ interrupted: state.interrupted });
    if (state.name !== "closed") return;
    this.#endAttempt();
    this.#update({ phase: "idle", notice: noticeOfEnd(state) });
    this.#poll();
  }

  /** Ends session and attempt; the source stays open. */
  #endAttempt(): void {
    const session = this.#session;
    const attempt = this.#attempt;
    this.#session = undefined;
    this.#attempt = undefined;
    attempt?.abort();
    session?.close();
    this.#update({ output: undefined, stats: undefined, interrupted: false });
  }

  /** Looks at the server now and again later: often while something changes, seldom while nothing does. */
  #poll(): void {
    clearTimeout(this.#pollTimer);
    if (this.#page.signal.aborted) return;
    const again = (pauseMs: number) => {
      clearTimeout(this.#pollTimer);
      if (!this.#page.signal.aborted) this.#pollTimer = setTimeout(() => this.#poll(), pauseMs);
    };
    this.#look().then(again, (error: unknown) => {
      this.#update({ notice: noticeOf(error, "load") });
      again(POLL_IDLE_MS);
    });
  }

  async #look(): Promise<number> {
    let pipeline: PipelineStatus;
    const loads = this.#loads;
    try {
      pipeline = await this.#client.status({ signal: this.#page.signal });
    } catch (error) {
      const { code } = ClientError.from(error);
      if (code === "aborted") return POLL_IDLE_MS;
      // A stream that runs says by itself when it ends.
      const running = this.#session !== undefined;
      this.#loadSent = false;
      this.#update({
        reachable: false,
        ...(running
          ? {}
          : { pipeline: undefined, notice: code === "unreachable" ? UNREACHABLE : noticeOf(error, "load") }),
      });
      return POLL_UNREACHABLE_MS;
    }
    if (loads !== this.#loads) return POLL_LOADING_MS;
    const { notice, pipeline: former } = this.#snapshot;
    // What was loaded is gone: the server was started anew.
    if (former?.status === "loaded" && pipeline.status === "not_loaded") this.#loadSent = false;
    this.#update({ reachable: true, pipeline, notice: notice === UNREACHABLE ? undefined : notice });
    switch (pipeline.status) {
      case "not_loaded":
        if (this.#loadSent) return POLL_LOADING_MS;
        this.#loadSent = true;
        this.#loads++;
        await this.#client.load(toLoadOptions(this.#snapshot.settings), { signal: this.#page.signal });
        return POLL_LOADING_MS;
      case "loading":
        return POLL_LOADING_MS;
      case "error":
        if (this.#snapshot.phase === "idle" && this.#snapshot.notice === undefined) {
          this.#update({ notice: noticeOf(loadError(pipeline), "load") });
        }
        return POLL_IDLE_MS;
      case "loaded":
        if (!this.#loadSent) this.#adopt(pipeline);
        return POLL_IDLE_MS;
    }
  }

  /** Takes over what someone else has loaded, rather than loading again under their feet. */
  #adopt(pipeline: PipelineStatus): void {
    const { settings } = this.#snapshot;
    const passthrough = pipeline.pipeline === "passthrough";
    const size = pipeline.size?.width === 576 && pipeline.size.height === 320 ? "576x320" : "default";
    const mode = pipeline.vaceEnabled === false && !passthrough ? "normal" : settings.mode;
    if (passthrough === settings.passthrough && mode === settings.mode && (passthrough || size === settings.size))
      return;
    this.#update({ settings: { ...settings, passthrough, mode, size: passthrough ? settings.size : size } });
  }

  /** Resolves when the pipeline is loaded. Throws when it cannot be. */
  #whenLoaded(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const { pipeline, reachable } = this.#snapshot;
        if (signal.aborted) settle(() => reject(ClientError.aborted()));
        else if (pipeline?.status === "loaded") settle(resolve);
        else if (pipeline?.status === "error") settle(() => reject(loadError(pipeline)));
        else if (reachable === false) settle(() => reject(ClientError.unreachable(this.#client.url)));
      };
      const settle = (finish: () => void) => {
        unsubscribe();
        signal.removeEventListener("abort", look);
        finish();
      };
      const unsubscribe = this.subscribe(look);
      signal.addEventListener("abort", look);
      look();
    });
  }

  #say(remark: string): void {
    clearTimeout(this.#remarkTimer);
    this.#update({ remark });
    this.#remarkTimer = setTimeout(() => this.#update({ remark: undefined }), REMARK_MS);
  }

  #update(patch: Partial<Snapshot>): void {
    const entries = Object.entries(patch) as [keyof Snapshot, unknown][];
    if (entries.every(([name, value]) => Object.is(this.#snapshot[name], value))) return;
    this.#snapshot = { ...this.#snapshot, ...patch };
    for (const listener of [...this.#listeners]) listener();
  }
}

/** False on phones, whose browsers have no such thing. */
export function canShareScreen(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === "function";
}

function open(kind: SourceKind, size: { width?: number; height?: number }, chosen: Blob | undefined): Promise<Input> {
  if (kind === "camera") return camera(size);
  if (kind === "screen") return screen(size);
  if (chosen === undefined) {
    return Promise.reject(ClientError.unsupported("No video file is chosen.", "Choose one, then start again."));
  }
  return file(chosen, size);
}

function isLive(input: Input): boolean {
  return input.stream.getVideoTracks().some((track) => track.readyState === "live");
}

function loadError(pipeline: PipelineStatus): ClientError {
  return ClientError.server({ reason: "load_failed", message: pipeline.error ?? "The server's log says why." });
}
