import { expect, test } from "vitest";
import { ClientError } from "./errors.ts";
import { IDLE, nextState, type SessionEvent, type SessionState } from "./session-state.ts";

const connecting: SessionState = { name: "connecting" };
const live: SessionState = { name: "live", interrupted: false };
const error = ClientError.connection("lost");
const interrupted: SessionState = { name: "live", interrupted: true, attempt: 0, error: undefined };
const trying: SessionState = { name: "live", interrupted: true, attempt: 1, error };
const closed: SessionState = { name: "closed", reason: "connection_lost", error };

const EVENTS: SessionEvent[] = [
  { type: "connect" },
  { type: "connected" },
  { type: "interrupted", attempt: 0 },
  { type: "interrupted", attempt: 1, error },
  { type: "recovered" },
  { type: "end", reason: "connection_lost", error },
];

/** Where each event leads, by state; undefined means that nothing changes. */
const ARROWS: [string, SessionState, (SessionState | undefined)[]][] = [
  ["idle", IDLE, [connecting, undefined, undefined, undefined, undefined, closed]],
  ["connecting", connecting, [undefined, live, undefined, undefined, undefined, closed]],
  ["live", live, [undefined, undefined, interrupted, trying, undefined, closed]],
  ["live, interrupted", interrupted, [undefined, undefined, undefined, trying, live, closed]],
  ["live, trying to connect again", trying, [undefined, undefined, undefined, undefined, live, closed]],
  ["closed", closed, [undefined, undefined, undefined, undefined, undefined, undefined]],
];

test.each(ARROWS)("from %s every event leads where the drawing says", (_, state, targets) => {
  for (const [i, event] of EVENTS.entries()) {
    const target = targets[i];
    const next = nextState(state, event);
    if (target === undefined) expect(next).toBe(state);
    else expect(next).toEqual(target);
  }
});

test("the first end wins", () => {
  const first = nextState(live, { type: "end", reason: "closed_by_client" });
  expect(nextState(first, { type: "end", reason: "connection_lost", error })).toMatchObject({
    reason: "closed_by_client",
    error: undefined,
  });
});
