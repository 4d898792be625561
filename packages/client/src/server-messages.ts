// What the server says on the data channel. Text from the network is checked before it is believed; a message of a type
// that this version does not know is left alone, so that a newer server works with an older page.
import type { ServerMessage } from "@everframe/protocol";

const KNOWN: Partial<Record<ServerMessage["type"], true>> = {
  stream_stopped: true,
  parameters_rejected: true,
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
  if (type === "parameters_rejected" && !("rejected" in value && Array.isArray(value.rejected))) return undefined;
  return value as ServerMessage;
}
