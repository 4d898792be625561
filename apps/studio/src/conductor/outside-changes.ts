// Parameters that somebody else sets, over HTTP, while the page plays: they come into the controls, but not under a hand that
// is moving one. What a hand holds is looked at again when it has let go: by then the server knows what came last.
import type { LiveParameters } from "@everframe/client";

/** Sliders are let go of between two strokes; this much later the hand is taken to be gone. */
const REST_MS = 1_000;

type Parts = {
  /** What the server uses now. */
  current: () => LiveParameters;
  take: (parameters: LiveParameters) => void;
};

type Name = keyof LiveParameters;

export class OutsideChanges {
  readonly #parts: Parts;
  /** By parameter: changes of the page's own that are not in use yet, and the moment of the last. */
  readonly #hands = new Map<Name, { holds: number; lastMs: number }>();
  readonly #late = new Set<Name>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Told what the page itself sends; returns the function to be called when the server has answered. */
  hold(parameters: LiveParameters): () => void {
    const names = namesOf(parameters);
    const change = (by: number) => {
      for (const name of names) {
        const holds = (this.#hands.get(name)?.holds ?? 0) + by;
        this.#hands.set(name, { holds, lastMs: performance.now() });
      }
    };
    change(1);
    return () => change(-1);
  }

  /** Told what somebody else has set. */
  hear(parameters: LiveParameters): void {
    const names = namesOf(parameters);
    const held = names.filter((name) => this.#isHeld(name));
    for (const name of held) this.#late.add(name);
    if (held.length > 0) this.#wait();
    if (held.length < names.length) this.#parts.take(without(parameters, new Set(held)));
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#hands.clear();
    this.#late.clear();
  }

  #wait(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const free = [...this.#late].filter((name) => !this.#isHeld(name));
      for (const name of free) this.#late.delete(name);
      if (free.length > 0) {
        const current = this.#parts.current();
        this.#parts.take(Object.fromEntries(free.map((name) => [name, current[name]])));
      }
      if (this.#late.size > 0) this.#wait();
    }, REST_MS);
  }

  #isHeld(name: Name): boolean {
    const hand = this.#hands.get(name);
    return hand !== undefined && (hand.holds > 0 || performance.now() - hand.lastMs < REST_MS);
  }
}

/** A transition is a way to other prompts. */
function namesOf(parameters: LiveParameters): Name[] {
  const names = (Object.keys(parameters) as Name[]).map((name) => (name === "transition" ? "prompts" : name));
  return [...new Set(names)];
}

function without(parameters: LiveParameters, names: ReadonlySet<Name>): LiveParameters {
  const { transition, ...rest } = parameters;
  const others = Object.entries(rest).filter(([name]) => !names.has(name as Name));
  return { ...Object.fromEntries(others), ...(transition === undefined || names.has("prompts") ? {} : { transition }) };
}
