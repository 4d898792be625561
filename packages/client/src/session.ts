// One stream to the server and back, over one connection after the other: when the network or the server's process dies,
// the session comes back by itself, to the same server session if that is there, else to a new one with the same
// parameters. The tracks that it sends belong to the caller.
import { CONNECT_TIMEOUT_MS, QUEUE_PAUSE_MS, RECONNECT } from "./defaults.ts";
import { ClientError, type Queue } from "./errors.ts";
import { Emitter } from "./events.ts";
import { watchFrames } from "./frame-watcher.ts";
import type { Input } from "./inputs.ts";
import { Link, type LinkEnvironment } from "./link.ts";
import { handleMessage } from "./message-handler.ts";
import type { Applied } from "./parameter-sender.ts";
import { pause } from "./pause.ts";
import type { ReconnectPolicy } from "./reconnect-policy.ts";
import { type Place, reconnect } from "./reconnection.ts";
import { SessionRecording } from "./recording.ts";
import { SentInput } from "./sent-input.ts";
import type { SessionEvents, StopNotice } from "./session-events.ts";
import { SessionParameters } from "./session-parameters.ts";
import { type CloseReason, IDLE, nextState, type SessionEvent, type SessionState } from "./session-state.ts";
import { StatsReader } from "./stats.ts";
import { withinTime } from "./time-limit.ts";
import type { LiveParameters } from "./wire-parameters.ts";

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

/** A live stream. Made by `client.connect`; ends by `close()`, by its AbortSignal, by the server, or with the page. */
export class Session {
  readonly #environment: LinkEnvironment;
  readonly #options: ConnectOptions;
  /** What to do about a lost connection; undefined for nothing. */
  readonly #policy: ReconnectPolicy | undefined;
  readonly #events = new Emitter<SessionEvents>();
  readonly #parameters: SessionParameters;
  readonly #input: SentInput;
  readonly #stats = new StatsReader();
  /** Fires when the session has ended. */
  readonly #ended = new AbortController();
  #state: SessionState = IDLE;
  /** The newest connection; a lost one stays until another takes its place. */
  #link: Link | undefined;
  #output: MediaStream | undefined;
  #unwatchFrames: (() => void) | undefined;
  /** Recording what the session sends, on the server. */
  readonly recording: SessionRecording;

  private constructor(environment: LinkEnvironment, options: ConnectOptions) {
    const { stream, parameters = {}, reconnect, onState } = options;
    this.#environment = environment;
    this.#options = options;
    this.#policy = reconnect === false ? undefined : { ...RECONNECT, ...reconnect };
    this.#parameters = new SessionParameters(parameters, stream !== undefined);
    this.#input = new SentInput(stream, {
      onChange: (event) => this.#events.emit("input", event),
      onError: (error) => this.#events.emit("error", error),
    });
    this.recording = new SessionRecording(environment.api, () => this.id);
    if (onState !== undefined) this.#events.on("state", onState);
  }

  /** Opens a session; resolves when media and parameters can flow. Throws ClientError and leaves nothing behind. */
  static async connect(environment: LinkEnvironment, options: ConnectOptions): Promise<Session> {
    const session = new Session(environment, options);
    try {
      session.#watchOutside();
      session.#dispatch({ type: "connect" });
      await session.#enter();
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
    return this.#parameters.inUse;
  }

  /**
   * Changes parameters from the next chunk on. Calls are merged and sent at most 20 times a second; the latest value of a
   * field wins and none is lost, also while the connection is made again. Resolves when a chunk uses them, during a pause
   * after it; rejects with `rejected` for a value that the server cannot use, and with `closed` when the session ends
   * first. A caller that does not care may drop the promise.
   */
  set(parameters: LiveParameters): Promise<Applied> {
    return this.#parameters.set(parameters);
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
    await this.#input.replace(stream);
    this.#parameters.followInput(stream !== undefined);
  }

  /**
   * The newest picture as JPEG, as large as it is made and before video coding.
   * @param quality 0 to 1, default 0.9
   */
  snapshot({ quality = 0.9, signal }: { quality?: number; signal?: AbortSignal } = {}): Promise<Blob> {
    const percent = Math.min(100, Math.max(1, Math.round(quality * 100)));
    return this.#environment.api.fetch(`/api/v1/sessions/${this.id}/snapshot?quality=${percent}`, { signal });
  }

  /**
   * Ends the session: nothing is sent, shown or told any more, the server is told, and the connection closes when it has
   * answered, after two seconds at the latest. Calling it again does nothing.
   */
  close(): void {
    this.#end("closed_by_client");
  }

  /** Ends with the caller's signal and with the page. */
  #watchOutside(): void {
    const { signal } = this.#options;
    const abort = () => this.#end("aborted", ClientError.aborted(signal?.reason));
    if (signal?.aborted) abort();
    const until = { signal: this.#ended.signal };
    signal?.addEventListener("abort", abort, until);
    if (typeof window !== "undefined") window.addEventListener("pagehide", () => this.#end("page_hidden"), until);
  }

  /** Connects for the first time, after a wait in line if there is one. */
  async #enter(): Promise<void> {
    const { timeoutMs = CONNECT_TIMEOUT_MS, onQueue } = this.#options;
    const { signal } = this.#ended;
    let ticket: string | undefined;
    for (;;) {
      try {
        const place = { sessionId: undefined, ticket };
        return await withinTime("Connecting", timeoutMs, signal, (limit) => this.#open(place, limit));
      } catch (error) {
        const { queue } = ClientError.from(error);
        if (queue === undefined || onQueue === undefined || signal.aborted) throw error;
        onQueue(queue);
        ticket = queue.ticket;
        await pause(queue.retryAfterMs ?? QUEUE_PAUSE_MS, signal);
      }
    }
  }

  /** Makes a connection and puts it in the place of the one before. */
  async #open(place: Place, signal: AbortSignal): Promise<void> {
    const { stream, track } = this.#input;
    const initialParameters = this.#parameters.toWire();
    const policy = this.#policy ?? RECONNECT;
    const link = await Link.open(
      this.#environment,
      { stream, track, initialParameters, ...place, policy, signal },
      {
        onUp: () => this.#dispatch({ type: "recovered" }),
        onDown: () => this.#dispatch({ type: "interrupted", attempt: 0, error: ClientError.connection("lost") }),
        onLost: (error) => this.#lose(error),
        onEnded: () => this.#end("stopped_by_server", ClientError.connection("channel_closed")),
        onReport: (report) => this.#events.emit("stats", this.#stats.read(report)),
        onError: (error) => this.#events.emit("error", error),
        onMessage: (message) =>
          handleMessage(message, {
            parameters: this.#parameters,
            stats: this.#stats,
            events: this.#events,
            onStopped: (notice) => this.#handleStop(notice),
          }),
      },
    );
    if (this.#state.name === "closed") {
      link.leave();
      throw this.#closeError();
    }
    this.#link?.close();
    this.#link = link;
    if (this.#output === undefined) this.#output = link.output;
    else replaceTracks(this.#output, link.output);
    this.#parameters.attach(link.channel);
    this.#input.attach(link.transceiver.sender);
    this.#dispatch({ type: "connected" });
    this.#dispatch({ type: "recovered" });
  }

  /** Plays the output beside the page while somebody wants its pictures. */
  #watchFrames(): void {
    const isWanted = this.#events.has("frame") && this.#output !== undefined && this.#state.name !== "closed";
    if (isWanted === (this.#unwatchFrames !== undefined)) return;
    this.#unwatchFrames?.();
    this.#unwatchFrames = isWanted ? watchFrames(this.output, (frame) => this.#events.emit("frame", frame)) : undefined;
  }

  #lose(error: ClientError): void {
    const state = this.#state;
    const isTryingAgain = state.name === "live" && state.interrupted && state.attempt > 0;
    if (this.#link === undefined || state.name !== "live" || isTryingAgain) return;
    if (this.#policy === undefined) {
      this.#end("connection_lost", error);
      return;
    }
    this.#link.retire();
    reconnect({
      lost: error,
      policy: this.#policy,
      sessionId: this.#link.id,
      signal: this.#ended.signal,
      onAttempt: (attempt, why) => this.#dispatch({ type: "interrupted", attempt, error: why }),
      open: (place, signal) => this.#open(place, signal),
      revive: this.#environment.revive,
    }).catch((thrown: unknown) => this.#end("connection_lost", ClientError.from(thrown)));
  }

  #handleStop(notice: StopNotice): void {
    const { reason, code, message } = notice;
    const error = ClientError.server({ reason: code ?? reason ?? "stream_stopped", message, retryable: true });
    // A server that ends may be one that is being started anew.
    if (reason === "server_shutdown" && this.#policy !== undefined && this.#state.name === "live") {
      this.#lose(error);
      return;
    }
    this.#events.emit("stopped", notice);
    this.#end("stopped_by_server", error);
  }

  #end(reason: CloseReason, error?: ClientError): void {
    if (this.#state.name === "closed") return;
    this.#input.close();
    this.#parameters.close(error);
    this.#link?.leave();
    // A page that goes away hears no answer.
    if (reason === "page_hidden") this.#link?.close();
    this.#dispatch({ type: "end", reason, error });
    this.#ended.abort();
    this.#events.clear();
    this.#watchFrames();
  }

  #dispatch(event: SessionEvent): void {
    const next = nextState(this.#state, event);
    if (next === this.#state) return;
    this.#state = next;
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
