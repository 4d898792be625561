/** LongLive-class streaming video diffusion: model loading and per-viewer streams. No HTTP, no WebRTC. */
export { COMPAT, type Compat } from "./compat.ts";
export { type ModelConfig, readModelConfig } from "./config.ts";
export type { EngineOptions } from "./engine.ts";
export { type FoundCheckpoint, findWan13b, wan13bError } from "./find-model.ts";
export { type LoadOptions, LongLiveModel } from "./model.ts";
export type { Frame, Size } from "./preprocess.ts";
export { type Chunk, type ChunkInput, type ChunkTimings, LongLiveStream, type StreamOptions } from "./stream.ts";
