/**
 * Which pipeline is loaded. States: not_loaded, loading, loaded, error.
 *
 * A load answers at once and goes on in the background; the state is already
 * `loading` then, so that a client that polls never reads the old one. The
 * old pipeline is freed before the new one loads. Of several loads that wait
 * only the latest is done. An error stays until the next load.
 */
import {
  ApiError,
  errorText,
  type LoadParams,
  type LoadRequest,
  type PipelineStatus,
  toWireLoadParams,
} from "@everframe/protocol";
import type { Logger } from "pino";
import type { Pipeline, PipelineDefinition } from "./pipeline.ts";

export type PipelineManagerOptions = {
  definitions: readonly PipelineDefinition[];
  log: Logger;
  users: PipelineUsers;
  /** Memory that is free now. */
  availableBytes: () => number;
  /** Told what is being loaded, or is there, whenever that changes. */
  onActivity?: (activity: PipelineActivity) => void;
};

/** What works with the loaded pipeline. None of these may reject. */
export type PipelineUsers = {
  /** Called before a pipeline is freed for another one: ends all work on it. What used it waits for the next. */
  release(nextPipelineId: string): Promise<void>;
  /** A pipeline was loaded. */
  adopt(pipeline: Pipeline): Promise<void>;
  /** No pipeline will come: ends what uses or awaits one. */
  end(reason: "pipeline_failed" | "server_shutdown", error?: ApiError): Promise<void>;
};

export type PipelineActivity =
  | { readonly name: "idle" }
  | { readonly name: "loading" | "loaded"; readonly request: LoadRequest };

type State =
  | { name: "not_loaded" }
  | { name: "loading"; request: LoadRequest; stage: string; abort: AbortController }
  | { name: "loaded"; pipeline: Pipeline }
  | { name: "error"; error: ApiError };

export class PipelineManager {
  readonly #options: PipelineManagerOptions;
  #current: State = { name: "not_loaded" };
  /** The pipeline that is still to be freed, while another loads. */
  #previous: Pipeline | undefined;
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: PipelineManagerOptions) {
    this.#options = options;
  }

  get #state(): State {
    return this.#current;
  }

  set #state(state: State) {
    this.#current = state;
    this.#options.onActivity?.(activityOf(state));
  }

  /** The pipelines that can be loaded. */
  get definitions(): readonly PipelineDefinition[] {
    return this.#options.definitions;
  }

  /** Their ids. */
  get ids(): string[] {
    return this.#options.definitions.map((one) => one.id);
  }

  /** The loaded pipeline; throws `pipeline_not_loaded`. */
  get pipeline(): Pipeline {
    if (this.#state.name !== "loaded") throw new ApiError("pipeline_not_loaded", {});
    return this.#state.pipeline;
  }

  /**
   * Starts a load. The same request again, loaded or loading, changes nothing, unless it would take other weights now.
   * Throws `pipeline_unknown`, `shutting_down`, or `out_of_memory` when it cannot fit; what is loaded stays then.
   */
  load(request: LoadRequest): void {
    const definition = this.#options.definitions.find((one) => one.id === request.pipelineId);
    if (definition === undefined) {
      throw new ApiError("pipeline_unknown", { pipelineId: request.pipelineId, known: this.ids });
    }
    if (this.#closed) throw new ApiError("shutting_down", {});
    const state = this.#state;
    if (state.name === "loading") {
      if (isSame(state.request, request, undefined)) return;
      state.abort.abort();
    }
    if (state.name === "loaded") {
      const { id, loadParams, defaultSize, weights } = state.pipeline;
      const wouldBeSame = definition.weights?.() === weights;
      if (wouldBeSame && isSame({ pipelineId: id, loadParams }, request, defaultSize)) return;
    }
    // While another load runs nobody can say what will be free.
    if (state.name !== "loading") this.#failIfTooLarge(definition, request);
    if (state.name === "loaded") {
      this.#previous = state.pipeline;
    }
    const abort = new AbortController();
    const loading: State = { name: "loading", request, stage: "Starting", abort };
    this.#state = loading;
    this.#work = this.#work.then(() => this.#load(definition, loading));
  }

  /** Says why a load is not tried that the start of this server asks for; until the next load. */
  fail(error: ApiError): void {
    this.#options.log.error({ code: error.code }, error.message);
    this.#state = { name: "error", error };
  }

  /** Waits until no load is running. */
  async settled(): Promise<void> {
    let work: Promise<void>;
    do {
      work = this.#work;
      await work;
    } while (work !== this.#work);
  }

  status(): PipelineStatus {
    const state = this.#state;
    const pipeline = state.name === "loaded" ? state.pipeline : undefined;
    return {
      status: state.name,
      pipeline_id: pipeline?.id ?? null,
      load_params: pipeline === undefined ? null : toWireLoadParams(pipeline.loadParams, pipeline.size),
      loaded_lora_adapters: pipeline?.liveLoras?.map(({ path, scale }) => ({ path, scale })) ?? null,
      error: state.name === "error" ? state.error.message : null,
      model: pipeline?.model ?? null,
      loading_stage: state.name === "loading" ? state.stage : null,
    };
  }

  /** Gives up a running load, ends what uses the pipeline, and frees it. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#options.users.end("server_shutdown");
    if (this.#state.name === "loading") this.#state.abort.abort();
    if (this.#state.name === "loaded") this.#previous = this.#state.pipeline;
    this.#state = { name: "not_loaded" };
    await this.settled();
    await this.#free();
  }

  async #load(definition: PipelineDefinition, loading: State & { name: "loading" }): Promise<void> {
    const { request, abort } = loading;
    const { log, users } = this.#options;
    if (!abort.signal.aborted) await users.release(request.pipelineId);
    await this.#free();
    if (abort.signal.aborted) return;
    const startedMs = performance.now();
    log.info({ pipeline: request.pipelineId }, "pipeline loading");
    try {
      this.#failIfTooLarge(definition, request);
      const pipeline = await definition.load(request.loadParams, {
        signal: abort.signal,
        onStage: (stage) => {
          loading.stage = stage;
        },
        onNotice: (text) => log.warn({ pipeline: request.pipelineId }, text),
        onCrash: (error) => this.#crashed(pipeline, error),
      });
      if (this.#state !== loading) {
        await pipeline.close();
        return;
      }
      this.#state = { name: "loaded", pipeline };
      const tookMs = Math.round(performance.now() - startedMs);
      log.info({ pipeline: pipeline.id, model: pipeline.model, ...pipeline.size, tookMs }, "pipeline loaded");
      await users.adopt(pipeline);
    } catch (thrown) {
      if (this.#state !== loading) return;
      const error = asLoadError(request.pipelineId, thrown);
      this.#state = { name: "error", error };
      log.error({ err: thrown, pipeline: request.pipelineId }, "pipeline failed to load");
      await users.end("pipeline_failed", error);
    }
  }

  /** Frees the pipeline that is no longer wanted. */
  async #free(): Promise<void> {
    const pipeline = this.#previous;
    this.#previous = undefined;
    if (pipeline === undefined) return;
    try {
      await pipeline.close();
      this.#options.log.info({ pipeline: pipeline.id }, "pipeline freed");
    } catch (error) {
      this.#options.log.error({ err: error, pipeline: pipeline.id }, "pipeline could not be freed");
    }
  }

  #crashed(pipeline: Pipeline, cause: Error): void {
    this.#options.log.error({ err: cause, pipeline: pipeline.id }, "pipeline died");
    if (this.#state.name !== "loaded" || this.#state.pipeline !== pipeline) return;
    const reason = `its engine ended unexpectedly (${errorText(cause)}). Load it again`;
    const error = new ApiError("load_failed", { pipelineId: pipeline.id, reason }, { cause });
    this.#state = { name: "error", error };
    void this.#options.users.end("pipeline_failed", error);
  }

  /** Refuses before it starts what would run out of memory. The pipeline that is freed for it counts as free. */
  #failIfTooLarge(definition: PipelineDefinition, request: LoadRequest): void {
    const needs = definition.needs?.(request.loadParams);
    if (needs === undefined) return;
    const old = this.#state.name === "loaded" ? this.#state.pipeline : this.#previous;
    const freeBytes = this.#options.availableBytes() + (old?.needs?.loadBytes ?? 0);
    const neededBytes = needs.loadBytes + needs.streamBytes;
    if (neededBytes <= freeBytes) return;
    const { width, height } = request.loadParams;
    const size = width === undefined || height === undefined ? "" : ` at ${width}x${height}`;
    const reason = `${definition.id}${size} needs about ${gb(neededBytes)} and ${gb(freeBytes)} are free`;
    throw new ApiError("out_of_memory", { reason });
  }
}

function activityOf(state: State): PipelineActivity {
  if (state.name === "loading") return { name: "loading", request: state.request };
  if (state.name !== "loaded") return { name: "idle" };
  const { id, loadParams } = state.pipeline;
  return { name: "loaded", request: { pipelineId: id, loadParams } };
}

function gb(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Whether two requests ask for the same; a size not named is `defaultSize`. */
function isSame(a: LoadRequest, b: LoadRequest, defaultSize: { width: number; height: number } | undefined): boolean {
  return canonical(a, defaultSize) === canonical(b, defaultSize);
}

function canonical(
  { pipelineId, loadParams }: LoadRequest,
  defaultSize: { width: number; height: number } | undefined,
) {
  const entries = Object.entries({ ...defaultSize, ...loadParams } satisfies LoadParams);
  return JSON.stringify([pipelineId, entries.sort(([a], [b]) => (a < b ? -1 : 1))]);
}

function asLoadError(pipelineId: string, thrown: unknown): ApiError {
  if (thrown instanceof ApiError && thrown.code !== "internal") return thrown;
  return new ApiError("load_failed", { pipelineId, reason: errorText(thrown) }, { cause: thrown });
}
