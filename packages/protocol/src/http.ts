/**
 * The bodies of the HTTP API, named as they are on the wire. Requests have a
 * schema, answers a type.
 */
import { z } from "zod";
import type { ErrorCode, ValidationIssue } from "./errors.ts";
import type { WireLoadParams } from "./load.ts";
import type { WireParameters } from "./parameters.ts";

/** Answer of POST /api/v1/pipeline/load. */
export type LoadAnswer = { message: string };

/** Answer of GET /api/v1/pipeline/status. */
export type PipelineStatus = {
  status: "not_loaded" | "loading" | "loaded" | "error";
  pipeline_id: string | null;
  load_params: WireLoadParams | null;
  loaded_lora_adapters: { path: string; scale: number }[] | null;
  /** Why the last load failed; stays until the next load. */
  error: string | null;
  /** Which weights run: "longlive-1.3b", "longlive-tiny", "passthrough". */
  model: string | null;
  /** What a running load is doing, in words. */
  loading_stage: string | null;
};

/** Answer of GET /api/v1/webrtc/ice-servers, for `new RTCPeerConnection`. */
export type IceServers = { iceServers: IceServer[] };
export type IceServer = { urls: string | string[]; username?: string; credential?: string };

/** Body of POST /api/v1/webrtc/offer. `initialParameters` is read by `parseParameters`. */
export const offerRequest = z.object({
  sdp: z.string(),
  type: z.literal("offer"),
  initialParameters: z.unknown().optional(),
});
export type OfferRequest = { sdp: string; type: "offer"; initialParameters?: WireParameters | null };

/** Answer of POST /api/v1/webrtc/offer. */
export type Answer = { sdp: string; type: "answer"; sessionId: string };

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

/** An uploaded file. */
export type AssetInfo = {
  /** The file's name without folder and extension. */
  name: string;
  /** Absolute path on the server: what `vace_ref_images` takes. */
  path: string;
  /** In MiB, two decimals. */
  size_mb: number;
  /** Folder below the assets folder; null at its root. */
  folder: string | null;
  type: AssetType;
  /** Seconds since 1970. */
  created_at: number;
};
export type AssetType = "image" | "video";
export type AssetList = { assets: AssetInfo[] };

/** Body of POST /api/v1/models/download. */
export const modelDownloadRequest = z.object({ pipeline_id: z.string() });
export type ModelDownloadRequest = z.input<typeof modelDownloadRequest>;

/** Answer of POST and DELETE /api/v1/models/download. */
export type ModelDownloadAnswer = { message: string };

/** Answer of GET /api/v1/models/status. */
export type ModelStatus = {
  /** True, too, for a pipeline that needs no files. */
  downloaded: boolean;
  /** Of the download that runs, or of the last one if it failed. */
  progress: ModelProgress | null;
  /** `<repository name>/<file>` of what is not here. */
  missing: string[];
};
export type ModelProgress = {
  is_downloading: boolean;
  /** Of all bytes that were missing; one decimal. */
  percentage: number;
  /** A repository's name without its owner. */
  current_artifact: string;
  current_file: string | null;
  downloaded_bytes: number;
  total_bytes: number;
  /** What it waits for at the moment, in words. */
  note: string | null;
  /** Why it failed; stays until the next download. */
  error: string | null;
};

/** Answer of GET /health. */
export type Health = { status: "healthy"; timestamp: string; version: string; sessions: number };

/** Body of every answer with a status of 400 or more. */
export type ErrorBody = { detail: string | ValidationIssue[]; code: ErrorCode };
