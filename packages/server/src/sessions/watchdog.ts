/**
 * Notices a client that is gone without a word, and that it is back.
 *
 * A silent camera, a hidden tab or text mode are no sign of it, but every
 * living peer sends something: consent checks (RFC 7675), feedback, the data
 * channel's heartbeats. So the bytes received over the transport are watched.
 */
import type { Clock } from "./clock.ts";

const POLL_MS = 1000;
const SILENCE_LIMIT_MS = 5500;

export type WatchdogOptions = {
  clock: Clock;
  bytesReceived: () => Promise<number>;
  /** Nothing came for some seconds; told again each second, because the library may say meanwhile that it is connected. */
  onSilent: () => void;
  /** Something comes again. */
  onHeard: () => void;
};

/** Watches from when the transport first works until `stop`. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  #bytes = 0;
  #heardMs: number;
  #isSilent = false;
  #isCounting = false;
  #cancel: () => void;
  #stopped = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#heardMs = options.clock.now();
    this.#cancel = options.clock.after(POLL_MS, () => this.#poll());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #poll(): void {
    this.#cancel = this.#options.clock.after(POLL_MS, () => this.#poll());
    // A count that never comes is as good as silence: the peer is broken or closed. So is one that fails.
    if (this.#isCounting) {
      this.#judge(this.#bytes);
      return;
    }
    this.#isCounting = true;
    void this.#options
      .bytesReceived()
      .catch(() => 0)
      .then((bytes) => {
        this.#isCounting = false;
        this.#judge(bytes);
      });
  }

  #judge(bytes: number): void {
    if (this.#stopped) return;
    const now = this.#options.clock.now();
    // The count falls when a path that was in use is given up, which is no news from the client.
    const isHeard = bytes > this.#bytes;
    this.#bytes = bytes;
    if (isHeard) this.#heardMs = now;
    const wasSilent = this.#isSilent;
    this.#isSilent = now - this.#heardMs >= SILENCE_LIMIT_MS;
    if (this.#isSilent) this.#options.onSilent();
    else if (wasSilent) this.#options.onHeard();
  }
}
