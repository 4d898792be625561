// The life of a session as a machine small enough to draw:
//
//   idle --connect--> connecting --connected--> live <--interrupted/recovered--> live (interrupted)
//                         |                      |
//                         +-------- end ---------+--> closed (reason, error?)
//
// Pure, so that every arrow is tested without a browser; the session feeds it and reports what it returns.
import type { ClientError } from "./errors.ts";

/** Why a session ended. */
export type CloseReason =
  | "closed_by_client"
  | "aborted"
  | "page_hidden"
  | "stopped_by_server"
  | "connect_failed"
  | "connection_lost";

/**
 * Where a session stands. `interrupted` means that no packets arrive just now: with `attempt` 0 the connection may heal by
 * itself, above that it is the number of the try to make another; `error` says why the one before failed.
 */
export type SessionState =
  | { readonly name: "idle" }
  | { readonly name: "connecting" }
  | { readonly name: "live"; readonly interrupted: false }
  | {
      readonly name: "live";
      readonly interrupted: true;
      readonly attempt: number;
      readonly error: ClientError | undefined;
    }
  | { readonly name: "closed"; readonly reason: CloseReason; readonly error: ClientError | undefined };

/** What may happen to a session. */
export type SessionEvent =
  | { readonly type: "connect" }
  | { readonly type: "connected" }
  | { readonly type: "interrupted"; readonly attempt: number; readonly error?: ClientError | undefined }
  | { readonly type: "recovered" }
  | { readonly type: "end"; readonly reason: CloseReason; readonly error?: ClientError | undefined };

export const IDLE: SessionState = { name: "idle" };

/** The state after an event; the very same object when the event means nothing in this state. */
export function nextState(state: SessionState, event: SessionEvent): SessionState {
  if (state.name === "closed") return state;
  switch (event.type) {
    case "connect":
      return state.name === "idle" ? { name: "connecting" } : state;
    case "connected":
      return state.name === "connecting" ? { name: "live", interrupted: false } : state;
    case "interrupted":
      if (state.name !== "live" || (state.interrupted && state.attempt >= event.attempt)) return state;
      return { name: "live", interrupted: true, attempt: event.attempt, error: event.error };
    case "recovered":
      return state.name === "live" && state.interrupted ? { name: "live", interrupted: false } : state;
    case "end":
      return { name: "closed", reason: event.reason, error: event.error };
  }
}
