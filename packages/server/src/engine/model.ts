/**
 * What the engine thread asks of a model: `LongLiveModel` of
 * @everframe/longlive, and in tests a small stand-in.
 */
import type { LoadParams, Parameters } from "@everframe/protocol";
import type { Size } from "../pipelines/pipeline.ts";
import type { RgbaFrame } from "../webrtc/media-peer.ts";

export type ModelChunk = {
  frames: RgbaFrame[];
  /** Milliseconds by stage; a stage with several passes has one each. */
  timingsMs: Record<string, number | number[]>;
};

export type ModelStream = {
  readonly inputFramesPerChunk: number;
  generate(input: { parameters: Parameters; frames?: RgbaFrame[] }, signal?: AbortSignal): Promise<ModelChunk>;
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
  vaeType?: LoadParams["vaeType"];
  /** Start value of the condition's scale. */
  vaceContextScale?: number;
  compat?: LoadParams["compat"];
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
