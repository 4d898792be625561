/**
 * The bodies of the HTTP API, named as they are on the wire. Each has a
 * schema: requests are read by it, answers are documented and tested by it,
 * and the types come from it, so that none of the three can drift.
 */
import { z } from "zod";
import { wireLoadParams } from "./load.ts";
import { errorCode } from "./messages.ts";
import { parameterDescription } from "./parameter-description.ts";
import type { WireParameters } from "./parameters.ts";

const secondsSince1970 = z.number().describe("Seconds since 1970");

/** Answer of POST /api/v1/pipeline/load and of the model downloads: what was begun, in words. */
export const messageAnswer = z.object({ message: z.string() });
export type LoadAnswer = z.infer<typeof messageAnswer>;
export type ModelDownloadAnswer = z.infer<typeof messageAnswer>;

/** Answer of GET /api/v1/pipeline/status. */
export const pipelineStatus = z.object({
  status: z.enum(["not_loaded", "loading", "loaded", "error"]),
  pipeline_id: z.string().nullable(),
  load_params: wireLoadParams.nullable(),
  loaded_lora_adapters: z.array(z.object({ path: z.string(), scale: z.number() })).nullable(),
  error: z.string().nullable().describe("Why the last load failed; stays until the next load"),
  model: z.string().nullable().describe('Which weights run: "longlive-1.3b", "longlive-tiny", "passthrough"'),
  loading_stage: z.string().nullable().describe("What a running load is doing, in words"),
});
export type PipelineStatus = z.infer<typeof pipelineStatus>;

/** A pipeline in the answer of GET /api/v1/pipelines/schemas. */
const pipelineSchema = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  version: z.string(),
  docs_url: z.string().nullable(),
  supported_modes: z.array(z.enum(["text", "video"])),
  default_mode: z.enum(["text", "video"]),
  supports_prompts: z.boolean(),
  supports_lora: z.boolean(),
  supports_vace: z.boolean(),
  supports_cache_management: z.boolean(),
  supports_kv_cache_bias: z.boolean(),
  supports_quantization: z.boolean(),
  requires_models: z.boolean(),
  produces_video: z.boolean(),
  produces_audio: z.boolean(),
  default_temporal_interpolation_method: z.enum(["linear", "slerp"]).nullable(),
  default_temporal_interpolation_steps: z.int().nullable(),
  estimated_vram_gb: z.number().nullable(),
  recommended_quantization_vram_threshold: z.number().nullable(),
  min_dimension: z.int(),
  modified: z.boolean(),
  parameters: z.array(parameterDescription).describe("The live parameters that act in this pipeline"),
  load_parameters: z.array(parameterDescription),
  config_schema: z.looseObject({ type: z.literal("object"), properties: z.record(z.string(), z.unknown()) }),
  mode_defaults: z.record(z.string(), z.record(z.string(), z.unknown())).describe("Defaults that differ by mode"),
});
export type PipelineSchema = z.infer<typeof pipelineSchema>;

/** Answer of GET /api/v1/pipelines/schemas. */
export const pipelineSchemas = z.object({ pipelines: z.record(z.string(), pipelineSchema) });
export type PipelineSchemas = z.infer<typeof pipelineSchemas>;

/** Answer of GET /api/v1/webrtc/ice-servers, for `new RTCPeerConnection`. */
export const iceServers = z.object({
  iceServers: z.array(
    z.object({
      urls: z.union([z.string(), z.array(z.string())]),
      username: z.string().exactOptional(),
      credential: z.string().exactOptional(),
    }),
  ),
});
export type IceServers = z.infer<typeof iceServers>;
export type IceServer = IceServers["iceServers"][number];

/** Body of POST /api/v1/webrtc/offer. `initialParameters` is read by `parseParameters`. */
export const offerRequest = z.object({
  sdp: z.string(),
  type: z.literal("offer"),
  initialParameters: z.unknown().optional().describe("Live parameters, as the data channel takes them"),
  sessionId: z.string().max(64).nullish().describe("Of a session that goes on: an ICE restart, or a new connection"),
  ticket: z
    .string()
    .max(64)
    .nullish()
    .describe("Of an earlier refusal with too_many_sessions: keeps the place in the line"),
});
export type OfferRequest = {
  sdp: string;
  type: "offer";
  initialParameters?: WireParameters | null;
  sessionId?: string | null;
  ticket?: string | null;
};

/** Answer of POST /api/v1/webrtc/offer. */
export const offerAnswer = z.object({
  sdp: z.string(),
  type: z.literal("answer"),
  sessionId: z.string(),
  sessionToken: z.string().exactOptional().describe("Opens this session alone; only where the server has a token"),
});
export type Answer = z.infer<typeof offerAnswer>;

/** What the body of `too_many_sessions` has beside the fields of every error. */
export type CapacityRefusal = {
  /** Sessions that the server can hold now. */
  capacity: number;
  /** Place in the line, from 1; null when the line itself is full. */
  queue_position: number | null;
  /** To be sent with the next try, within half a minute. */
  ticket: string | null;
};

/** Body of PATCH /api/v1/webrtc/offer/{sessionId}. */
export const candidatesRequest = z.object({
  candidates: z
    .array(
      z.object({
        candidate: z.string().max(4096),
        sdpMid: z.string().nullish(),
        sdpMLineIndex: z.int().min(0).nullish(),
      }),
    )
    .max(256),
});
export type CandidatesRequest = z.input<typeof candidatesRequest>;
export type Candidate = CandidatesRequest["candidates"][number];

export const assetType = z.enum(["image", "video"]);
export type AssetType = z.infer<typeof assetType>;

/** An uploaded file. */
export const assetInfo = z.object({
  name: z.string().describe("The file's name without folder and extension"),
  path: z.string().describe("Absolute path on the server: what `vace_ref_images` takes"),
  size_mb: z.number().describe("MiB, two decimals"),
  folder: z.string().nullable().describe("Folder below the assets folder; null at its root"),
  type: assetType,
  created_at: secondsSince1970,
});
export type AssetInfo = z.infer<typeof assetInfo>;

/** Answer of GET /api/v1/assets. */
export const assetList = z.object({ assets: z.array(assetInfo) });
export type AssetList = z.infer<typeof assetList>;

export const recordingFormat = z.enum(["mp4", "webm"]);
export type RecordingFormat = z.infer<typeof recordingFormat>;

/** A recording of a session. */
export const recordingInfo = z.object({
  state: z.enum(["recording", "finished", "failed"]),
  format: recordingFormat,
  name: z.string().describe("The file's name"),
  started_at: secondsSince1970,
  duration_seconds: z.number().describe("From the first picture to the last"),
  frames: z.int(),
  dropped: z.int().describe("Pictures that the encoder could not take in time"),
  bytes: z.int().nullable().describe("Of the whole file; null before it is whole"),
  error: z.string().nullable().describe("Why it failed"),
});
export type RecordingInfo = z.infer<typeof recordingInfo>;

/** Answer of POST .../recording/start and .../recording/stop. */
export const recordingAnswer = z.object({
  status: z.enum(["started", "already_recording", "stopped", "not_recording"]),
  recording: recordingInfo.nullable(),
});
export type RecordingAnswer = z.infer<typeof recordingAnswer>;

/** Body of POST /api/v1/models/download. */
export const modelDownloadRequest = z.object({ pipeline_id: z.string() });

const modelProgress = z.object({
  is_downloading: z.boolean(),
  percentage: z.number().describe("Of all bytes that were missing; one decimal"),
  current_artifact: z.string().describe("A repository's name without its owner"),
  current_file: z.string().nullable(),
  downloaded_bytes: z.number(),
  total_bytes: z.number(),
  note: z.string().nullable().describe("What it waits for at the moment, in words"),
  error: z.string().nullable().describe("Why it failed; stays until the next download"),
});
export type ModelProgress = z.infer<typeof modelProgress>;

/** Answer of GET /api/v1/models/status. */
export const modelStatus = z.object({
  downloaded: z.boolean().describe("True, too, for a pipeline that needs no files"),
  progress: modelProgress.nullable().describe("Of the download that runs, or of the last one if it failed"),
  missing: z.array(z.string()).describe("`<repository name>/<file>` of what is not here"),
});
export type ModelStatus = z.infer<typeof modelStatus>;

/** One session, without what its viewer typed. */
export const sessionInfo = z.object({
  id: z.string(),
  state: z.string().describe("connecting, live, interrupted"),
  pipeline_id: z.string().nullable().describe("null while another pipeline is being loaded"),
  model: z.string().nullable(),
  width: z.int().nullable().describe("Pixels of the picture sent; null before the first where it follows the client's"),
  height: z.int().nullable(),
  input_mode: z.enum(["text", "video"]),
  paused: z.boolean(),
  created_at: secondsSince1970,
});
export type SessionInfo = z.infer<typeof sessionInfo>;

/** Answer of GET /api/v1/sessions. */
export const sessionList = z.object({
  sessions: z.array(sessionInfo),
  capacity: z.int().describe("Sessions that fit at the moment"),
  waiting: z.int().describe("Clients that wait for a place"),
});
export type SessionList = z.infer<typeof sessionList>;

const liveParameters = z.record(z.string(), z.unknown()).describe("Live parameters by their names on the wire");

/** Answer of GET /api/v1/sessions/{id}/parameters. */
export const sessionParameters = z.object({ session_id: z.string(), parameters: liveParameters });

/** Answer of POST /api/v1/sessions/{id}/parameters. */
export const sessionParametersAnswer = z.object({
  session_id: z.string(),
  parameters: liveParameters.describe("Those that were taken; they act from the next chunk"),
  rejected: z.array(z.object({ field: z.string(), reason: z.string(), allowed: z.string() })),
  ignored: z.array(z.string()).describe("Fields that this server does not know"),
});

/** Answer of GET /api/v1/sessions/{id}/metrics. */
export const sessionMetrics = z.object({
  frames_in: z.int().describe("Frames received"),
  frames_out: z.int().describe("Newly made frames sent; a repeated picture is not counted"),
  elapsed_seconds: z.number(),
  fps_in: z.number(),
  fps_out: z.number(),
  chunks: z.int(),
  chunks_failed: z.int(),
  chunk_ms: z.number().nullable().describe("Time that the last chunk took"),
  stages_ms: z.record(z.string(), z.number()),
});
export type SessionMetrics = z.infer<typeof sessionMetrics>;

/** Answer of GET /api/v1/session/metrics. */
export const allSessionMetrics = z.object({
  sessions: z.record(z.string(), sessionMetrics),
  gpu: z.record(z.string(), z.number()),
});

const sharing = z.object({ available: z.boolean(), reason: z.string(), install_hint: z.string().nullable() });

/** Answer of GET /api/v1/hardware/info. */
export const hardwareInfo = z.object({
  vram_gb: z.number().nullable().describe("Memory of the largest graphics processor; null where there is none"),
  gpus: z.array(z.string()).describe("As the system names them"),
  processor: z.string(),
  cores: z.int(),
  memory_gb: z.number(),
  free_memory_gb: z.number(),
  platform: z.string(),
  arch: z.string(),
  node: z.string(),
  spout_available: z.boolean(),
  spout: sharing,
  ndi: sharing,
  syphon: sharing,
});
export type HardwareInfo = z.infer<typeof hardwareInfo>;

/** Answer of GET /api/v1/logs/tail. */
export const logTail = z.object({
  lines: z.array(z.string()),
  offset: z.int().describe("Give it as since_offset to get what came after"),
});

/** Answer of GET /health. */
export const health = z.object({
  status: z.literal("healthy"),
  timestamp: z.string().describe("ISO 8601"),
  server_start_time: secondsSince1970,
  version: z.string(),
  git_commit: z.string().nullable(),
  sessions: z.int().describe("Sessions that are connecting or live"),
  interrupted: z.int().describe("Sessions whose client is silent and may come back"),
});
export type Health = z.infer<typeof health>;

/** Answer of GET /healthz and /readyz; `reason` says what is missing. */
export const readiness = z.object({ status: z.enum(["ok", "not_ready"]), reason: z.string().nullable() });

/** One finding of a 422. */
const validationIssue = z.object({
  type: z.string(),
  loc: z.array(z.union([z.string(), z.number()])),
  msg: z.string(),
  input: z.unknown(),
  ctx: z.record(z.string(), z.unknown()).exactOptional(),
});

/** Body of every answer with a status of 400 or more; some codes add fields. */
export const errorBody = z.looseObject({
  detail: z.union([z.string(), z.array(validationIssue)]),
  code: errorCode,
  retryable: z.boolean().describe("Whether the same request can succeed later"),
});
export type ErrorBody = z.infer<typeof errorBody>;
