// Whether a connection lives. A browser notices a dead server late and tells of some losses that heal, so this counts what
// comes by the connection's own statistics (https://www.w3.org/TR/webrtc-stats/) and gives both kinds of trouble their time.
import { QUIET_MS, STATS_INTERVAL_MS } from "./defaults.ts";
import { ClientError } from "./errors.ts";
import type { ReconnectPolicy } from "./reconnect-policy.ts";
import { transportBytes } from "./stats.ts";

export type PulseEvents = {
  /** Packets come again. */
  onUp: () => void;
  /** No packets come just now; that may heal. */
  onDown: () => void;
  /** There is no way to the server any more. */
  onLost: (error: ClientError) => void;
  /** The connection's counters, once a second. */
  onReport: (report: RTCStatsReport) => void;
  /** Something failed and the connection goes on. */
  onError: (error: ClientError) => void;
};

/** Watches one connection, from its opening until `stop`, after which it tells nothing more. */
export class Pulse {
  readonly #getStats: () => Promise<RTCStatsReport>;
  readonly #policy: Pick<ReconnectPolicy, "graceMs" | "silenceMs">;
  readonly #events: PulseEvents;
  readonly #timer: ReturnType<typeof setInterval>;
  #graceTimer: ReturnType<typeof setTimeout> | undefined;
  #heard = { bytes: 0, atMs: performance.now() };
  /** Nothing has come for a moment, and that was told. */
  #isQuiet = false;
  #isStopped = false;

  constructor(
    getStats: () => Promise<RTCStatsReport>,
    policy: Pick<ReconnectPolicy, "graceMs" | "silenceMs">,
    events: PulseEvents,
  ) {
    this.#getStats = getStats;
    this.#policy = policy;
    this.#events = events;
    this.#timer = setInterval(() => void this.#look(), STATS_INTERVAL_MS);
  }

  /** The browser says that packets come. */
  rise(): void {
    clearTimeout(this.#graceTimer);
    this.#isQuiet = false;
    this.#events.onUp();
  }

  /** The browser says that none come: it may heal within the grace, and is lost after it. */
  sink(): void {
    clearTimeout(this.#graceTimer);
    this.#graceTimer = setTimeout(() => this.lose(), this.#policy.graceMs);
    this.#events.onDown();
  }

  /** The browser says that none will come. */
  lose(): void {
    clearTimeout(this.#graceTimer);
    this.#events.onLost(ClientError.connection("lost"));
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
    clearTimeout(this.#graceTimer);
  }

  async #look(): Promise<void> {
    try {
      const report = await this.#getStats();
      if (this.#isStopped) return;
      this.#events.onReport(report);
      if (!this.#isStopped) this.#listen(report);
    } catch (error) {
      if (!this.#isStopped) this.#events.onError(ClientError.from(error));
    }
  }

  /** A server that lives sends something every second; the browser itself notices its silence much later. */
  #listen(report: RTCStatsReport): void {
    const bytes = transportBytes(report);
    const nowMs = performance.now();
    if (bytes === undefined || bytes !== this.#heard.bytes) {
      this.#heard = { bytes: bytes ?? 0, atMs: nowMs };
      if (this.#isQuiet) this.rise();
      return;
    }
    const silentMs = nowMs - this.#heard.atMs;
    if (silentMs >= this.#policy.silenceMs) this.lose();
    else if (silentMs >= QUIET_MS) {
      this.#isQuiet = true;
      this.#events.onDown();
    }
  }
}
