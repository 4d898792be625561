/**
 * Keeps a session's state: follows the table of session-state.ts and limits
 * how long a session may wait for its client. What a state means is the
 * session's own.
 */
import type { StopReason } from "@everframe/protocol";
import type { Clock } from "./clock.ts";
import { nextState, type SessionEvent, type SessionState } from "./session-state.ts";

const CONNECT_LIMIT_MS = 30_000;

export type SessionLifeOptions = {
  clock: Clock;
  /** How long an interrupted session waits for its client. */
  graceMs: number;
  onLive: () => void;
  onInterrupted: () => void;
  /** The client did not come in time. The session is not closed yet: `end` does that. */
  onTimeout: (reason: StopReason) => void;
};

export class SessionLife {
  readonly #options: SessionLifeOptions;
  #state: SessionState = "connecting";
  #sinceMs = 0;
  #cancelLimit: () => void = () => {};

  constructor(options: SessionLifeOptions) {
    this.#options = options;
    this.#enter("connecting");
  }

  get state(): SessionState {
    return this.#state;
  }

  /** When the state was entered, or entered anew. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Follows an event; one that means nothing now changes nothing. */
  follow(event: Exclude<SessionEvent, "end" | "timeout">): void {
    const before = this.#state;
    const next = nextState(before, event);
    if (next === undefined) return;
    this.#enter(next);
    if (next === "live") this.#options.onLive();
    else if (next === "interrupted" && before !== next) this.#options.onInterrupted();
  }

  end(): void {
    this.#enter("closed");
  }

  #enter(state: SessionState): void {
    const { clock, graceMs, onTimeout } = this.#options;
    this.#cancelLimit();
    this.#cancelLimit = () => {};
    this.#state = state;
    this.#sinceMs = clock.now();
    if (state === "connecting") {
      this.#cancelLimit = clock.after(CONNECT_LIMIT_MS, () => onTimeout("connect_timeout"));
    } else if (state === "interrupted") {
      this.#cancelLimit = clock.after(graceMs, () => onTimeout("peer_lost"));
    }
  }
}
