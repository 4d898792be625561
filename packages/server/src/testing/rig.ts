/** A server in this process with its clients, for tests of whole sessions. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Health, PipelineStatus } from "@everframe/protocol";
import { createServer, type EverframeServer, type ServerOptions } from "../index.ts";
import { createLogger } from "../logger.ts";
import { type Ask, type ClientOptions, TestClient, until } from "./test-client.ts";

export class Rig {
  readonly server: EverframeServer;
  /** Everything that was logged. */
  readonly logLines: string[] = [];
  readonly #home: string;
  #clients: TestClient[] = [];
  readonly ask: Ask = (path, init) => this.server.app.request(path, init);

  private constructor(home: string, options: ServerOptions) {
    this.#home = home;
    this.server = createServer({
      modelsDir: join(home, "models"),
      // Not the machine's own cache: what is installed there must not change a test.
      hub: { cacheDir: join(home, "hub"), endpoint: "http://127.0.0.1:9", token: undefined, offline: true },
      log: createLogger("info", (line) => this.logLines.push(line)),
      ...options,
    });
  }

  static async start(options: ServerOptions = {}): Promise<Rig> {
    return new Rig(await mkdtemp(join(tmpdir(), "everframe-")), options);
  }

  /** Loads a pipeline and waits until it is. */
  async load(pipelineId: string, loadParams?: object): Promise<PipelineStatus> {
    const body = JSON.stringify({ pipeline_id: pipelineId, load_params: loadParams });
    const response = await this.ask("/api/v1/pipeline/load", { method: "POST", body });
    if (!response.ok) throw new Error(await response.text());
    await until(async () => (await this.status()).status !== "loading", "the pipeline to load", 60_000);
    const status = await this.status();
    if (status.status !== "loaded") throw new Error(status.error ?? status.status);
    return status;
  }

  async status(): Promise<PipelineStatus> {
    return (await (await this.ask("/api/v1/pipeline/status")).json()) as PipelineStatus;
  }

  async sessionCount(): Promise<number> {
    return ((await (await this.ask("/health")).json()) as Health).sessions;
  }

  async connect(options: Omit<ClientOptions, "ask"> = {}): Promise<TestClient> {
    const client = await TestClient.connect({ ask: this.ask, ...options });
    this.#clients.push(client);
    return client;
  }

  /** Closes all clients and waits until their sessions are gone. */
  async closeClients(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    await until(async () => (await this.sessionCount()) === 0, "all sessions to end");
  }

  async close(): Promise<void> {
    await this.closeClients();
    await this.server.close();
    await rm(this.#home, { recursive: true, force: true });
  }
}
