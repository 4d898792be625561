// Plays a timeline: moves the playhead by the clock and applies each event that it passes. While armed, what the person
// changes meanwhile is written at the playhead.
import { differenceOf, type Look, type LookPatch, patchLook } from "../state/look.ts";
import { writeStored } from "../state/settings.ts";
import { KEYS, type State } from "../state/state.ts";
import type { Store } from "../state/store.ts";
import { addEvent, eventsBetween, lookAt, type Timeline } from "../state/timeline.ts";

const TICK_MS = 50;
const STORE_MS = 400;

export class TimelinePlayer {
  readonly #store: Store<State>;
  readonly #setLook: (look: Look) => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #storeTimer: ReturnType<typeof setTimeout> | undefined;
  #lastMs = 0;
  #isApplying = false;

  constructor(store: Store<State>, setLook: (look: Look) => void) {
    this.#store = store;
    this.#setLook = setLook;
  }

  play(): void {
    if (this.#store.get().isPlaying) return;
    const { timeline, playheadS } = this.#store.get();
    const startS = playheadS >= timeline.lengthS ? 0 : playheadS;
    this.#store.update({ isPlaying: true, playheadS: startS });
    // What came before the playhead holds there, as if it had been played.
    this.#apply(lookAt(timeline, this.#store.get().settings.look, startS));
    this.#lastMs = performance.now();
    this.#timer = setInterval(() => this.#tick(performance.now()), TICK_MS);
  }

  pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#store.update({ isPlaying: false });
  }

  seek(atS: number): void {
    const { timeline } = this.#store.get();
    this.#store.update({ playheadS: Math.min(timeline.lengthS, Math.max(0, atS)) });
  }

  /** Replaces the timeline and remembers it. */
  edit(timeline: Timeline): void {
    const { playheadS } = this.#store.get();
    this.#store.update({ timeline, playheadS: Math.min(playheadS, timeline.lengthS) });
    clearTimeout(this.#storeTimer);
    this.#storeTimer = setTimeout(() => writeStored(KEYS.timeline, timeline), STORE_MS);
  }

  /** Writes at the playhead what the look has that the timeline does not make there; the prompts when that is nothing. */
  add(): void {
    const { timeline, playheadS, settings } = this.#store.get();
    const { look } = settings;
    const base: Look = { ...look, prompts: [], values: {} };
    const isFirst = timeline.events.every(({ atS }) => atS > playheadS);
    const reached = isFirst
      ? { ...base, values: look.values }
      : lookAt(timeline, { ...base, values: look.values }, playheadS);
    const patch: LookPatch = differenceOf(reached, look) ?? { prompts: look.prompts };
    this.edit(addEvent(timeline, playheadS, patch));
  }

  /** Told each change of the look; written down while armed and playing. */
  follow(before: Look, after: Look): void {
    const { isPlaying, isArmed, timeline, playheadS } = this.#store.get();
    if (!isPlaying || !isArmed || this.#isApplying) return;
    const patch = differenceOf(before, after);
    if (patch !== undefined) this.edit(addEvent(timeline, playheadS, patch));
  }

  close(): void {
    this.pause();
    clearTimeout(this.#storeTimer);
  }

  #tick(nowMs: number): void {
    const { timeline, playheadS } = this.#store.get();
    const passedS = (nowMs - this.#lastMs) / 1000;
    this.#lastMs = nowMs;
    const target = playheadS + passedS;
    const isOver = target >= timeline.lengthS;
    const next = isOver ? (timeline.loop ? target % timeline.lengthS : timeline.lengthS) : target;
    const events = eventsBetween(timeline, playheadS, next);
    this.#store.update({ playheadS: next });
    if (events.length > 0) {
      this.#apply(events.reduce((look, { patch }) => patchLook(look, patch), this.#store.get().settings.look));
    }
    if (isOver && !timeline.loop) this.pause();
  }

  #apply(look: Look): void {
    this.#isApplying = true;
    this.#setLook(look);
    this.#isApplying = false;
  }
}
