// Parameter updates on their way to the server. A slider gives hundreds of updates a second and a chunk takes one: updates
// made within one interval are merged and travel as one message, so the last value always arrives and none is lost, and
// what waits is never more than one message.
import { MAX_BUFFERED_BYTES, PARAMETER_INTERVAL_MS } from "./defaults.ts";
import { type LiveParameters, mergeLiveParameters, toWireParameters } from "./wire-parameters.ts";

/** The part of RTCDataChannel that a sender needs. */
export type ParameterChannel = {
  readonly readyState: string;
  readonly bufferedAmount: number;
  send(text: string): void;
};

/** Sends merged parameter messages, at most one every `intervalMs` (default 50). */
export class ParameterSender {
  #channel: ParameterChannel;
  readonly #intervalMs: number;
  #waiting: LiveParameters | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(channel: ParameterChannel, intervalMs = PARAMETER_INTERVAL_MS) {
    this.#channel = channel;
    this.#intervalMs = intervalMs;
  }

  /** Merges `update` into what waits and sends as soon as the interval allows; before the channel opens it waits. */
  set(update: LiveParameters): void {
    if (this.#closed) return;
    this.#waiting = mergeLiveParameters(this.#waiting ?? {}, update);
    this.flush();
  }

  /** Goes on with the channel of another connection; what was not sent yet goes there. */
  attach(channel: ParameterChannel): void {
    this.#channel = channel;
    this.flush();
  }

  /** Sends what waits, now or when the interval is over. Call it when the channel opens. */
  flush(): void {
    if (this.#closed || this.#timer !== undefined || this.#waiting === undefined) return;
    if (this.#channel.readyState !== "open") return;
    const restMs = this.#lastSentMs + this.#intervalMs - performance.now();
    const congested = this.#channel.bufferedAmount > MAX_BUFFERED_BYTES;
    if (restMs > 0 || congested) {
      this.#timer = setTimeout(
        () => {
          this.#timer = undefined;
          this.flush();
        },
        congested ? this.#intervalMs : restMs,
      );
      return;
    }
    this.#send();
  }

  /** Sends what waits without regard to the interval and accepts nothing more. */
  close(): void {
    if (this.#closed) return;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#send();
    this.#closed = true;
  }

  #send(): void {
    if (this.#waiting === undefined || this.#channel.readyState !== "open") return;
    const text = JSON.stringify(toWireParameters(this.#waiting));
    this.#waiting = undefined;
    this.#lastSentMs = performance.now();
    this.#channel.send(text);
  }
}
