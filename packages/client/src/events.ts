// A typed event emitter of the size that a session needs.

type Handlers<Events> = { [Name in keyof Events]?: Set<(event: Events[Name]) => void> };

/** Calls handlers in the order in which they were added. */
export class Emitter<Events> {
  #handlers: Handlers<Events> = {};

  /** Adds a handler and returns the function that removes it. */
  on<Name extends keyof Events>(name: Name, handler: (event: Events[Name]) => void): () => void {
    const handlers = this.#handlers[name] ?? new Set();
    this.#handlers[name] = handlers;
    handlers.add(handler);
    return () => {
      handlers.delete(handler);
    };
  }

  /** Whether anybody listens. */
  has(name: keyof Events): boolean {
    return (this.#handlers[name]?.size ?? 0) > 0;
  }

  /** Calls every handler. One that throws does not keep the event from the others: its error is reported by the page. */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const handler of [...(this.#handlers[name] ?? [])]) {
      try {
        handler(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Forgets all handlers. */
  clear(): void {
    this.#handlers = {};
  }
}
