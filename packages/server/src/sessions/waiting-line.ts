/**
 * The line of those who want a session when all places are taken: first come,
 * first served. Nobody is called; who tries again with the ticket in time
 * keeps the place.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "./clock.ts";

const KEEP_MS = 30_000;
const MAX_WAITING = 100;

type Waiting = { ticket: string; seenMs: number };

export class WaitingLine {
  readonly #clock: Clock;
  #waiting: Waiting[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get length(): number {
    this.#drop();
    return this.#waiting.length;
  }

  /** The place, from 1, that a ticket has, or that a newcomer would have. */
  place(ticket: string | undefined): number {
    this.#drop();
    const index = this.#waiting.findIndex((one) => one.ticket === ticket);
    return (index < 0 ? this.#waiting.length : index) + 1;
  }

  /** Takes a place at the end or keeps the one that the ticket has; undefined when the line is full. */
  wait(ticket: string | undefined): { ticket: string; place: number } | undefined {
    const place = this.place(ticket);
    const now = this.#clock.now();
    const known = this.#waiting[place - 1];
    if (known !== undefined) {
      known.seenMs = now;
      return { ticket: known.ticket, place };
    }
    if (this.#waiting.length >= MAX_WAITING) return undefined;
    const joined = { ticket: randomUUID(), seenMs: now };
    this.#waiting.push(joined);
    return { ticket: joined.ticket, place };
  }

  /** Gives the place up: its owner got in. */
  leave(ticket: string | undefined): void {
    this.#waiting = this.#waiting.filter((one) => one.ticket !== ticket);
  }

  #drop(): void {
    const now = this.#clock.now();
    this.#waiting = this.#waiting.filter((one) => now - one.seenMs <= KEEP_MS);
  }
}
