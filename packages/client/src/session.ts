// One stream to the server and back, over one connection after the other: when the network or the server's process dies,
// the session comes back by itself, to the same server session if that is there, else to a new one with the same
// parameters. The tracks that it sends belong to the caller.
import type { ErrorCode, ServerMessage, StatsMessage, StopReason } from "@everframe/protocol";
import { CONNECT_TIMEOUT_MS, QUEUE_PAUSE_MS, QUIET_MS, RECONNECT, STATS_INTERVAL_MS } from "./defaults.ts";
import { ClientError, type Queue } from "./errors.ts";
import { Emitter } from "./events.ts";
import { type Frame, watchFrames } from "./frame-watcher.ts";
import { followSource } from "./input-follower.ts";
import type { Input, InputEvent } from "./inputs.ts";
import { Link, type LinkEnvironment, type LinkEvents } from "./link.ts";
import { type Applied, ParameterSender } from "./parameter-sender.ts";
import { pause } from "./pause.ts";
import type { ReconnectPolicy } from "./reconnect-policy.ts";
import { reconnect } from "./reconnection.ts";
import { SessionRecording } from "./recording.ts";
import { stopText } from "./server-messages.ts";
import { type CloseReason, IDLE, nextState, type SessionEvent, type SessionState } from "./session-state.ts";
import { type SessionStats, StatsReader, transportBytes } from "./stats.ts";
import {
  fromWireParameters,
  type LiveParameters,
  mergeLiveParameters,
  type Rejection,
  toLasting,
  toRejections,
  toWireParameters,
} from "./wire-parameters.ts";

/** How to open a session. */
export type ConnectOptions = {
  /**
   * Input video: a stream, whose first video track is sent, or an `Input`, which the session follows when its camera is
   * unplugged and comes back. Default: none, and video is made from text alone.
   */
  stream?: MediaStream | Input | undefined;
  /** What the first chunk is made with. Default: the server's; `inputMode` is "video" with a stream, else "text". */
  parameters?: LiveParameters;
  /** Ends the attempt, and later the session. Default: none. */
  signal?: AbortSignal | undefined;
  /** Longest wait until media and parameters flow, milliseconds; a wait in line does not count. Default 20 000. */
  timeoutMs?: number;
  /** What to do about a lost connection; false ends the session at once. Default: see `ReconnectPolicy`. */
  reconnect?: Partial<ReconnectPolicy> | false;
  /** Told each state, also those before `connect` resolves. Default: nobody is. */
  onState?: (state: SessionState) => void;
  /**
   * Waits in line when the server is full, and is told the place at each try. Default: no waiting, `connect` throws
   * `server`/`too_many_sessions`.
   */
  onQueue?: (queue: Queue) => void;
};

/** The server's own word that the stream is over. */
export type StopNotice = { reason: StopReason | undefined; code: ErrorCode | undefined; message: string };

/** A pipeline that the server has loaded while the session went on. */
export type Reloaded = {
  pipeline: string;
  model: string;
  /** Of the picture from now on, pixels; undefined where it follows the input. */
  size: { width: number; height: number } | undefined;
};

/** Events of a session. */
export type SessionEvents = {
  /** Every change of `state`, and each try to connect again. */
  state: SessionState;
  /** Live figures, once a second. */
  stats: SessionStats;
  /** Each new picture of the output, ready to be drawn; nothing is spent on it while nobody listens. */
  frame: Frame;
  /** Parameters that are in use from now on. */
  applied: Applied & { parameters: LiveParameters };
  /** Parameters that somebody else has changed. */
  updated: LiveParameters;
  /** Fields that the server could not use; the others of their message act. */
  rejected: Rejection[];
  /** Another pipeline is being loaded; the connection stays and the last picture is held. */
  reloading: { pipeline: string };
  /** The stream goes on with that pipeline. */
  reloaded: Reloaded;
  /** The input pauses, goes on, or has ended; a camera that comes back is sent again by itself. */
  input: InputEvent;
  /** The server ended the stream and said why; the state becomes `closed` next. */
  stopped: StopNotice;
  /** Something failed and the session goes on. */
  error: ClientError;
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
  /** What is sent now, for a connection that has to begin anew. */
  #source: MediaStream | Input | undefined;
  #unfollow = (): void => {};
  /** What the server uses, as far as it has said so. */
  #parameters: LiveParameters;
  /** Whether the caller chose the input mode; else it follows the input. */
  #isModeChosen: boolean;
  #ticket: string | undefined;
  #unwatchFrames: (() => void) | undefined;
  #graceTimer: ReturnType<typeof setTimeout> | undefined;
  #heard = { bytes: 0, atMs: 0 };
  /** Nothing has come for a moment, and that was told. */
  #isQuiet = false;
  #isReconnecting = false;
  #serverStats: StatsMessage | undefined;
  readonly #policy: ReconnectPolicy | undefined;
  #timeoutTimer: ReturnType<typeof setTimeout> | undefined;
  /** Recording what the session sends, on the server. */
  readonly recording: SessionRecording;

  private constructor(environment: LinkEnvironment, options: ConnectOptions) {
    const { stream, parameters = {}, reconnect } = options;
    this.#environment = environment;
    this.#options = options;
    this.#source = stream;
    this.#isModeChosen = parameters.inputMode !== undefined;
    this.#parameters = { inputMode: stream === undefined ? "text" : "video", ...parameters };
    this.#policy = reconnect === false ? undefined : { ...RECONNECT, ...reconnect };
    this.recording = new SessionRecording(environment.api, () => this.id);
  }

  /** Opens a session; resolves when media and parameters can flow. Throws ClientError and leaves nothing behind. */
  static async connect(environment: LinkEnvironment, options: ConnectOptions): Promise<Session> {
    const session = new Session(environment, options);
    try {
      session.#watchOutside();
      session.#dispatch({ type: "connect" });
      await session.#enter();
      session.#followInput();
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

  /** Where the session stands. */
  get state(): SessionState {
    return this.#state;
  }

  /** Adds a handler; returns the function that removes it. */
  on<Name extends keyof SessionEvents>(name: Name, handler: (event: SessionEvents[Name]) => void): () => void {
    const off = this.#events.on(name, handler);
    this.#watchFrames();
    return () => {
      off();
      this.#watchFrames();
    };
  }

  /** The live parameters that were set and are in use, as far as the server has said so. */
  get parameters(): LiveParameters {
    return this.#parameters;
  }

  /**
   * Changes parameters from the next chunk on. Calls are merged and sent at most 20 times a second; the latest value of a
   * field wins and none is lost, also while the connection is made again. Resolves when a chunk uses them, during a pause
   * after it; rejects with `rejected` for a value that the server cannot use, and with `closed` when the session ends
   * first. A caller that does not care may drop the promise.
   */
  set(parameters: LiveParameters): Promise<Applied> {
    if (parameters.inputMode !== undefined) this.#isModeChosen = true;
    if (this.#sender === undefined) return Promise.reject(ClientError.closed());
    return this.#sender.set(parameters);
  }

  /** Holds the picture; nothing is made meanwhile. */
  pause(): Promise<Applied> {
    return this.set({ paused: true });
  }

  /** Goes on with what the input shows then. */
  resume(): Promise<Applied> {
    return this.set({ paused: false });
  }

  /**
   * Sends another stream or input from now on, or nothing. The old one stays its owner's. The input mode follows, unless
   * it was set. Throws ClientError `closed`.
   */
  async replaceInput(stream: MediaStream | Input | undefined): Promise<void> {
    if (this.#link === undefined || this.#state.name === "closed") throw ClientError.closed();
    this.#source = stream;
    this.#followInput();
    await this.#sendTrack();
    const inputMode = stream === undefined ? "text" : "video";
    if (!this.#isModeChosen && this.#parameters.inputMode !== inputMode) void this.#sender?.set({ inputMode });
  }

  /**
   * The newest picture as JPEG, as large as it is made and before video coding.
   * @param quality 0 to 1, default 0.9
   */
  snapshot({ quality = 0.9, signal }: { quality?: number; signal?: AbortSignal } = {}): Promise<Blob> {
    const percent = Math.min(100, Math.max(1, Math.round(quality * 100)));
    return this.#environment.api.fetch(`/api/v1/sessions/${this.id}/snapshot?quality=${percent}`, { signal });
  }

  /** Ends the session: the data channel closes and the server is told. Calling it again does nothing. */
  close(): void {
    this.#end("closed_by_client");
  }

  /** Connects for the first time, after a wait in line if there is one. */
  async #enter(): Promise<void> {
    const { signal } = this.#abort;
    for (;;) {
      try {
        return await this.#open(undefined, signal);
      } catch (error) {
        const { queue } = ClientError.from(error);
        if (queue === undefined || this.#options.onQueue === undefined || signal.aborted) throw error;
        this.#options.onQueue(queue);
        this.#watchTimeout();
        await pause(queue.retryAfterMs ?? QUEUE_PAUSE_MS, signal);
      }
    }
  }

  /** Makes a connection, for a session of the server or a new one, and puts it in the place of the one before. */
  async #open(sessionId: string | undefined, signal: AbortSignal): Promise<void> {
    const initialParameters = toWireParameters(this.#parameters);
    let link: Link | undefined;
    // Before it is there the attempt itself hears of its fate, and after another one has replaced it nobody wants to.
    const ifCurrent = (handle: () => void) => {
      if (link !== undefined && this.#link === link) handle();
    };
    const unlessReplaced = (handle: () => void) => {
      if (link === undefined || this.#link === link) handle();
    };
    const events: LinkEvents = {
      onUp: () => ifCurrent(() => this.#rise()),
      onDown: () => ifCurrent(() => this.#sink()),
      onLost: (error) => ifCurrent(() => this.#lose(error)),
      onEnded: () => ifCurrent(() => this.#end("stopped_by_server", ClientError.connection("channel_closed"))),
      onMessage: (message) => unlessReplaced(() => this.#handleMessage(message)),
      onError: (error) => unlessReplaced(() => this.#events.emit("error", error)),
    };
    const stream = streamOf(this.#source);
    const track = stream?.getVideoTracks()[0];
    const ticket = this.#ticket;
    try {
      link = await Link.open(
        this.#environment,
        { stream, track, initialParameters, sessionId, ticket, signal },
        events,
      );
    } catch (error) {
      this.#ticket = ClientError.from(error).queue?.ticket;
      throw error;
    }
    if (this.#state.name === "closed") {
      link.close({ isGoodbye: true });
      throw this.#closeError();
    }
    this.#link?.close({ isGoodbye: false });
    this.#link = link;
    this.#parameters = toLasting(this.#parameters);
    this.#heard = { bytes: 0, atMs: performance.now() };
    this.#isQuiet = false;
    if (this.#output === undefined) this.#output = link.output;
    else replaceTracks(this.#output, link.output);
    if (this.#sender === undefined) this.#sender = new ParameterSender(link.channel);
    else this.#sender.attach(link.channel);
    if (streamOf(this.#source)?.getVideoTracks()[0] !== track) await this.#sendTrack();
    this.#dispatch({ type: "connected" });
    this.#dispatch({ type: "recovered" });
  }

  #rise(): void {
    this.#isQuiet = false;
    clearTimeout(this.#graceTimer);
    this.#dispatch({ type: "recovered" });
  }

  #sendTrack(): Promise<void> {
    const track = streamOf(this.#source)?.getVideoTracks()[0];
    return this.#link?.transceiver.sender.replaceTrack(track ?? null) ?? Promise.resolve();
  }

  #followInput(): void {
    this.#unfollow();
    this.#unfollow = followSource(this.#source, (event) => {
      this.#events.emit("input", event);
      if (event.state !== "live") return;
      this.#sendTrack().catch((error: unknown) => this.#events.emit("error", ClientError.from(error)));
    });
  }

  /** Plays the output beside the page while somebody wants its pictures. */
  #watchFrames(): void {
    const isWanted = this.#events.has("frame") && this.#output !== undefined && this.#state.name !== "closed";
    if (isWanted === (this.#unwatchFrames !== undefined)) return;
    this.#unwatchFrames?.();
    this.#unwatchFrames = isWanted ? watchFrames(this.output, (frame) => this.#events.emit("frame", frame)) : undefined;
  }

  /** No packets come: it may heal within the grace, and is lost after it. */
  #sink(): void {
    const lost = ClientError.connection("lost");
    this.#dispatch({ type: "interrupted", attempt: 0, error: lost });
    clearTimeout(this.#graceTimer);
    this.#graceTimer = setTimeout(() => this.#lose(lost), this.#policy?.graceMs ?? RECONNECT.graceMs);
  }

  #lose(error: ClientError): void {
    if (this.#state.name !== "live" || this.#isReconnecting) return;
    clearTimeout(this.#graceTimer);
    const policy = this.#policy;
    if (policy === undefined) {
      this.#end("connection_lost", error);
      return;
    }
    this.#isReconnecting = true;
    const sessionId = this.#link?.id;
    this.#link?.retire();
    reconnect({
      lost: error,
      policy,
      sessionId,
      signal: this.#abort.signal,
      onAttempt: (attempt, why) => this.#dispatch({ type: "interrupted", attempt, error: why }),
      open: (id, signal) => this.#open(id, signal),
      revive: this.#environment.revive,
    })
      .catch((thrown: unknown) => this.#end("connection_lost", ClientError.from(thrown)))
      .finally(() => {
        this.#isReconnecting = false;
      });
  }

  #handleMessage(message: ServerMessage): void {
    switch (message.type) {
      case "stats":
        this.#serverStats = message;
        return;
      case "parameters_applied": {
        const parameters = fromWireParameters(message.parameters);
        this.#parameters = toLasting(mergeLiveParameters(this.#parameters, parameters));
        this.#sender?.applied(message);
        this.#events.emit("applied", { parameters, chunk: message.chunk, ignored: message.ignored ?? [] });
        return;
      }
      case "parameters_rejected":
        this.#sender?.rejected(message);
        this.#events.emit("rejected", toRejections(message.rejected));
        return;
      case "parameters_updated": {
        const parameters = fromWireParameters(message.parameters);
        this.#parameters = toLasting(mergeLiveParameters(this.#parameters, parameters));
        this.#events.emit("updated", parameters);
        return;
      }
      case "pipeline_reloading":
        this.#events.emit("reloading", { pipeline: message.pipeline_id });
        return;
      case "pipeline_reloaded": {
        const { pipeline_id: pipeline, model, width, height } = message;
        const size = width === null || height === null ? undefined : { width, height };
        this.#events.emit("reloaded", { pipeline, model, size });
        return;
      }
      case "error":
        this.#events.emit(
          "error",
          ClientError.server({ reason: message.code, message: message.message, retryable: message.retryable }),
        );
        return;
      case "stream_stopped": {
        const { reason, code } = message;
        const text = stopText(message);
        const details = { reason: code ?? reason ?? "stream_stopped", message: text, retryable: true };
        const error = ClientError.server(details);
        // A server that ends may be one that is being started anew.
        if (reason === "server_shutdown" && this.#policy !== undefined && this.#state.name === "live") {
          this.#lose(error);
          return;
        }
        this.#events.emit("stopped", { reason, code, message: text });
        this.#end("stopped_by_server", error);
      }
    }
  }

  /** Ends with the caller's signal, with the page, and when connecting takes too long. */
  #watchOutside(): void {
    const { signal } = this.#options;
    if (signal !== undefined) {
      const abort = () => this.#end("aborted", ClientError.aborted(signal.reason));
      if (signal.aborted) {
        abort();
        throw this.#closeError();
      }
      signal.addEventListener("abort", abort);
      this.#disposers.push(() => signal.removeEventListener("abort", abort));
    }
    this.#watchTimeout();
    this.#disposers.push(() => clearTimeout(this.#timeoutTimer));
    if (typeof window !== "undefined") {
      const hide = () => this.#end("page_hidden");
      window.addEventListener("pagehide", hide);
      this.#disposers.push(() => window.removeEventListener("pagehide", hide));
    }
  }

  #watchTimeout(): void {
    const { timeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    clearTimeout(this.#timeoutTimer);
    this.#timeoutTimer = setTimeout(() => {
      if (this.#state.name === "connecting") this.#end("connect_failed", ClientError.timeout("Connecting", timeoutMs));
    }, timeoutMs);
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
    if (bytes === undefined || bytes !== this.#heard.bytes) {
      this.#heard = { bytes: bytes ?? 0, atMs: nowMs };
      if (this.#isQuiet) this.#rise();
      return;
    }
    const silentMs = nowMs - this.#heard.atMs;
    const lost = ClientError.connection("lost");
    if (silentMs >= (this.#policy ?? RECONNECT).silenceMs) this.#lose(lost);
    else if (silentMs >= QUIET_MS) {
      this.#isQuiet = true;
      this.#dispatch({ type: "interrupted", attempt: 0, error: lost });
    }
  }

  #end(reason: CloseReason, error?: ClientError): void {
    if (this.#state.name === "closed") return;
    clearTimeout(this.#graceTimer);
    for (const dispose of this.#disposers.splice(0)) dispose();
    this.#unfollow();
    this.#sender?.close(error);
    this.#link?.close({ isGoodbye: true });
    this.#dispatch({ type: "end", reason, error });
    this.#abort.abort();
    this.#events.clear();
    this.#watchFrames();
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

function streamOf(source: MediaStream | Input | undefined): MediaStream | undefined {
  return source !== undefined && "stream" in source ? source.stream : source;
}

/** Makes a stream show what another one has; what plays it goes on. */
function replaceTracks(stream: MediaStream, other: MediaStream): void {
  for (const track of stream.getTracks()) stream.removeTrack(track);
  for (const track of other.getTracks()) stream.addTrack(track);
}
