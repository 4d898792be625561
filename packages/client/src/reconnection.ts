// The way back after a lost connection: one try after the other, by the policy, until one holds or there is no use.
import { ClientError } from "./errors.ts";
import { pause } from "./pause.ts";
import { nextTry, type ReconnectPolicy } from "./reconnect-policy.ts";
import { withinTime } from "./time-limit.ts";

/** Where to go on with a connection. */
export type Place = {
  /** The server's session; undefined for a new one. */
  sessionId: string | undefined;
  /** The place in the line of a server that was full. */
  ticket: string | undefined;
};

export type Reconnection = {
  /** Why the connection was lost. */
  lost: ClientError;
  policy: ReconnectPolicy;
  /** The server's session to go on with, if it is still there. */
  sessionId: string | undefined;
  /** The end of the session. */
  signal: AbortSignal;
  /** Told before each try, with why the one before failed. */
  onAttempt: (attempt: number, error: ClientError) => void;
  /** Makes a connection. */
  open: (place: Place, signal: AbortSignal) => Promise<void>;
  /** Sees to it that a pipeline is loaded. */
  revive: (signal: AbortSignal) => Promise<void>;
};

/** Resolves when there is a connection again. Throws ClientError when there will be none. */
export async function reconnect({ lost, policy, signal, ...way }: Reconnection): Promise<void> {
  let endMs = performance.now() + policy.limitMs;
  let { sessionId } = way;
  let error = lost;
  for (let attempt = 1; ; attempt++) {
    way.onAttempt(attempt, error);
    try {
      const place = { sessionId, ticket: error.queue?.ticket };
      return await withinTime("Connecting again", policy.tryMs, signal, (limit) => way.open(place, limit));
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      error = ClientError.from(thrown);
    }
    const next = nextTry(error, attempt, endMs - performance.now(), policy);
    // That nothing answers is only how the loss shows.
    if (next === undefined) throw error.code === "unreachable" || error.code === "timeout" ? lost : error;
    if (next.isAnew) sessionId = undefined;
    await pause(next.afterMs, signal);
    if (error.reason !== "pipeline_not_loaded") continue;
    const startMs = performance.now();
    try {
      await way.revive(signal);
    } catch (thrown) {
      // A server that has gone away once more is tried again; a pipeline that cannot be loaded is not.
      if (ClientError.from(thrown).code !== "unreachable") throw thrown;
    }
    endMs += performance.now() - startMs;
  }
}
