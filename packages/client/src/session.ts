// One stream to the server and back, over one connection after the other: when the network or the server's process dies,
// the session comes back by itself, to the same server session if that is there, else to a new one with the same
// parameters. The tracks that it sends belong to the caller.
import type { ErrorCode, ServerMessage, StatsMessage, StopReason } from "@everframe/protocol";
import {
  CONNECT_TIMEOUT_MS,
  INTERRUPTION_GRACE_MS,
  RECONNECT_LIMIT_MS,
  RECONNECT_TRY_MS,
  SILENCE_MS,
  STATS_INTERVAL_MS,
} from "./defaults.ts";
import { ClientError } from "./errors.ts";
import { Emitter } from "./events.ts";
import { Link, type LinkEnvironment, type LinkEvents } from "./link.ts";
import { ParameterSender } from "./parameter-sender.ts";
import { nextTry } from "./reconnect-policy.ts";
import { type CloseReason, IDLE, nextState, type SessionEvent, type SessionState } from "./session-state.ts";
import { type SessionStats, StatsReader, transportBytes } from "./stats.ts";
import {
  type LiveParameters,
  mergeLiveParameters,
  type Rejection,
  toLasting,
  toRejections,
  toWireParameters,
} from "./wire-parameters.ts";

/** How to open a session. */
export type ConnectOptions = {
  /** Input video: its first video track is sent. Without one the session makes video from text alone. */
  stream?: MediaStream | undefined;
  /** What the first chunk is made with. `inputMode` defaults to "video" with a stream, else "text". */
  parameters?: LiveParameters;
  /** Ends the attempt, and later the session. */
  signal?: AbortSignal | undefined;
  /** Longest wait until media and parameters flow, milliseconds. Default 20 000. */
  timeoutMs?: number;
  /** How long a lost connection is tried again, milliseconds; 0 for not at all. Default 60 000. */
  reconnectMs?: number;
  /** Told every state, also those before `connect` resolves. */
  onState?: (state: SessionState) => void;
};

/** The server's own word that the stream is over. */
export type StopNotice = { reason: StopReason | undefined; code: ErrorCode | undefined; message: string };

/** Events of a session. */
export type SessionEvents = {
  /** Every change of `state`. */
  state: SessionState;
  /** Live figures, once a second. */
  stats: SessionStats;
  /** The server ended the stream and said why; the state becomes `closed` next. */
  stopped: StopNotice;
  /** Fields that the server could not use; the others of their message act. */
  rejected: Rejection[];
  /** Something failed and the session goes on. */
  error: ClientError;
};

const STOP_TEXTS: Record<StopReason, string> = {
  deleted: "The session was deleted.",
  pipeline_changed: "Another pipeline was loaded.",
  pipeline_failed: "The pipeline failed.",
  chunks_failed: "Several chunks of video in a row could not be made.",
  server_shutdown: "The server is shutting down.",
  peer_lost: "The server heard nothing from this page for some seconds.",
  connect_timeout: "The connection took too long.",
  peer_closed: "The connection was closed.",
};

/** A live stream. Made by `client.connect`; ends by `close()`, by its AbortSignal, by the server, or with the page. */
export class Session {
  readonly #environment: LinkEnvironment;
  readonly #options: ConnectOptions;
  readonly #events = new Emitter<SessionEvents>();
  readonly #abort = new AbortController();
  readonly #disposers: (() => void)[] = [];
  readonly #statsReader = new StatsReader();
  #state: SessionState = IDLE;
  #link: Link | undefined;
  #sender: ParameterSender | undefined;
  #output: MediaStream | undefined;
  /** What is sent now, and what the caller wants the stream to be, for a connection that has to begin anew. */
  #input: { stream: MediaStream | undefined; track: MediaStreamTrack | undefined };
  #parameters: LiveParameters;
  #graceTimer: ReturnType<typeof setTimeout> | undefined;
  #heard = { bytes: 0, atMs: 0 };
  #isReconnecting = false;
  #serverStats: StatsMessage | undefined;

  private constructor(environment: LinkEnvironment, options: ConnectOptions) {
    const { stream, parameters = {} } = options;
    this.#environment = environment;
    this.#options = options;
    this.#input = { stream, track: stream?.getVideoTracks()[0] };
    this.#parameters = { inputMode: stream === undefined ? "text" : "video", ...parameters };
  }

  /** Opens a session; resolves when media and parameters can flow. Throws ClientError and leaves nothing behind. */
  static async connect(environment: LinkEnvironment, options: ConnectOptions): Promise<Session> {
    const session = new Session(environment, options);
    try {
      session.#watchOutside();
      session.#dispatch({ type: "connect" });
      await session.#open(undefined, session.#abort.signal);
      session.#watchStats();
      return session;
    } catch (error) {
      session.#end("connect_failed", ClientError.from(error));
      throw session.#closeError();
    }
  }

  /** The server's id of this session; another one after the server had to begin anew. */
  get id(): string {
    if (this.#link === undefined) throw ClientError.closed();
    return this.#link.id;
  }

  /** The generated video, for `video.srcObject`. It stays the same object when the connection is made again. */
  get output(): MediaStream {
    if (this.#output === undefined) throw ClientError.closed();
    return this.#output;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Adds a handler; returns the function that removes it. */
  on<Name extends keyof SessionEvents>(name: Name, handler: (event: SessionEvents[Name]) => void): () => void {
    return this.#events.on(name, handler);
  }

  /**
   * Changes parameters from the next chunk on. Calls are merged and sent at most 20 times a second; the latest value of a
   * field wins and none is lost, also while the connection is made again. Throws ClientError `closed` after the end.
   */
  set(parameters: LiveParameters): void {
    if (this.#sender === undefined || this.#state.name === "closed") throw ClientError.closed();
    this.#parameters = toLasting(mergeLiveParameters(this.#parameters, parameters));
    this.#sender.set(parameters);
  }

  /** Sends the first video track of another stream from now on, or nothing. The old track goes on for its owner. */
  async replaceInput(stream: MediaStream | undefined): Promise<void> {
    if (this.#link === undefined || this.#state.name === "closed") throw ClientError.closed();
    const track = stream?.getVideoTracks()[0];
    this.#input = { stream, track };
    await this.#link.transceiver.sender.replaceTrack(track ?? null);
  }

  /** Ends the session: the data channel closes and the server is told. Calling it again does nothing. */
  close(): void {
    this.#end("closed_by_client");
  }

  /** Makes a connection, for a session of the server or a new one, and puts it in the place of the one before. */
  async #open(sessionId: string | undefined, signal: AbortSignal): Promise<void> {
    const initialParameters = toWireParameters(this.#parameters);
    let link: Link | undefined;
    // Events of a connection that another one has replaced mean nothing any more.
    const ifCurrent = (handle: () => void) => {
      if (link === undefined || this.#link === link) handle();
    };
    const events: LinkEvents = {
      onUp: () => ifCurrent(() => this.#rise()),
      onDown: () => ifCurrent(() => this.#sink()),
      onLost: (error) => ifCurrent(() => this.#lose(error)),
      onEnded: () => ifCurrent(() => this.#endByServer()),
      onMessage: (message) => ifCurrent(() => this.#handleMessage(message)),
      onError: (error) => ifCurrent(() => this.#events.emit("error", error)),
    };
    const { stream, track } = this.#input;
    link = await Link.open(this.#environment, { stream, track, initialParameters, sessionId, signal }, events);
    if (this.#state.name === "closed") {
      link.close({ isGoodbye: true });
      throw this.#closeError();
    }
    this.#link?.close({ isGoodbye: false });
    this.#link = link;
    this.#parameters = toLasting(this.#parameters);
    this.#heard = { bytes: 0, atMs: performance.now() };
    if (this.#output === undefined) this.#output = link.output;
    else replaceTracks(this.#output, link.output);
    if (this.#sender === undefined) this.#sender = new ParameterSender(link.channel);
    else this.#sender.attach(link.channel);
    if (this.#input.track !== track) await link.transceiver.sender.replaceTrack(this.#input.track ?? null);
    this.#dispatch({ type: "connected" });
    this.#dispatch({ type: "recovered" });
  }

  #rise(): void {
    if (this.#link === undefined) return; // `#open` goes on from here
    clearTimeout(this.#graceTimer);
    this.#dispatch({ type: "recovered" });
  }

  /** No packets come: it may heal within the grace, and is lost after it. */
  #sink(): void {
    if (this.#link === undefined) return;
    this.#dispatch({ type: "interrupted" });
    clearTimeout(this.#graceTimer);
    this.#graceTimer = setTimeout(() => this.#lose(ClientError.connection("lost")), INTERRUPTION_GRACE_MS);
  }

  #lose(error: ClientError): void {
    if (this.#state.name !== "live" || this.#isReconnecting) return;
    clearTimeout(this.#graceTimer);
    const { reconnectMs = RECONNECT_LIMIT_MS } = this.#options;
    if (reconnectMs <= 0) {
      this.#end("connection_lost", error);
      return;
    }
    this.#dispatch({ type: "interrupted" });
    this.#isReconnecting = true;
    void this.#reconnect(error, reconnectMs).finally(() => {
      this.#isReconnecting = false;
    });
  }

  /** Tries until a connection is made, the time is over, or an error says that there is no use. */
  async #reconnect(lost: ClientError, limitMs: number): Promise<void> {
    const startMs = performance.now();
    let sessionId = this.#link?.id;
    this.#link?.retire();
    for (let tries = 1; this.#state.name === "live"; tries++) {
      try {
        await this.#try(sessionId);
        return;
      } catch (thrown) {
        const error = ClientError.from(thrown);
        const next = nextTry(error, tries, limitMs - (performance.now() - startMs));
        if (next === undefined) {
          this.#end("connection_lost", error.code === "unreachable" || error.code === "timeout" ? lost : error);
          return;
        }
        if (next.isAnew) sessionId = undefined;
        await this.#pause(next.afterMs);
      }
    }
  }

  /** One attempt, which may not take too long: the server may have died again meanwhile. */
  async #try(sessionId: string | undefined): Promise<void> {
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    const timer = setTimeout(stop, RECONNECT_TRY_MS);
    this.#abort.signal.addEventListener("abort", stop);
    try {
      await this.#open(sessionId, attempt.signal);
    } catch (error) {
      if (attempt.signal.aborted) throw ClientError.timeout("Connecting again", RECONNECT_TRY_MS, error);
      throw error;
    } finally {
      clearTimeout(timer);
      this.#abort.signal.removeEventListener("abort", stop);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#abort.signal.addEventListener(
        "abort",
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
  }

  #endByServer(): void {
    if (this.#link === undefined) return; // the attempt fails by it
    this.#end("stopped_by_server", ClientError.connection("channel_closed"));
  }

  #handleMessage(message: ServerMessage): void {
    switch (message.type) {
      case "stats":
        this.#serverStats = message;
        return;
      case "parameters_rejected":
        this.#events.emit("rejected", toRejections(message.rejected));
        return;
      case "error":
        this.#events.emit(
          "error",
          ClientError.server({ reason: message.code, message: message.message, retryable: message.retryable }),
        );
        return;
      case "stream_stopped": {
        const { reason, code } = message;
        const text = message.error_message || (reason && STOP_TEXTS[reason]) || "The server ended the stream.";
        this.#events.emit("stopped", { reason, code, message: text });
        this.#end(
          "stopped_by_server",
          ClientError.server({ reason: code ?? reason ?? "stream_stopped", message: text, retryable: true }),
        );
      }
    }
  }

  /** Ends with the caller's signal, with the page, and when connecting takes too long. */
  #watchOutside(): void {
    const { signal, timeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    if (signal !== undefined) {
      const abort = () => this.#end("aborted", ClientError.aborted(signal.reason));
      if (signal.aborted) {
        abort();
        throw this.#closeError();
      }
      signal.addEventListener("abort", abort);
      this.#disposers.push(() => signal.removeEventListener("abort", abort));
    }
    const timer = setTimeout(() => {
      if (this.#state.name === "connecting") this.#end("connect_failed", ClientError.timeout("Connecting", timeoutMs));
    }, timeoutMs);
    this.#disposers.push(() => clearTimeout(timer));
    if (typeof window !== "undefined") {
      const hide = () => this.#end("page_hidden");
      window.addEventListener("pagehide", hide);
      this.#disposers.push(() => window.removeEventListener("pagehide", hide));
    }
  }

  #watchStats(): void {
    if (this.#state.name === "closed") return;
    const timer = setInterval(() => {
      const link = this.#link;
      if (link === undefined || this.#isReconnecting) return;
      link
        .getStats()
        .then((report) => {
          if (this.#state.name !== "live" || this.#link !== link || this.#isReconnecting) return;
          this.#listen(report);
          this.#events.emit("stats", this.#statsReader.read(report, this.#serverStats));
        })
        .catch((error: unknown) => {
          if (this.#state.name === "live") this.#events.emit("error", ClientError.from(error));
        });
    }, STATS_INTERVAL_MS);
    this.#disposers.push(() => clearInterval(timer));
  }

  /** A server that lives sends something every second; the browser itself notices its silence much later. */
  #listen(report: RTCStatsReport): void {
    const bytes = transportBytes(report);
    const nowMs = performance.now();
    if (bytes === undefined || bytes !== this.#heard.bytes) this.#heard = { bytes: bytes ?? 0, atMs: nowMs };
    else if (nowMs - this.#heard.atMs >= SILENCE_MS) this.#lose(ClientError.connection("lost"));
  }

  #end(reason: CloseReason, error?: ClientError): void {
    if (this.#state.name === "closed") return;
    clearTimeout(this.#graceTimer);
    for (const dispose of this.#disposers.splice(0)) dispose();
    this.#sender?.close();
    this.#link?.close({ isGoodbye: true });
    this.#dispatch({ type: "end", reason, error });
    this.#abort.abort();
    this.#events.clear();
  }

  #dispatch(event: SessionEvent): void {
    const next = nextState(this.#state, event);
    if (next === this.#state) return;
    this.#state = next;
    this.#options.onState?.(next);
    this.#events.emit("state", next);
  }

  #closeError(): ClientError {
    return (this.#state.name === "closed" ? this.#state.error : undefined) ?? ClientError.closed();
  }
}

/** Makes a stream show what another one has; what plays it goes on. */
function replaceTracks(stream: MediaStream, other: MediaStream): void {
  for (const track of stream.getTracks()) stream.removeTrack(track);
  for (const track of other.getTracks()) stream.addTrack(track);
}
