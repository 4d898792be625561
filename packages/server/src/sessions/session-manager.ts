/**
 * All sessions of the server, by id: at most a fixed number, none without a
 * loaded pipeline, all closed together when the pipeline or the server goes.
 */
import { randomUUID } from "node:crypto";
import { ApiError, type ErrorCode, type ParameterUpdate, type StopReason } from "@everframe/protocol";
import type { Pipeline } from "../pipelines/pipeline.ts";
import { Session, type SessionOptions } from "./session.ts";

export type SessionManagerOptions = Omit<SessionOptions, "id" | "pipeline" | "initial" | "onClosed"> & {
  /** Sessions at once. */
  maxSessions: number;
};

export class SessionManager {
  readonly #options: SessionManagerOptions;
  readonly #sessions = new Map<string, Session>();
  /** Sessions on their way out, so that the end of the server can wait for them. */
  readonly #closing = new Set<Promise<void>>();

  constructor(options: SessionManagerOptions) {
    this.#options = options;
  }

  /** Sessions that are connecting or live. */
  get count(): number {
    return this.#sessions.size;
  }

  /**
   * Opens a session for an offer.
   * Throws `ApiError`: `too_many_sessions`, `invalid_sdp`, `no_common_codec`.
   */
  async open(
    pipeline: Pipeline,
    offerSdp: string,
    initial: ParameterUpdate,
  ): Promise<{ sessionId: string; sdp: string }> {
    const { maxSessions, ...options } = this.#options;
    if (this.#sessions.size >= maxSessions)
      throw new ApiError("too_many_sessions", { limit: maxSessions, cause: "its limit" });
    const id = randomUUID();
    const session = new Session({ ...options, id, pipeline, initial, onClosed: () => this.#forget(id) });
    this.#sessions.set(id, session);
    return { sessionId: id, sdp: await session.start(offerSdp) };
  }

  /** The session; throws `session_not_found`. */
  get(sessionId: string): Session {
    const session = this.find(sessionId);
    if (session === undefined) throw new ApiError("session_not_found", { sessionId });
    return session;
  }

  /** The session, if it is still there. */
  find(sessionId: string): Session | undefined {
    return this.#sessions.get(sessionId);
  }

  /** Closes every session and waits until all are gone. */
  async closeAll(reason: StopReason, error?: { code: ErrorCode; message: string }): Promise<void> {
    for (const session of [...this.#sessions.values()]) void session.close(reason, error);
    await Promise.all(this.#closing);
  }

  #forget(id: string): void {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    if (session === undefined) return;
    // `onClosed` comes from inside `close`, so its promise is there only a moment later.
    const closed = Promise.resolve().then(() => session.close("peer_closed"));
    this.#closing.add(closed);
    void closed.finally(() => this.#closing.delete(closed));
  }
}
