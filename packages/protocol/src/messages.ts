/**
 * What the server says on the data channel, told apart by `type`. A client
 * that knows only `stream_stopped` may ignore the others. The other way a
 * message is one JSON object of parameters.
 */
import type { ErrorCode } from "./errors.ts";
import type { RejectedParameter, WireParameters } from "./parameters.ts";

/** The session is over; the server closes the connection after it. */
export type StreamStopped = { type: "stream_stopped"; error_message?: string; reason?: StopReason; code?: ErrorCode };

export type StopReason =
  /** The client deleted the session. */
  | "deleted"
  /** The pipeline was loaded anew, or another one. */
  | "pipeline_changed"
  /** The pipeline's engine died. */
  | "pipeline_failed"
  /** Several chunks in a row failed. */
  | "chunks_failed"
  /** The server is ending. */
  | "server_shutdown"
  /** Nothing was heard from the client for some seconds. */
  | "peer_lost"
  /** The connection was never established. */
  | "connect_timeout"
  /** The client closed its side. */
  | "peer_closed";

/** Some fields of the last parameters message were not used; the others were. */
export type ParametersRejected = { type: "parameters_rejected"; rejected: RejectedParameter[] };

/** Another pipeline is being loaded: the connection stays, the last picture is held. */
export type PipelineReloading = { type: "pipeline_reloading"; pipeline_id: string };

/** The stream goes on with the newly loaded pipeline and the parameters that the session has. */
export type PipelineReloaded = {
  type: "pipeline_reloaded";
  pipeline_id: string;
  model: string;
  /** Size of the pictures from now on; null where it follows the client's. */
  width: number | null;
  height: number | null;
};

/** Something failed and the stream goes on. */
export type ErrorMessage = { type: "error"; code: ErrorCode; message: string; retryable: boolean };

/** How the stream runs; at most once a second. */
export type StatsMessage = {
  type: "stats";
  /** Frames a second received from the client. */
  fps_in: number;
  /** Frames a second sent that were newly made, a repeated picture not counted. */
  fps_out: number;
  /** Time that the last chunk took, milliseconds; null before the first. */
  chunk_ms: number | null;
  /** The same by stage, milliseconds. */
  stages_ms: Record<string, number>;
  model: string;
  /** Size of the picture sent, pixels. */
  width: number;
  height: number;
};

export type ServerMessage =
  | StreamStopped
  | PipelineReloading
  | PipelineReloaded
  | ParametersRejected
  | ErrorMessage
  | StatsMessage;
export type ClientMessage = WireParameters;
