/**
 * What the main thread and the engine thread say to each other. Pictures cross
 * as transferred buffers: no copy, and the sender has them no more.
 */
import type { PlainError } from "@everframe/protocol";
import type { Chunk, ChunkInput, Size } from "../pipelines/pipeline.ts";
import type { RgbaFrame } from "../webrtc/media-peer.ts";
import type { ModelOptions } from "./model.ts";

/** What the thread is started with: the module with `LongLiveModel`; undefined for the real one. */
export type EngineStart = { modelModule: string | undefined };

export type LoadOptions = Omit<ModelOptions, "vace" | "signal" | "onStage" | "log"> & { vace: boolean };

/** To the engine. `id` comes back with the answer. */
export type EngineRequest =
  | { type: "load"; id: number; folder: string; options: LoadOptions }
  | { type: "openStream"; id: number; streamId: number; seed: number }
  | { type: "generate"; id: number; streamId: number; input: ChunkInput }
  /** Gives up the request with this id; it still gets an answer. */
  | { type: "cancel"; id: number }
  | { type: "closeStream"; streamId: number }
  /** Gives up everything, frees the model and ends the thread. */
  | { type: "stop" };

export type LoadedInfo = { model: string; size: Size; defaultSize: Size };
export type StreamInfo = { framesPerChunk: number };
export type ChunkInfo = Chunk;

/** From the engine. */
export type EngineReply =
  | { type: "stage"; stage: string }
  | { type: "notice"; text: string }
  | { type: "answer"; id: number; value: LoadedInfo | StreamInfo | ChunkInfo }
  | { type: "failure"; id: number; error: PlainError };

/** The buffers of pictures, each once, for the transfer list. */
export function buffersOf(frames: readonly RgbaFrame[]): ArrayBuffer[] {
  const buffers = new Set(frames.map((frame) => frame.data.buffer));
  return [...buffers].filter((buffer) => buffer instanceof ArrayBuffer);
}
