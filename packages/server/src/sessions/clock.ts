/** Time for everything that paces or measures, so that tests can run it on a virtual one. */
export type Clock = {
  /** Milliseconds from some fixed start; never goes back. */
  now(): number;
  /** Calls `wake` once after `delayMs`; the answer cancels that. */
  after(delayMs: number, wake: () => void): () => void;
};

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, wake) {
    const timer = setTimeout(wake, delayMs);
    return () => clearTimeout(timer);
  },
};
