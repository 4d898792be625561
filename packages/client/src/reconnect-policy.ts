// When a lost connection is tried again: pure, so that it can be read and tested by itself.
import type { ClientError } from "./errors.ts";

/** What a session does about a lost connection, in milliseconds. */
export type ReconnectPolicy = {
  /** How long it is tried again. Time in which the server loads its pipeline does not count. Default 60 000. */
  limitMs: number;
  /** Pause before the second try; it doubles with each further one. The first try has none. Default 250. */
  firstPauseMs: number;
  /** Longest pause between two tries. Default 2000. */
  longestPauseMs: number;
  /** Longest time of one try, from the offer until media flows. Default 5000. */
  tryMs: number;
  /** How long a connection that reports trouble may heal by itself before the first try. Default 2000. */
  graceMs: number;
  /** A server from which nothing at all comes for so long is lost; one that lives sends something every second. Default 3000. */
  silenceMs: number;
};

export type NextTry = {
  afterMs: number;
  /** The server's session is gone: the next try is for a new one. */
  isAnew: boolean;
};

/**
 * What follows a try that failed; undefined when there is no use in another.
 * @param tries how many there were
 * @param leftMs how long there may be others
 */
export function nextTry(
  error: ClientError,
  tries: number,
  leftMs: number,
  { firstPauseMs, longestPauseMs }: Pick<ReconnectPolicy, "firstPauseMs" | "longestPauseMs">,
): NextTry | undefined {
  if (leftMs <= 0) return undefined;
  if (error.reason === "session_not_found") return { afterMs: 0, isAnew: true };
  // A server that starts again answers with all kinds of errors that pass, a proxy in front of it too.
  const mayPass = error.retryable && error.code !== "aborted";
  if (!mayPass) return undefined;
  return { afterMs: Math.min(longestPauseMs, firstPauseMs * 2 ** (tries - 1), leftMs), isAnew: false };
}
