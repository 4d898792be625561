/**
 * All sessions of the server, by id: who may come in, who comes back, and what
 * a change of the pipeline means for those that are there.
 */
import { randomUUID } from "node:crypto";
import {
  ApiError,
  type CapacityRefusal,
  type ErrorCode,
  type ParameterUpdate,
  type StopReason,
} from "@everframe/protocol";
import type { Pipeline } from "../pipelines/pipeline.ts";
import { Capacity, type CapacityOptions, type Limit } from "./capacity.ts";
import { Session, type SessionOptions } from "./session.ts";
import type { SessionFigures } from "./session-figures.ts";
import { WaitingLine } from "./waiting-line.ts";

/** How soon a client that was refused should ask again; well within what a ticket lasts. */
const RETRY_AFTER_S = 5;
/** A session interrupted for less may have its new connection on the way. */
const MIN_LOST_MS = 3000;

export type SessionManagerOptions = Omit<SessionOptions, "id" | "pipeline" | "initial" | "onChunk" | "onClosed"> &
  CapacityOptions & {
    /** Hears of each chunk of any session and the time it took. */
    onChunk?: (tookMs: number) => void;
    /** Hears of the end of each session, with its last figures. */
    onEnd?: (reason: StopReason, figures: SessionFigures) => void;
  };

const CAUSES: Record<Limit["cause"], string> = {
  sessions: "its limit",
  memory: "as many as its memory holds",
  time: "as many as its model can serve",
};

export class SessionManager {
  readonly #options: SessionManagerOptions;
  readonly #capacity: Capacity;
  readonly #line: WaitingLine;
  readonly #sessions = new Map<string, Session>();
  /** Sessions on their way out, so that the end of the server can wait for them. */
  readonly #closing = new Set<Promise<void>>();

  constructor(options: SessionManagerOptions) {
    this.#options = options;
    this.#capacity = new Capacity(options);
    this.#line = new WaitingLine(options.clock);
  }

  /** Sessions that are connecting or live. */
  get count(): number {
    return this.#sessions.size - this.interrupted;
  }

  /** Sessions whose client is lost and may come back. */
  get interrupted(): number {
    return this.list().filter((one) => one.state === "interrupted").length;
  }

  /** All sessions, in the order in which they were opened. */
  list(): Session[] {
    return [...this.#sessions.values()];
  }

  /** How many sessions fit, why not more, and how many clients wait. */
  capacity(): Limit & { waiting: number } {
    return { ...this.#limit(), waiting: this.#line.length };
  }

  /**
   * Opens a session for an offer.
   * Throws `ApiError`: `too_many_sessions`, `invalid_sdp`, `no_common_codec`.
   */
  async open(
    pipeline: Pipeline,
    offerSdp: string,
    initial: ParameterUpdate,
    ticket?: string,
  ): Promise<{ sessionId: string; sdp: string }> {
    this.#admit(ticket);
    const id = randomUUID();
    const session = new Session({
      ...this.#options,
      id,
      pipeline,
      initial,
      onChunk: ({ frames, stagesMs }) => {
        this.#capacity.measure(frames.length, stagesMs["total"] ?? 0);
        this.#options.onChunk?.(stagesMs["total"] ?? 0);
      },
      onClosed: (reason) => {
        this.#options.onEnd?.(reason, session.figures());
        this.#forget(id);
      },
    });
    this.#sessions.set(id, session);
    return { sessionId: id, sdp: await session.start(offerSdp) };
  }

  /**
   * Answers another offer for a session that is there: an ICE restart, or a new connection that takes it over.
   * The parameters are those that the session has; the ones that come with the offer, on the wire's form, are added.
   * Throws `ApiError`: `session_not_found`, `invalid_sdp`, `no_common_codec`.
   */
  async resume(sessionId: string, offerSdp: string, parameters?: unknown): Promise<{ sessionId: string; sdp: string }> {
    const session = this.get(sessionId);
    const sdp = await session.offer(offerSdp);
    if (parameters !== undefined && parameters !== null) session.update(parameters);
    return { sessionId, sdp };
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

  /** Ends all work on the pipeline, because another one is to be loaded; the sessions stay and wait for it. */
  async release(nextPipelineId: string): Promise<void> {
    await Promise.all(this.list().map((session) => session.release(nextPipelineId)));
  }

  /** Lets the sessions go on with the pipeline that was loaded. */
  async adopt(pipeline: Pipeline): Promise<void> {
    this.#capacity.use(pipeline.needs);
    const { sessions, cause } = this.#capacity.limit(0, 0);
    const room = cause === "memory" ? sessions : Number.POSITIVE_INFINITY;
    for (const [index, session] of this.list().entries()) {
      if (index < room) {
        await session.adopt(pipeline);
        continue;
      }
      const reason = `${pipeline.id} has no room for another stream`;
      await session.close("pipeline_failed", new ApiError("out_of_memory", { reason }));
    }
  }

  /** Closes every session and waits until all are gone. */
  async closeAll(reason: StopReason, error?: { code: ErrorCode; message: string }): Promise<void> {
    for (const session of this.list()) void session.close(reason, error);
    await Promise.all(this.#closing);
  }

  #limit(): Limit {
    // A stream takes its memory when it makes its first chunk; a reload has given that of the streams before back.
    const growing = this.list().filter((one) => one.figures().chunkMs === null).length;
    return this.#capacity.limit(this.#sessions.size, growing);
  }

  /** Makes sure of a place, or throws `too_many_sessions`. */
  #admit(ticket: string | undefined): void {
    const limit = this.#limit();
    const staying = this.list().filter(({ isLeaving }) => !isLeaving).length;
    const missing = staying + this.#line.place(ticket) - limit.sessions;
    if (missing > 0 && !this.#evict(missing)) throw this.#refusal(limit, ticket);
    this.#line.leave(ticket);
  }

  /** Gives up that many interrupted sessions, the longest lost first; none if that does not suffice. */
  #evict(count: number): boolean {
    const now = this.#options.clock.now();
    const lost = this.list().filter((one) => one.state === "interrupted" && now - one.stateSinceMs >= MIN_LOST_MS);
    if (lost.length < count) return false;
    lost.sort((a, b) => a.stateSinceMs - b.stateSinceMs);
    for (const session of lost.slice(0, count)) {
      this.#options.log.info({ session: session.id.slice(0, 8) }, "an interrupted session makes room");
      void session.close("peer_lost");
    }
    return true;
  }

  #refusal(limit: Limit, ticket: string | undefined): ApiError {
    const waiting = this.#line.wait(ticket);
    const extra: CapacityRefusal = {
      capacity: limit.sessions,
      queue_position: waiting?.place ?? null,
      ticket: waiting?.ticket ?? null,
    };
    const params = { limit: limit.sessions, cause: CAUSES[limit.cause] };
    return new ApiError("too_many_sessions", params, { extra, retryAfterS: RETRY_AFTER_S });
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
