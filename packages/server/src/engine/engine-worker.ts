/**
 * The engine thread: holds one model and its streams, and works off requests
 * one at a time in the order they came. Inference blocks the thread that runs
 * it, which is why it is not the one that serves HTTP and WebRTC. Each session
 * has at most one request waiting, so first come, first served is fair.
 */
import { parentPort, workerData } from "node:worker_threads";
import { ApiError, errorText, type PlainError } from "@everframe/protocol";
import {
  buffersOf,
  type ChunkInfo,
  type EngineReply,
  type EngineRequest,
  type EngineStart,
  type LoadedInfo,
  type StreamInfo,
} from "./messages.ts";
import type { Model, ModelModule, ModelStream } from "./model.ts";

if (parentPort === null) throw new Error("internal: the engine must be started as a worker thread");
const port = parentPort;
const { modelModule } = workerData as EngineStart;

type Job = Extract<EngineRequest, { id: number }> & { type: "load" | "openStream" | "generate" };

let model: Model | undefined;
const streams = new Map<number, ModelStream>();
const jobs: { job: Job; abort: AbortController }[] = [];
const closedStreams = new Set<number>();
let running: (typeof jobs)[number] | undefined;
/** Whether `work` is on its way, also between two jobs. */
let isWorking = false;
let stopping = false;

port.on("message", (request: EngineRequest) => {
  switch (request.type) {
    case "cancel":
      for (const entry of running === undefined ? jobs : [running, ...jobs]) {
        if (entry.job.id === request.id) entry.abort.abort();
      }
      break;
    case "closeStream":
      // The running job may be this stream's: its caches are freed once the job has ended.
      closedStreams.add(request.streamId);
      if (!isWorking) freeClosedStreams();
      break;
    case "stop":
      stopping = true;
      for (const entry of running === undefined ? jobs : [running, ...jobs]) entry.abort.abort();
      if (!isWorking) void end();
      break;
    default:
      jobs.push({ job: request, abort: new AbortController() });
      if (!isWorking) void work();
  }
});

async function work(): Promise<void> {
  isWorking = true;
  for (let entry = jobs.shift(); entry !== undefined; entry = jobs.shift()) {
    running = entry;
    const { job, abort } = entry;
    try {
      abort.signal.throwIfAborted();
      const value = await execute(job, abort.signal);
      reply({ type: "answer", id: job.id, value }, "frames" in value ? buffersOf(value.frames) : []);
    } catch (error) {
      reply({ type: "failure", id: job.id, error: toPlainError(job, error) });
    }
    running = undefined;
    freeClosedStreams();
    // Lets messages in: a chain of awaits alone would never read the port.
    await new Promise((resolve) => setImmediate(resolve));
  }
  isWorking = false;
  if (stopping) await end();
}

async function execute(job: Job, signal: AbortSignal): Promise<LoadedInfo | StreamInfo | ChunkInfo> {
  switch (job.type) {
    case "load": {
      const { LongLiveModel } = await importModel();
      const onStage = (stage: string) => reply({ type: "stage", stage });
      const log = (text: string) => reply({ type: "notice", text });
      model = await LongLiveModel.load(job.folder, { ...job.options, signal, onStage, log });
      const { config, size } = model;
      return { model: config.name, size: { ...size }, defaultSize: { ...config.defaultSize } };
    }
    case "openStream": {
      if (model === undefined) throw new ApiError("pipeline_not_loaded", {});
      const stream = model.openStream({ seed: job.seed });
      streams.set(job.streamId, stream);
      return { framesPerChunk: stream.inputFramesPerChunk };
    }
    case "generate": {
      const stream = streams.get(job.streamId);
      if (stream === undefined) throw new ApiError("chunk_failed", { reason: "the stream is closed" });
      const { frames, timingsMs, notices } = await stream.generate(job.input, signal);
      return { frames, stagesMs: flatten(timingsMs), notices };
    }
  }
}

/** Imported at the first load: it brings the inference library with it. */
async function importModel(): Promise<ModelModule> {
  return modelModule === undefined ? import("@everframe/longlive") : ((await import(modelModule)) as ModelModule);
}

function freeClosedStreams(): void {
  for (const streamId of closedStreams) {
    streams.get(streamId)?.close();
    streams.delete(streamId);
  }
  closedStreams.clear();
}

/** Frees everything; with the port closed nothing keeps the thread alive. */
async function end(): Promise<void> {
  try {
    for (const stream of streams.values()) stream.close();
    streams.clear();
    await model?.close();
  } finally {
    port.close();
  }
}

function reply(message: EngineReply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

/** `denoise: [a, b]` becomes `denoise_1: a, denoise_2: b`. */
function flatten(timingsMs: Record<string, number | number[]>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(timingsMs).flatMap(([stage, ms]): [string, number][] =>
      typeof ms === "number" ? [[stage, ms]] : ms.map((pass, i) => [`${stage}_${i + 1}`, pass]),
    ),
  );
}

/** What a job threw, with the catalogue's code where it has none of its own. */
function toPlainError(job: Job, thrown: unknown): PlainError {
  if (thrown instanceof ApiError) return thrown.toPlain();
  const reason = errorText(thrown);
  if (/out of memory|bad_alloc|allocation failed/i.test(reason))
    return new ApiError("out_of_memory", { reason }).toPlain();
  if (job.type === "generate") return new ApiError("chunk_failed", { reason }).toPlain();
  // Who loads says what was to be loaded; here only the reason is known.
  return { code: "internal", message: reason };
}
