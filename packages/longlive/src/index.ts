/** LongLive-class streaming video diffusion: model loading and per-viewer streams. No HTTP, no WebRTC. */
export type { ChunkTimings } from "./chunk-timer.ts";
export { COMPAT, type Compat, compatOf, type Repair } from "./compat.ts";
export { type ModelConfig, readModelConfig } from "./config.ts";
export type { EngineOptions } from "./engine.ts";
export { type FoundCheckpoint, findWan13b } from "./find-model.ts";
export { type LoadOptions, LongLiveModel } from "./model.ts";
export type { Frame, Size } from "./preprocess.ts";
export { measureSpeed, type Speed } from "./speed-probe.ts";
export { type Chunk, type ChunkInput, LongLiveStream, type StreamOptions } from "./stream.ts";
