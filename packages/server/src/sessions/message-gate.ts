/**
 * Bounds what a client can make the server read in a second. Parameters are
 * merged, so of a flood only the newest message matters: it is held and read
 * when the second is over, and the ones between are left out.
 */
import type { Clock } from "./clock.ts";

const WINDOW_MS = 1000;
/** A slider that follows every frame of a fast screen stays below it. */
const MAX_MESSAGES = 240;
/**
 * The same after a second that had more. Each one is answered, and an answer that meets the client's goodbye can end the
 * process: docs/SECURITY.md.
 */
const MAX_MESSAGES_AFTER_FLOOD = 24;
const MAX_CHARS = 1024 * 1024;

export type MessageGateOptions = {
  clock: Clock;
  onMessage: (text: string) => void;
  /** Messages are being left out; told at most once a second. */
  onFlood: () => void;
};

export class MessageGate {
  readonly #options: MessageGateOptions;
  #windowMs = Number.NEGATIVE_INFINITY;
  #maxMessages = MAX_MESSAGES;
  #isFlooded = false;
  #messages = 0;
  #chars = 0;
  #held: string | undefined;
  #cancel: () => void = () => {};

  constructor(options: MessageGateOptions) {
    this.#options = options;
  }

  push(text: string): void {
    const now = this.#options.clock.now();
    if (now - this.#windowMs >= WINDOW_MS) this.#open(now);
    if (this.#messages < this.#maxMessages && this.#chars + text.length <= MAX_CHARS) {
      this.#pass(text);
      return;
    }
    if (this.#held === undefined) {
      this.#isFlooded = true;
      this.#cancel = this.#options.clock.after(this.#windowMs + WINDOW_MS - now, () => this.#release());
      this.#options.onFlood();
    }
    this.#held = text;
  }

  close(): void {
    this.#cancel();
    this.#held = undefined;
  }

  #open(now: number): void {
    const isAfterFlood = this.#isFlooded && now - this.#windowMs < 2 * WINDOW_MS;
    this.#maxMessages = isAfterFlood ? MAX_MESSAGES_AFTER_FLOOD : MAX_MESSAGES;
    this.#isFlooded = false;
    this.#release();
    this.#windowMs = now;
    this.#messages = 0;
    this.#chars = 0;
  }

  #pass(text: string): void {
    this.#messages += 1;
    this.#chars += text.length;
    this.#options.onMessage(text);
  }

  #release(): void {
    this.#cancel();
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#options.onMessage(held);
  }
}
