// When a lost connection is tried again: pure, so that it can be read and tested by itself.
import type { ClientError } from "./errors.ts";

const FIRST_MS = 250;
const LONGEST_MS = 2_000;

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
export function nextTry(error: ClientError, tries: number, leftMs: number): NextTry | undefined {
  if (leftMs <= 0) return undefined;
  if (error.reason === "session_not_found") return { afterMs: 0, isAnew: true };
  // A server that starts again answers with all kinds of errors that pass, a proxy in front of it too.
  const mayPass = error.retryable && error.code !== "aborted";
  if (!mayPass) return undefined;
  return { afterMs: Math.min(LONGEST_MS, FIRST_MS * 2 ** (tries - 1), leftMs), isAnew: false };
}
