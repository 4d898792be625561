import { expect, it } from "vitest";
import { nextState, type SessionEvent, type SessionState, TRANSITIONS } from "./session-state.ts";

/** The states that a story leads through; an event without meaning repeats the state. */
function story(...events: SessionEvent[]): SessionState[] {
  let state: SessionState = "connecting";
  return events.map((event) => {
    state = nextState(state, event) ?? state;
    return state;
  });
}

it("leads a session through its life", () => {
  expect(story("connected", "lost", "connected", "end")).toEqual(["live", "interrupted", "live", "closed"]);
});

it("gives up a session whose client never connects, or does not come back", () => {
  expect(story("timeout")).toEqual(["closed"]);
  expect(story("connected", "lost", "timeout")).toEqual(["live", "interrupted", "closed"]);
});

it("waits anew for a client that makes another offer, and lets a live one be", () => {
  expect(nextState("connecting", "offered")).toBe("connecting");
  expect(nextState("interrupted", "offered")).toBe("interrupted");
  expect(nextState("live", "offered")).toBeUndefined();
});

it("takes nothing for the loss of a session that was never live, and no time limit for one that is", () => {
  expect(nextState("connecting", "lost")).toBeUndefined();
  expect(nextState("live", "timeout")).toBeUndefined();
});

it("can end everywhere and goes nowhere from there", () => {
  for (const state of Object.keys(TRANSITIONS) as SessionState[]) {
    expect(nextState(state, "end")).toBe(state === "closed" ? undefined : "closed");
  }
  for (const event of ["connected", "lost", "offered", "timeout", "end"] as const) {
    expect(nextState("closed", event)).toBeUndefined();
  }
});
