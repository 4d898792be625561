/**
 * What the engine thread asks of a model: `LongLiveModel` of
 * @everframe/longlive, and in tests a small stand-in.
 */
import type { LoadParams } from "@everframe/protocol";
import type { ChunkInput, Size } from "../pipelines/pipeline.ts";
import type { RgbaFrame } from "../webrtc/media-peer.ts";

export type ModelChunk = {
  frames: RgbaFrame[];
  /** Milliseconds by stage; a stage with several passes has one each. */
  timingsMs: Record<string, number | number[]>;
  /** What was left out without stopping the stream, one sentence each. */
  notices: readonly string[];
};

export type ModelStream = {
  readonly inputFramesPerChunk: number;
  generate(input: ChunkInput, signal?: AbortSignal): Promise<ModelChunk>;
  close(): void;
};

export type Model = {
  readonly config: { readonly name: string; readonly defaultSize: Readonly<Size> };
  readonly size: Readonly<Size>;
  openStream(options: { seed: number }): ModelStream;
  close(): Promise<void>;
};

export type ModelOptions = {
  width?: number;
  height?: number;
  vace?: boolean;
  device?: "cpu" | "webgpu";
  vaeType?: LoadParams["vaeType"];
  /** Start value of the condition's scale. */
  vaceContextScale?: number;
  compat?: LoadParams["compat"];
  /** Adapters, by absolute paths. */
  loras?: LoadParams["loras"];
  /** Where files of the model are that are not in its folder, by their paths relative to it. */
  files?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  onStage?: (stage: string) => void;
  /** Receives rare notices, one line each. */
  log?: (line: string) => void;
};

/** The module that the engine thread imports: its `LongLiveModel`. */
export type ModelModule = {
  LongLiveModel: { load(folder: string, options: ModelOptions): Promise<Model> };
};
