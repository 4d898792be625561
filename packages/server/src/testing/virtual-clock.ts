/** Time that only moves when a test says so; wakes come in their order. */
import type { Clock } from "../sessions/clock.ts";

export class VirtualClock implements Clock {
  #nowMs = 0;
  #next = 0;
  #waiting: { atMs: number; order: number; wake: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, wake: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, order: this.#next++, wake };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((one) => one !== entry);
    };
  }

  /** Moves on, calling everything that falls due on the way. */
  advance(ms: number): void {
    const end = this.#nowMs + ms;
    for (let due = this.#pop(end); due !== undefined; due = this.#pop(end)) {
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.wake();
    }
    this.#nowMs = end;
  }

  /** The same with turns of the event loop between, for code that awaits. */
  async advanceAsync(ms: number, stepMs = 1): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.advance(Math.min(stepMs, ms - passed));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Stands still for everything else while it moves on: a blocked thread. */
  block(ms: number): void {
    this.#nowMs += ms;
  }

  #pop(endMs: number) {
    this.#waiting.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
    return (this.#waiting[0]?.atMs ?? Number.POSITIVE_INFINITY) <= endMs ? this.#waiting.shift() : undefined;
  }
}
