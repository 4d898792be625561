// One stream to the server and back: offer, trickled candidates (RFC 8838), the data channel for parameters, the end.
// The session owns its peer connection and nothing else: the tracks that it sends belong to the caller.
import type {
  Answer,
  CandidatesRequest,
  ErrorCode,
  ServerMessage,
  StatsMessage,
  StopReason,
} from "@everframe/protocol";
import { CANDIDATE_BATCH_MS, CONNECT_TIMEOUT_MS, INTERRUPTION_GRACE_MS, STATS_INTERVAL_MS } from "./defaults.ts";
import { ClientError } from "./errors.ts";
import { Emitter } from "./events.ts";
import type { Api } from "./http.ts";
import { ParameterSender } from "./parameter-sender.ts";
import { parseServerMessage } from "./server-messages.ts";
import { type CloseReason, IDLE, nextState, type SessionEvent, type SessionState } from "./session-state.ts";
import { type SessionStats, StatsReader } from "./stats.ts";
import { type LiveParameters, type Rejection, toRejections, toWireParameters } from "./wire-parameters.ts";

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
  /** Told every state, also those before `connect` resolves. */
  onState?: (state: SessionState) => void;
};

/** What the session needs from its client. */
export type SessionEnvironment = {
  api: Api;
  PeerConnection: typeof RTCPeerConnection;
  iceServers(signal: AbortSignal): Promise<RTCIceServer[]>;
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

const OFFER_PATH = "/api/v1/webrtc/offer";

/** A live stream. Made by `client.connect`; ends by `close()`, by its AbortSignal, by the server, or with the page. */
export class Session {
  readonly #environment: SessionEnvironment;
  readonly #options: ConnectOptions;
  readonly #events = new Emitter<SessionEvents>();
  readonly #abort = new AbortController();
  readonly #disposers: (() => void)[] = [];
  readonly #statsReader = new StatsReader();
  readonly #opened: { promise: Promise<void>; resolve: () => void; reject: (error: ClientError) => void };
  #state: SessionState = IDLE;
  #id: string | undefined;
  #peer: RTCPeerConnection | undefined;
  #channel: RTCDataChannel | undefined;
  #transceiver: RTCRtpTransceiver | undefined;
  #sender: ParameterSender | undefined;
  #output: MediaStream | undefined;
  #candidates: CandidatesRequest["candidates"] = [];
  #candidateTimer: ReturnType<typeof setTimeout> | undefined;
  #graceTimer: ReturnType<typeof setTimeout> | undefined;
  #serverStats: StatsMessage | undefined;

  private constructor(environment: SessionEnvironment, options: ConnectOptions) {
    this.#environment = environment;
    this.#options = options;
    let resolve = (): void => {};
    let reject = (_: ClientError): void => {};
    const promise = new Promise<void>((accept, refuse) => {
      resolve = accept;
      reject = refuse;
    });
    this.#opened = { promise, resolve, reject };
  }

  /** Opens a session; resolves when media and parameters can flow. Throws ClientError and leaves nothing behind. */
  static async connect(environment: SessionEnvironment, options: ConnectOptions): Promise<Session> {
    const session = new Session(environment, options);
    // A session that ends early rejects this promise before anyone waits for it.
    session.#opened.promise.catch(() => undefined);
    try {
      session.#watchOutside();
      session.#dispatch({ type: "connect" });
      await session.#open();
      await session.#opened.promise;
      session.#watchStats();
      return session;
    } catch (error) {
      session.#end("connect_failed", ClientError.from(error));
      throw session.#closeError();
    }
  }

  /** The server's id of this session. */
  get id(): string {
    if (this.#id === undefined) throw ClientError.closed();
    return this.#id;
  }

  /** The generated video, for `video.srcObject`. */
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
   * field wins and none is lost. Throws ClientError `closed` after the end.
   */
  set(parameters: LiveParameters): void {
    if (this.#sender === undefined || this.#state.name === "closed") throw ClientError.closed();
    this.#sender.set(parameters);
  }

  /** Sends the first video track of another stream from now on, or nothing. The old track goes on for its owner. */
  async replaceInput(stream: MediaStream | undefined): Promise<void> {
    if (this.#transceiver === undefined || this.#state.name === "closed") throw ClientError.closed();
    await this.#transceiver.sender.replaceTrack(stream?.getVideoTracks()[0] ?? null);
  }

  /** Ends the session: the data channel closes and the server is told. Calling it again does nothing. */
  close(): void {
    this.#end("closed_by_client");
  }

  async #open(): Promise<void> {
    const environment = this.#environment;
    const { stream, parameters = {} } = this.#options;
    const iceServers = await environment.iceServers(this.#abort.signal);
    this.#throwIfClosed();
    const peer = new environment.PeerConnection({ iceServers });
    this.#peer = peer;
    this.#channel = peer.createDataChannel("parameters", { ordered: true });
    this.#sender = new ParameterSender(this.#channel);
    // Both directions even without a track: the server answers with its own video, and an input can be added later.
    const track = stream?.getVideoTracks()[0];
    this.#transceiver = peer.addTransceiver(track ?? "video", {
      direction: "sendrecv",
      ...(stream === undefined ? {} : { streams: [stream] }),
    });
    this.#listen(peer, this.#channel);

    const offer = await peer.createOffer();
    await peer.setLocalDescription(offer);
    const sdp = peer.localDescription?.sdp ?? offer.sdp;
    this.#throwIfClosed();
    const asked = environment.api.request<Answer>(OFFER_PATH, {
      method: "POST",
      json: {
        sdp,
        type: "offer",
        initialParameters: toWireParameters({ inputMode: stream === undefined ? "text" : "video", ...parameters }),
      },
    });
    const answer = await this.#unlessClosed(asked, (late) => this.#delete(late.sessionId));
    this.#id = answer.sessionId;
    try {
      await peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    } catch (error) {
      throw ClientError.connection("bad_answer", error);
    }
    this.#throwIfClosed();
    if (this.#output === undefined) throw ClientError.connection("bad_answer");
    this.#scheduleCandidates();
  }

  #listen(peer: RTCPeerConnection, channel: RTCDataChannel): void {
    peer.addEventListener("track", ({ streams, track }) => {
      this.#output = streams[0] ?? new MediaStream([track]);
    });
    peer.addEventListener("icecandidate", ({ candidate }) => {
      // The empty candidate marks the end of gathering; the server needs no such mark.
      if (candidate === null || candidate.candidate === "") return;
      this.#candidates.push({
        candidate: candidate.candidate,
        sdpMid: candidate.sdpMid,
        sdpMLineIndex: candidate.sdpMLineIndex,
      });
      this.#scheduleCandidates();
    });
    peer.addEventListener("connectionstatechange", () => this.#handleConnectionState(peer.connectionState));
    channel.addEventListener("open", () => {
      this.#sender?.flush();
      this.#openIfReady();
    });
    channel.addEventListener("message", ({ data }) => {
      const message = parseServerMessage(data);
      if (message !== undefined) this.#handleMessage(message);
    });
    channel.addEventListener("close", () => {
      const error = ClientError.connection("channel_closed");
      this.#end(this.#state.name === "live" ? "stopped_by_server" : "connect_failed", error);
    });
  }

  #handleConnectionState(state: RTCPeerConnectionState): void {
    if (state === "connected") {
      clearTimeout(this.#graceTimer);
      this.#dispatch({ type: "recovered" });
      this.#openIfReady();
    } else if (state === "disconnected") {
      this.#dispatch({ type: "interrupted" });
      clearTimeout(this.#graceTimer);
      this.#graceTimer = setTimeout(() => this.#handleConnectionState("failed"), INTERRUPTION_GRACE_MS);
    } else if (state === "failed") {
      if (this.#state.name === "live") this.#end("connection_lost", ClientError.connection("lost"));
      else this.#end("connect_failed", ClientError.connection("ice_failed"));
    }
  }

  #openIfReady(): void {
    if (this.#peer?.connectionState !== "connected" || this.#channel?.readyState !== "open") return;
    this.#dispatch({ type: "connected" });
    this.#opened.resolve();
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

  /** Sends the candidates found so far in one request, once the server has given the session an id. */
  #scheduleCandidates(): void {
    if (this.#id === undefined || this.#candidates.length === 0 || this.#candidateTimer !== undefined) return;
    this.#candidateTimer = setTimeout(() => {
      this.#candidateTimer = undefined;
      const body: CandidatesRequest = { candidates: this.#candidates };
      this.#candidates = [];
      this.#environment.api
        .request(`${OFFER_PATH}/${this.#id}`, { method: "PATCH", json: body, signal: this.#abort.signal })
        .catch((error: unknown) => {
          if (this.#state.name !== "closed") this.#events.emit("error", ClientError.from(error));
        });
    }, CANDIDATE_BATCH_MS);
  }

  /** Ends with the caller's signal, with the page, and when connecting takes too long. */
  #watchOutside(): void {
    const { signal, timeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    if (signal !== undefined) {
      const abort = () => this.#end("aborted", ClientError.aborted(signal.reason));
      if (signal.aborted) abort();
      this.#throwIfClosed();
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
    const peer = this.#peer;
    if (peer === undefined || this.#state.name === "closed") return;
    const timer = setInterval(() => {
      peer
        .getStats()
        .then((report) => {
          if (this.#state.name === "live")
            this.#events.emit("stats", this.#statsReader.read(report, this.#serverStats));
        })
        .catch((error: unknown) => {
          if (this.#state.name === "live") this.#events.emit("error", ClientError.from(error));
        });
    }, STATS_INTERVAL_MS);
    this.#disposers.push(() => clearInterval(timer));
  }

  #end(reason: CloseReason, error?: ClientError): void {
    if (this.#state.name === "closed") return;
    clearTimeout(this.#candidateTimer);
    clearTimeout(this.#graceTimer);
    for (const dispose of this.#disposers.splice(0)) dispose();
    this.#sender?.close();
    this.#channel?.close();
    if (this.#id !== undefined) this.#delete(this.#id);
    this.#peer?.close();
    this.#dispatch({ type: "end", reason, error });
    this.#abort.abort();
    this.#opened.reject(this.#closeError());
    this.#events.clear();
  }

  #delete(id: string): void {
    this.#environment.api.request(`${OFFER_PATH}/${id}`, { method: "DELETE", keepalive: true }).catch(() => {
      // The session is over for this page either way; a server that misses this notices the silent peer by itself.
    });
  }

  #dispatch(event: SessionEvent): void {
    const next = nextState(this.#state, event);
    if (next === this.#state) return;
    this.#state = next;
    this.#options.onState?.(next);
    this.#events.emit("state", next);
  }

  /** The result of `promise`, or the session's end if that comes first; `late` gets a result that nobody waits for. */
  #unlessClosed<T>(promise: Promise<T>, late: (result: T) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#opened.promise.catch(reject);
      promise.then((result) => {
        if (this.#state.name === "closed") late(result);
        else resolve(result);
      }, reject);
    });
  }

  #throwIfClosed(): void {
    if (this.#state.name === "closed") throw this.#closeError();
  }

  #closeError(): ClientError {
    return (this.#state.name === "closed" ? this.#state.error : undefined) ?? ClientError.closed();
  }
}
