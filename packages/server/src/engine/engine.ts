/**
 * The main thread's side of the engine: starts the thread, sends requests,
 * and keeps what waits for an answer. One engine holds one model; when the
 * thread dies everything that waits fails, and the next load starts another.
 */
import { Worker } from "node:worker_threads";
import { ApiError } from "@everframe/protocol";
import type { ChunkStream } from "../pipelines/pipeline.ts";
import {
  buffersOf,
  type ChunkInfo,
  type EngineReply,
  type EngineRequest,
  type EngineStart,
  type LoadedInfo,
  type LoadOptions,
  type StreamInfo,
} from "./messages.ts";

export type EngineOptions = {
  /** The module with `LongLiveModel`; default @everframe/longlive. */
  modelModule?: string;
  onStage?: (stage: string) => void;
  /** Hears rare notices of the model, one line each. */
  onNotice?: (text: string) => void;
  /** The thread ended without being asked to. */
  onCrash: (error: Error) => void;
};

type Waiting = { resolve: (value: unknown) => void; reject: (error: Error) => void };
type Request = EngineRequest & { id: number };

export class Engine {
  readonly #options: EngineOptions;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  /** When the thread last said anything, or was first asked something after it had nothing to do. */
  #heardMs = 0;
  #nextId = 1;
  #nextStreamId = 1;
  #stopping = false;
  #death: Error | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    const workerData: EngineStart = { modelModule: options.modelModule };
    this.#worker = new Worker(new URL("./engine-worker.mjs", import.meta.url), { workerData, execArgv: [] });
    this.#worker.on("message", (message: EngineReply) => this.#receive(message));
    this.#worker.on("error", (error: unknown) => {
      this.#death = error instanceof Error ? error : new Error(String(error));
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on("exit", (code) => {
        this.#end(code);
        resolve();
      });
    });
  }

  /**
   * Loads the model of a folder.
   * Throws what the model throws, or the signal's reason.
   */
  async load(folder: string, options: LoadOptions, signal: AbortSignal): Promise<LoadedInfo> {
    const id = this.#nextId++;
    return (await this.#ask({ type: "load", id, folder, options }, [], signal)) as LoadedInfo;
  }

  /** Opens a stream of the loaded model. */
  async openStream(seed: number): Promise<ChunkStream> {
    const streamId = this.#nextStreamId++;
    const id = this.#nextId++;
    const { framesPerChunk } = (await this.#ask({ type: "openStream", id, streamId, seed }, [])) as StreamInfo;
    return {
      kind: "chunks",
      framesPerChunk,
      generate: async (input, signal) => {
        const { frames = [], references = [], firstImage, lastImage } = input;
        const single = [firstImage, lastImage].filter((image) => image !== undefined);
        const request: Request = { type: "generate", id: this.#nextId++, streamId, input };
        return (await this.#ask(request, buffersOf([...frames, ...references, ...single]), signal)) as ChunkInfo;
      },
      close: () => this.#post({ type: "closeStream", streamId }),
    };
  }

  /** Milliseconds since the thread last said anything, while it has something to answer; else 0. */
  get silentMs(): number {
    return this.#waiting.size === 0 ? 0 : performance.now() - this.#heardMs;
  }

  /**
   * Ends the thread: what runs is given up at its next step, and what cannot
   * be interrupted is waited for. Ending the process earlier would abort it.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#post({ type: "stop" });
    await this.#exited;
  }

  #ask(request: Request, transfer: ArrayBuffer[], signal?: AbortSignal): Promise<unknown> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    if (this.#stopping) return Promise.reject(new ApiError("shutting_down", {}));
    return new Promise((resolve, reject) => {
      const cancel = () => {
        // The answer that still comes is nobody's then.
        settle();
        this.#post({ type: "cancel", id: request.id });
        reject(signal?.reason);
      };
      const settle = () => {
        signal?.removeEventListener("abort", cancel);
        this.#waiting.delete(request.id);
      };
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      signal?.addEventListener("abort", cancel, { once: true });
      if (this.#waiting.size === 0) this.#heardMs = performance.now();
      this.#waiting.set(request.id, {
        resolve: (value) => {
          settle();
          resolve(value);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      this.#post(request, transfer);
    });
  }

  #post(request: EngineRequest, transfer: ArrayBuffer[] = []): void {
    // A dead thread's port takes messages and does nothing with them.
    this.#worker.postMessage(request, transfer);
  }

  #receive(message: EngineReply): void {
    this.#heardMs = performance.now();
    switch (message.type) {
      case "stage":
        this.#options.onStage?.(message.stage);
        break;
      case "notice":
        this.#options.onNotice?.(message.text);
        break;
      case "answer":
        this.#waiting.get(message.id)?.resolve(message.value);
        break;
      case "failure":
        this.#waiting.get(message.id)?.reject(ApiError.fromPlain(message.error));
    }
  }

  #end(code: number): void {
    const wasAsked = this.#stopping && this.#death === undefined;
    const death = wasAsked
      ? new ApiError("shutting_down", {})
      : (this.#death ?? new Error(`the engine thread ended with code ${code}`));
    this.#death = death;
    const waiting = [...this.#waiting.values()];
    for (const one of waiting) one.reject(death);
    if (!wasAsked) this.#options.onCrash(death);
  }
}
