/**
 * What the server says on the data channel, told apart by `type`. A client
 * that knows only `stream_stopped` may ignore the others. The other way a
 * message is one JSON object of parameters, with a `request_id` if its sender
 * wants to know which answer is to which message.
 */
import { z } from "zod";
import { ERRORS, type ErrorCode } from "./errors.ts";

/** A code of the catalogue. */
export const errorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]);

/** Names a message in its answer; chosen by the client. */
export const requestId = z.union([z.string().max(128), z.number()]);
export type RequestId = z.infer<typeof requestId>;

const wireParameters = z.record(z.string(), z.unknown());

/** Why a session ended. */
const stopReason = z.enum([
  /** The client deleted the session. */
  "deleted",
  /** The pipeline's engine died. */
  "pipeline_failed",
  /** Several chunks in a row failed. */
  "chunks_failed",
  /** The server is ending. */
  "server_shutdown",
  /** Nothing was heard from the client for some seconds. */
  "peer_lost",
  /** The connection was never established. */
  "connect_timeout",
  /** The client closed its side. */
  "peer_closed",
]);
export type StopReason = z.infer<typeof stopReason>;

/** The session is over; the server closes the connection after it. */
const streamStopped = z.object({
  type: z.literal("stream_stopped"),
  error_message: z.string().exactOptional(),
  reason: stopReason.exactOptional(),
  code: errorCode.exactOptional(),
});
export type StreamStopped = z.infer<typeof streamStopped>;

/** Some fields of a parameters message were not used; the others were. */
const parametersRejected = z.object({
  type: z.literal("parameters_rejected"),
  rejected: z.array(z.object({ field: z.string(), reason: z.string(), allowed: z.string() })),
  request_id: requestId.exactOptional(),
});
export type ParametersRejected = z.infer<typeof parametersRejected>;

/**
 * The chunk that uses these parameters has started; without chunks, or for a
 * parameter that acts at once: they are in use. Everything that was taken
 * since the last such message is in it.
 */
const parametersApplied = z.object({
  type: z.literal("parameters_applied"),
  parameters: wireParameters,
  /** Number of the session's chunk, from 0. */
  chunk: z.int().exactOptional(),
  /** Of the messages whose fields these are. */
  request_ids: z.array(requestId),
  /** Fields that this server does not know. */
  ignored: z.array(z.string()).exactOptional(),
});
export type ParametersApplied = z.infer<typeof parametersApplied>;

/** Somebody else changed these parameters, over HTTP. */
const parametersUpdated = z.object({ type: z.literal("parameters_updated"), parameters: wireParameters });
export type ParametersUpdated = z.infer<typeof parametersUpdated>;

/** Another pipeline is being loaded: the connection stays, the last picture is held. */
const pipelineReloading = z.object({ type: z.literal("pipeline_reloading"), pipeline_id: z.string() });

/** The stream goes on with the newly loaded pipeline and the parameters that the session has. */
const pipelineReloaded = z.object({
  type: z.literal("pipeline_reloaded"),
  pipeline_id: z.string(),
  model: z.string(),
  /** Size of the pictures from now on; null where it follows the client's. */
  width: z.int().nullable(),
  height: z.int().nullable(),
});

/** Something failed and the stream goes on. */
const failureMessage = z.object({
  type: z.literal("error"),
  code: errorCode,
  message: z.string(),
  retryable: z.boolean(),
});
export type ErrorMessage = z.infer<typeof failureMessage>;

/** How the stream runs; at most once a second. */
const statsMessage = z.object({
  type: z.literal("stats"),
  /** Frames a second received from the client. */
  fps_in: z.number(),
  /** Frames a second sent that were newly made, a repeated picture not counted. */
  fps_out: z.number(),
  /** Time that the last chunk took, milliseconds; null before the first. */
  chunk_ms: z.number().nullable(),
  /** The same by stage, milliseconds. */
  stages_ms: z.record(z.string(), z.number()),
  model: z.string(),
  /** Size of the picture sent, pixels. */
  width: z.int(),
  height: z.int(),
  /** Frames from the client that wait for a chunk. */
  queued_in: z.int(),
  /** Made frames that wait to be sent. */
  queued_out: z.int(),
});
export type StatsMessage = z.infer<typeof statsMessage>;

export const serverMessage = z.discriminatedUnion("type", [
  streamStopped,
  parametersRejected,
  parametersApplied,
  parametersUpdated,
  pipelineReloading,
  pipelineReloaded,
  failureMessage,
  statsMessage,
]);
export type ServerMessage = z.infer<typeof serverMessage>;
