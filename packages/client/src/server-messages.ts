// What the server says on the data channel. Text from the network is checked before it is believed; a message of a type
// that this version does not know is left alone, so that a newer server works with an older page.
import type { ServerMessage, StopReason, StreamStopped } from "@everframe/protocol";

const KNOWN: Partial<Record<ServerMessage["type"], true>> = {
  stream_stopped: true,
  parameters_applied: true,
  parameters_rejected: true,
  parameters_updated: true,
  pipeline_reloading: true,
  pipeline_reloaded: true,
  error: true,
  stats: true,
};

/** A message that is understood, else undefined. */
export function parseServerMessage(data: unknown): ServerMessage | undefined {
  if (typeof data !== "string") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("type" in value)) return undefined;
  const { type } = value;
  if (typeof type !== "string" || !Object.hasOwn(KNOWN, type)) return undefined;
  if (type === "parameters_applied" && !("request_ids" in value && Array.isArray(value.request_ids))) return undefined;
  if (type === "parameters_rejected" && !("rejected" in value && Array.isArray(value.rejected))) return undefined;
  return value as ServerMessage;
}

const STOP_TEXTS: Record<StopReason, string> = {
  deleted: "The session was deleted.",
  pipeline_failed: "The pipeline failed.",
  chunks_failed: "Several chunks of video in a row could not be made.",
  server_shutdown: "The server is shutting down.",
  peer_lost: "The server heard nothing from this page for some seconds.",
  connect_timeout: "The connection took too long.",
  peer_closed: "The connection was closed.",
};

/** Why the server ended the stream, in words. */
export function stopText({ reason, error_message: text }: StreamStopped): string {
  return text || (reason && STOP_TEXTS[reason]) || "The server ended the stream.";
}
