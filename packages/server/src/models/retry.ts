/**
 * Tries again after failures that may pass, waiting longer each time. Progress
 * in between starts the count anew: a download over a bad line may be cut any
 * number of times as long as something arrives.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { HubError } from "./hub-client.ts";

export type RetryOptions = {
  /** Failures in a row that are stood; default 7. */
  attempts?: number;
  /** Wait after the first failure, doubled after each; default 1 s. */
  firstWaitMs?: number;
  /** Default 30 s. */
  longestWaitMs?: number;
  /** Hears of each failure that is stood. */
  onRetry?: (error: HubError, waitMs: number) => void;
};

export class Retry {
  readonly #options: Required<Omit<RetryOptions, "onRetry">> & Pick<RetryOptions, "onRetry">;
  #failures = 0;

  constructor(options: RetryOptions = {}) {
    this.#options = { attempts: 7, firstWaitMs: 1000, longestWaitMs: 30_000, ...options };
  }

  progress(): void {
    this.#failures = 0;
  }

  /** Waits until the next try; throws the error when there is to be none. */
  async after(error: unknown, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!(error instanceof HubError) || !error.retryable) throw error;
    this.#failures++;
    const { attempts, firstWaitMs, longestWaitMs, onRetry } = this.#options;
    if (this.#failures >= attempts) throw error;
    const waitMs = Math.min(longestWaitMs, Math.max(firstWaitMs * 2 ** (this.#failures - 1), error.waitMs ?? 0));
    onRetry?.(error, waitMs);
    await sleep(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** Does it until it works or `Retry` gives up. */
export async function withRetries<T>(work: () => Promise<T>, options: RetryOptions, signal: AbortSignal): Promise<T> {
  const retry = new Retry(options);
  while (true) {
    try {
      return await work();
    } catch (error) {
      await retry.after(error, signal);
    }
  }
}
