// The models page's conductor: what is on the server's disk, and fetching what is missing.
import { type Client, ClientError } from "@everframe/client";
import type { ModelState, State } from "../state/state.ts";
import type { Store } from "../state/store.ts";

export class ModelFiles {
  readonly #client: Client;
  readonly #store: Store<State>;
  readonly #downloads = new Map<string, AbortController>();

  constructor(client: Client, store: Store<State>) {
    this.#client = client;
    this.#store = store;
  }

  /** Reads everything that the page shows; a download that runs already is followed. */
  async refresh(): Promise<void> {
    const ids = Object.keys(this.#store.get().schemas);
    await Promise.all([...ids.map((id) => this.#read(id)), this.#readHardware()]);
  }

  /** Fetches what is missing, or goes on with what has come so far. */
  async download(id: string): Promise<void> {
    if (this.#downloads.has(id)) return;
    const attempt = new AbortController();
    this.#downloads.set(id, attempt);
    this.#update(id, { isBusy: true, error: undefined });
    try {
      const done = await this.#client.models.download(id, {
        signal: attempt.signal,
        onProgress: (progress) => this.#update(id, { progress }),
      });
      this.#update(id, { ...done, progress: undefined });
    } catch (thrown) {
      const error = ClientError.from(thrown);
      if (error.code !== "aborted") this.#update(id, { error: `${error.message} ${error.help}` });
    } finally {
      this.#downloads.delete(id);
      this.#update(id, { isBusy: false });
    }
  }

  /** Gives a download up; what has come stays on the disk. */
  cancel(id: string): void {
    this.#downloads.get(id)?.abort();
  }

  async #read(id: string): Promise<void> {
    try {
      const status = await this.#client.models.status(id);
      this.#update(id, { ...status, error: undefined });
      if (status.progress?.isDownloading === true) void this.download(id);
    } catch (error) {
      this.#update(id, { error: ClientError.from(error).message });
    }
  }

  async #readHardware(): Promise<void> {
    try {
      this.#store.update({ hardware: await this.#client.hardware() });
    } catch (error) {
      console.warn("The server did not tell its machine.", error);
    }
  }

  #update(id: string, patch: Partial<ModelState>): void {
    const { models } = this.#store.get();
    const empty: ModelState = { downloaded: false, missing: [], progress: undefined, error: undefined, isBusy: false };
    this.#store.update({ models: { ...models, [id]: { ...(models[id] ?? empty), ...patch } } });
  }
}
