// Watches the server: whether it answers, what is loaded, what it can do. Loads the pipeline that the settings name when
// nothing is loaded, and takes over what someone else has loaded rather than loading again under their feet.
import { type Client, ClientError, type PipelineStatus } from "@everframe/client";
import { noticeOf, UNREACHABLE } from "../state/notice.ts";
import { type LoadChoice, toLoadOptions } from "../state/settings.ts";
import type { State } from "../state/state.ts";
import type { Store } from "../state/store.ts";

const POLL_LOADING_MS = 400;
const POLL_UNREACHABLE_MS = 2_000;
const POLL_IDLE_MS = 4_000;
/** Looks at a server that has lost its pipeline under a stream, before the page loads it: the session may do so itself. */
const PATIENT_LOOKS = 8;

export class PipelineWatch {
  readonly #client: Client;
  readonly #store: Store<State>;
  readonly #page = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** A load of ours was asked for; counted, so that a status asked for before it is not believed after it. */
  #loadSent = false;
  #loads = 0;
  /** What ran last, to be brought back to a server that was started anew. */
  #last: PipelineStatus | undefined;
  #emptyLooks = 0;

  constructor(client: Client, store: Store<State>) {
    this.#client = client;
    this.#store = store;
  }

  close(): void {
    this.#page.abort();
    clearTimeout(this.#timer);
  }

  /** Looks at the server now and again later: often while something changes, seldom while nothing does. */
  look(): void {
    clearTimeout(this.#timer);
    if (this.#page.signal.aborted) return;
    const again = (pauseMs: number) => {
      clearTimeout(this.#timer);
      if (!this.#page.signal.aborted) this.#timer = setTimeout(() => this.look(), pauseMs);
    };
    this.#read().then(again, (error: unknown) => {
      this.#store.update({ notice: noticeOf(error, "load") });
      again(POLL_IDLE_MS);
    });
  }

  /** Loads the pipeline for the settings; a session that runs goes on with it. */
  async load(): Promise<void> {
    const { pipeline } = this.#store.get();
    this.#loadSent = true;
    this.#loads++;
    this.#store.update({
      notice: undefined,
      pipeline: pipeline && { ...pipeline, status: "loading", error: undefined },
    });
    try {
      await this.#begin();
    } catch (error) {
      this.#store.update({ notice: noticeOf(error, "load") });
    }
    this.look();
  }

  /** Changes how the pipeline is loaded, and loads it. */
  async choose(patch: Partial<LoadChoice>): Promise<void> {
    const { settings } = this.#store.get();
    this.#store.update({ settings: { ...settings, load: { ...settings.load, ...patch } } });
    await this.load();
  }

  /** Resolves when the pipeline is loaded. Throws when it cannot be, and when the signal fires. */
  whenLoaded(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const { pipeline, isReachable } = this.#store.get();
        if (signal.aborted) settle(() => reject(ClientError.aborted()));
        else if (pipeline?.status === "loaded") settle(resolve);
        else if (pipeline?.status === "error") settle(() => reject(loadError(pipeline)));
        else if (isReachable === false) settle(() => reject(ClientError.unreachable(this.#client.url)));
      };
      const settle = (finish: () => void) => {
        unsubscribe();
        signal.removeEventListener("abort", look);
        finish();
      };
      const unsubscribe = this.#store.subscribe(look);
      signal.addEventListener("abort", look);
      look();
    });
  }

  async #begin(size?: PipelineStatus["size"]): Promise<void> {
    const { signal } = this.#page;
    await this.#client.load({ ...toLoadOptions(this.#store.get().settings), ...size }, { wait: false, signal });
  }

  /** One look; returns the pause until the next. */
  async #read(): Promise<number> {
    const { signal } = this.#page;
    const loads = this.#loads;
    let pipeline: PipelineStatus;
    try {
      pipeline = await this.#client.status({ signal });
    } catch (error) {
      return this.#miss(error);
    }
    if (loads !== this.#loads) return POLL_LOADING_MS;
    if (this.#store.get().isReachable !== true) await this.#learn();
    const { notice, pipeline: former, phase } = this.#store.get();
    // What was loaded is gone: the server was started anew.
    if (former?.status === "loaded" && pipeline.status === "not_loaded") this.#loadSent = false;
    this.#store.update({ isReachable: true, pipeline, notice: notice === UNREACHABLE ? undefined : notice });
    switch (pipeline.status) {
      case "not_loaded":
        // A session that runs brings its own pipeline back, when it was this page that had loaded it.
        this.#emptyLooks++;
        if (this.#loadSent || (phase === "live" && this.#emptyLooks < PATIENT_LOOKS)) return POLL_LOADING_MS;
        this.#loadSent = true;
        this.#loads++;
        await this.#begin(phase === "live" ? this.#last?.size : undefined);
        return POLL_LOADING_MS;
      case "loading":
        return POLL_LOADING_MS;
      case "error":
        if (phase === "idle" && notice === undefined)
          this.#store.update({ notice: noticeOf(loadError(pipeline), "load") });
        return POLL_IDLE_MS;
      case "loaded":
        this.#last = pipeline;
        this.#emptyLooks = 0;
        if (!this.#loadSent) this.#adopt(pipeline);
        return POLL_IDLE_MS;
    }
  }

  #miss(error: unknown): number {
    const { code } = ClientError.from(error);
    if (code === "aborted") return POLL_IDLE_MS;
    this.#loadSent = false;
    // A stream that runs says by itself when it ends.
    const isRunning = this.#store.get().output !== undefined;
    this.#store.update({
      isReachable: false,
      ...(isRunning
        ? {}
        : { pipeline: undefined, notice: code === "unreachable" ? UNREACHABLE : noticeOf(error, "load") }),
    });
    return POLL_UNREACHABLE_MS;
  }

  /** What the server can do; without it the page still plays, with fewer controls. */
  async #learn(): Promise<void> {
    try {
      this.#store.update({ schemas: await this.#client.schemas({ signal: this.#page.signal }) });
    } catch (error) {
      console.warn("The server did not tell its parameters.", error);
    }
  }

  #adopt(pipeline: PipelineStatus): void {
    const { settings } = this.#store.get();
    const { load, look } = settings;
    const id = pipeline.pipeline ?? load.pipeline;
    const isOtherSize = load.size !== undefined && load.size.width !== pipeline.size?.width;
    const mode = pipeline.vaceEnabled === false ? "normal" : look.mode;
    if (id === load.pipeline && !isOtherSize && mode === look.mode) return;
    const size = isOtherSize ? undefined : load.size;
    this.#store.update({ settings: { ...settings, load: { ...load, pipeline: id, size }, look: { ...look, mode } } });
  }
}

function loadError(pipeline: PipelineStatus): ClientError {
  const message = pipeline.error ?? "The server's log says why.";
  // The status has words alone.
  return ClientError.server({ reason: /\bLoRA\b/.test(message) ? "lora_unusable" : "load_failed", message });
}
