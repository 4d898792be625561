/**
 * The line of those who want a session when all places are taken: first come,
 * first served. Nobody is called; who tries again with the ticket in time
 * keeps the place. Who has not come back with it yet holds nobody up, because
 * clients that know nothing of tickets get a new one with every try.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "./clock.ts";

const KEEP_MS = 30_000;
const MAX_WAITING = 100;

type Waiting = { ticket: string; seenMs: number; cameBack: boolean };

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

  /** The place, from 1, that a ticket has, or that a newcomer would have, among those who came back. */
  place(ticket: string | undefined): number {
    return this.#waiting.slice(0, this.#index(ticket)).filter((one) => one.cameBack).length + 1;
  }

  /** Takes a place at the end or keeps the one that the ticket has; undefined when the line is full. */
  wait(ticket: string | undefined): { ticket: string; place: number } | undefined {
    const index = this.#index(ticket);
    const now = this.#clock.now();
    const known = this.#waiting[index];
    if (known !== undefined) {
      known.seenMs = now;
      known.cameBack = true;
      return { ticket: known.ticket, place: index + 1 };
    }
    if (this.#waiting.length >= MAX_WAITING) return undefined;
    const joined = { ticket: randomUUID(), seenMs: now, cameBack: false };
    this.#waiting.push(joined);
    return { ticket: joined.ticket, place: index + 1 };
  }

  /** Gives the place up: its owner got in. */
  leave(ticket: string | undefined): void {
    this.#waiting = this.#waiting.filter((one) => one.ticket !== ticket);
  }

  /** Where a ticket is in the line, or where a newcomer would be. */
  #index(ticket: string | undefined): number {
    this.#drop();
    const index = this.#waiting.findIndex((one) => one.ticket === ticket);
    return index < 0 ? this.#waiting.length : index;
  }

  #drop(): void {
    const now = this.#clock.now();
    this.#waiting = this.#waiting.filter((one) => now - one.seenMs <= KEEP_MS);
  }
}
