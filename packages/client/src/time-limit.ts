// Calls that may not take too long.
import { ClientError } from "./errors.ts";

/**
 * Ends an attempt by its own signal after `limitMs`, or when `signal` fires. Throws ClientError `timeout`, whose text
 * begins with `what`, `aborted`, or what the attempt throws.
 */
export async function withinTime<Result>(
  what: string,
  limitMs: number,
  signal: AbortSignal,
  attempt: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  if (signal.aborted) throw ClientError.aborted(signal.reason);
  const limit = new AbortController();
  const stop = () => limit.abort();
  const timer = setTimeout(stop, limitMs);
  signal.addEventListener("abort", stop);
  try {
    return await attempt(limit.signal);
  } catch (error) {
    if (limit.signal.aborted && !signal.aborted) throw ClientError.timeout(what, limitMs, error);
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
