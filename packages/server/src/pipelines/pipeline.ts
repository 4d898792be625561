/**
 * What turns a client's video into the server's. A pipeline is loaded once
 * and opens one stream a session; the weights are shared, streams are not.
 */
import type { LoadParams, Parameters } from "@everframe/protocol";
import type { I420Frame, RgbaFrame } from "../webrtc/media-peer.ts";
import type { PipelineAbout } from "./pipeline-schema.ts";

export type Size = { width: number; height: number };

/** A stretch of video as a model made it. */
export type Chunk = {
  frames: RgbaFrame[];
  /** Milliseconds by stage, with `total`. */
  stagesMs: Record<string, number>;
  /** What was left out without stopping the stream, one sentence each. */
  notices: readonly string[];
};

/** Pictures that go with a chunk beside the video; any size. */
export type ChunkImages = {
  /** New reference images: they act until others come, an empty list clears them. */
  references?: RgbaFrame[];
  /** What this chunk starts from. */
  firstImage?: RgbaFrame;
  /** What this chunk leads to. */
  lastImage?: RgbaFrame;
};

export type ChunkInput = ChunkImages & { parameters: Parameters; frames?: RgbaFrame[] };

/** Makes video in chunks, from a chunk of the client's frames or from text alone. */
export type ChunkStream = {
  readonly kind: "chunks";
  /** Frames that a chunk takes in video mode. */
  readonly framesPerChunk: number;
  /**
   * Makes the next chunk; one call at a time. The pictures' buffers are given away.
   * Throws `ApiError`; the stream can be used on after it.
   */
  generate(input: ChunkInput, signal: AbortSignal): Promise<Chunk>;
  close(): void;
};

/** Answers each frame with one, at once. */
export type FrameStream = {
  readonly kind: "frames";
  transform(frame: I420Frame): I420Frame;
  close(): void;
};

export type PipelineStream = ChunkStream | FrameStream;

/** Memory in bytes, estimated from the sizes of a model: rather too much than too little. */
export type Needs = {
  /** Of the pipeline without any stream, while it loads. */
  loadBytes: number;
  /** Of each stream. */
  streamBytes: number;
};

export type Pipeline = {
  readonly id: string;
  /** Which weights run, for status and stats. */
  readonly model: string;
  /** Where they came from; undefined where there are none. */
  readonly weights?: string;
  /** Size of the pictures made; undefined where it follows the input. */
  readonly size: Size | undefined;
  /** The size it has when a load names none. */
  readonly defaultSize: Size | undefined;
  readonly loadParams: LoadParams;
  /** Where it knows them. */
  readonly needs?: Needs | undefined;
  /** Adapters whose scales can be changed while it runs. */
  readonly liveLoras?: readonly { path: string; scale: number }[];
  /** How long its engine has said nothing while it had something to do; absent where there is no engine. */
  silentMs?(): number;
  openStream(options: { seed: number }): Promise<PipelineStream>;
  /** Frees everything, after the running chunk. */
  close(): Promise<void>;
};

export type LoadContext = {
  signal: AbortSignal;
  /** Hears what the load is doing, in words. */
  onStage: (stage: string) => void;
  /** Hears rare notices that a person should read, one line each. */
  onNotice: (text: string) => void;
  /** Hears of the pipeline's sudden end, after it was loaded. */
  onCrash: (error: Error) => void;
};

/** A pipeline that can be loaded. */
export type PipelineDefinition = {
  readonly id: string;
  /** What it can do, for clients. */
  readonly about?: PipelineAbout;
  /** What a load would need; undefined where that is not known. Must not throw. */
  needs?(params: LoadParams): Needs | undefined;
  /** Where a load would take its weights from now. Must not throw. */
  weights?(): string;
  load(params: LoadParams, context: LoadContext): Promise<Pipeline>;
};
