/**
 * The life of a session as a table small enough to draw:
 *
 *        offered ↺                              offered ↺
 *     connecting ──connected──▶ live ──lost──▶ interrupted
 *      │                        │ ▲               │  │
 *      │                        │ └──connected────┘  │
 *      │ timeout                │ end                │ timeout
 *      └──────────▶ closed ◀────┴────────────────────┘
 *
 * `end` leads from everywhere to `closed`, from where nothing leads away.
 * Entering `connecting` or `interrupted`, also again by `offered`, starts the
 * time after which `timeout` comes. Pure: session-life.ts keeps the time.
 */

export type SessionState =
  /** An offer was answered, and no media has flowed yet. */
  | "connecting"
  /** Media and data flow. */
  | "live"
  /** The client is silent, or another connection of it is on its way. Work stands still and everything is kept. */
  | "interrupted"
  | "closed";

export type SessionEvent =
  /** The transport works: for the first time, again, or that of a new connection. */
  | "connected"
  /** The transport is silent or failed, or a new connection takes its place. */
  | "lost"
  /** The client made another offer for the session. */
  | "offered"
  /** What the state waits for did not come in its time. */
  | "timeout"
  /** Somebody ends the session. */
  | "end";

/** From a state, by an event, to a state; what is not here changes nothing. */
export const TRANSITIONS: Readonly<Record<SessionState, Readonly<Partial<Record<SessionEvent, SessionState>>>>> = {
  connecting: { connected: "live", offered: "connecting", timeout: "closed", end: "closed" },
  live: { lost: "interrupted", end: "closed" },
  interrupted: { connected: "live", offered: "interrupted", timeout: "closed", end: "closed" },
  closed: {},
};

/** The state to enter, which may be the same one anew; undefined where the event means nothing. */
export function nextState(state: SessionState, event: SessionEvent): SessionState | undefined {
  return TRANSITIONS[state][event];
}
