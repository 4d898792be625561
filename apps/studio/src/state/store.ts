// The page's one store: a value that is replaced, never changed in place, and those who want to know of it. React reads
// it by `useSyncExternalStore`; conductors and tests read it without React.

export class Store<State extends object> {
  #state: State;
  readonly #listeners = new Set<() => void>();

  constructor(state: State) {
    this.#state = state;
  }

  readonly get = (): State => this.#state;

  /** Replaces some fields; listeners are called only when one of them differs. */
  readonly update = (patch: Partial<State>): void => {
    const names = Object.keys(patch) as (keyof State)[];
    if (names.every((name) => Object.is(this.#state[name], patch[name]))) return;
    this.#state = { ...this.#state, ...patch };
    for (const listener of [...this.#listeners]) listener();
  };

  /** Calls `listener` after each change; returns the function that ends it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  /** Calls `listener` after each change of one part of the state, with the part before and after. */
  watch<Part>(select: (state: State) => Part, listener: (part: Part, before: Part) => void): () => void {
    let last = select(this.#state);
    return this.subscribe(() => {
      const part = select(this.#state);
      if (Object.is(part, last)) return;
      const before = last;
      last = part;
      listener(part, before);
    });
  }
}
