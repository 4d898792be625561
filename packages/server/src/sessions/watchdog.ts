/**
 * Notices a client that is gone without a word.
 *
 * A silent camera, a hidden tab or text mode are no sign of it, but every
 * living peer sends something: consent checks (RFC 7675), feedback, the data
 * channel's heartbeats. So the bytes received over the transport are watched.
 */
import type { Clock } from "./clock.ts";

const POLL_MS = 1000;
const SILENCE_LIMIT_MS = 5500;
const CONNECT_LIMIT_MS = 30_000;

export type WatchdogOptions = {
  clock: Clock;
  bytesReceived: () => Promise<number>;
  onLost: (cause: "peer_lost" | "connect_timeout") => void;
};

export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #startedMs: number;
  #connected = false;
  #bytes = -1;
  #heardMs: number;
  #cancel: () => void;
  #stopped = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#startedMs = options.clock.now();
    this.#heardMs = this.#startedMs;
    this.#cancel = options.clock.after(POLL_MS, () => this.#poll());
  }

  /** From now on silence counts; until now only the time to connect did. */
  connected(): void {
    this.#connected = true;
    this.#heardMs = this.#options.clock.now();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #poll(): void {
    // A failing count is as good as silence: the peer is broken or closed.
    void this.#options
      .bytesReceived()
      .catch(() => this.#bytes)
      .then((bytes) => this.#judge(bytes));
  }

  #judge(bytes: number): void {
    if (this.#stopped) return;
    const now = this.#options.clock.now();
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#heardMs = now;
    }
    if (!this.#connected && now - this.#startedMs >= CONNECT_LIMIT_MS) this.#lost("connect_timeout");
    else if (this.#connected && now - this.#heardMs >= SILENCE_LIMIT_MS) this.#lost("peer_lost");
    else this.#cancel = this.#options.clock.after(POLL_MS, () => this.#poll());
  }

  #lost(cause: "peer_lost" | "connect_timeout"): void {
    this.#stopped = true;
    this.#options.onLost(cause);
  }
}
