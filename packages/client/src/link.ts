// One connection to the server: offer, trickled candidates (RFC 8838), the data channel, the end. A session has one at a
// time and makes another when it is lost. The tracks that it sends belong to the caller.
import type { Answer, CandidatesRequest, OfferRequest, ServerMessage } from "@everframe/protocol";
import { CANDIDATE_BATCH_MS, GOODBYE_MS } from "./defaults.ts";
import { ClientError } from "./errors.ts";
import type { Api } from "./http.ts";
import { Pulse, type PulseEvents } from "./pulse.ts";
import type { ReconnectPolicy } from "./reconnect-policy.ts";
import { parseServerMessage } from "./server-messages.ts";

const OFFER_PATH = "/api/v1/webrtc/offer";

/** What connections need from their client. */
export type LinkEnvironment = {
  api: Api;
  PeerConnection: typeof RTCPeerConnection;
  iceServers(signal: AbortSignal): Promise<RTCIceServer[]>;
  /** Sees to it that a pipeline is loaded, on a server that may have lost what it had; throws when it cannot be. */
  revive(signal: AbortSignal): Promise<void>;
};

/** What a connection tells: of its health once it is open, and nothing more when it is retired. */
export type LinkEvents = PulseEvents & {
  /** The server closed the data channel: it lives, and has no use for this connection. */
  onEnded: () => void;
  /** Also before the connection is open. */
  onMessage: (message: ServerMessage) => void;
};

export type LinkOptions = {
  stream: MediaStream | undefined;
  track: MediaStreamTrack | undefined;
  initialParameters: OfferRequest["initialParameters"];
  /** The session to go on with; undefined for a new one. */
  sessionId: string | undefined;
  /** The place in the line of a server that was full. */
  ticket?: string | undefined;
  /** How long trouble may last before the connection is lost. */
  policy: Pick<ReconnectPolicy, "graceMs" | "silenceMs">;
  /** Ends the attempt. */
  signal: AbortSignal;
};

export class Link {
  readonly #api: Api;
  readonly #events: LinkEvents;
  readonly #peer: RTCPeerConnection;
  readonly #up: { promise: Promise<void>; resolve: () => void; reject: (error: ClientError) => void };
  readonly channel: RTCDataChannel;
  readonly transceiver: RTCRtpTransceiver;
  #id: string | undefined;
  #output: MediaStream | undefined;
  #candidates: CandidatesRequest["candidates"] = [];
  #candidateTimer: ReturnType<typeof setTimeout> | undefined;
  /** From the moment when it is open. */
  #pulse: Pulse | undefined;
  #isOver = false;
  #isClosed = false;

  private constructor(
    { api, PeerConnection }: LinkEnvironment,
    iceServers: RTCIceServer[],
    { stream, track }: LinkOptions,
    events: LinkEvents,
  ) {
    this.#api = api;
    this.#events = events;
    this.#peer = new PeerConnection({ iceServers });
    this.channel = this.#peer.createDataChannel("parameters", { ordered: true });
    // Both directions even without a track: the server answers with its own video, and an input can be added later.
    this.transceiver = this.#peer.addTransceiver(track ?? "video", {
      direction: "sendrecv",
      ...(stream === undefined ? {} : { streams: [stream] }),
    });
    let resolve = (): void => {};
    let reject = (_: ClientError): void => {};
    const promise = new Promise<void>((accept, refuse) => {
      resolve = accept;
      reject = refuse;
    });
    promise.catch(() => undefined); // it may fail before anyone waits for it
    this.#up = { promise, resolve, reject };
    this.#listen();
  }

  /** Connects; resolves when media and parameters can flow. Throws ClientError and leaves nothing behind. */
  static async open(environment: LinkEnvironment, options: LinkOptions, events: LinkEvents): Promise<Link> {
    const { signal } = options;
    const iceServers = await environment.iceServers(signal);
    if (signal.aborted) throw ClientError.aborted(signal.reason);
    const link = new Link(environment, iceServers, options, events);
    const abort = () => link.#up.reject(ClientError.aborted(signal.reason));
    signal.addEventListener("abort", abort);
    try {
      await link.#offer(options);
      await link.#up.promise;
      link.#pulse = new Pulse(() => link.#peer.getStats(), options.policy, events);
      return link;
    } catch (error) {
      // A session to go on with may still be reached by the next attempt.
      if (options.sessionId === undefined) link.leave();
      else link.close();
      throw ClientError.from(error);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** The server's id of the session. */
  get id(): string {
    if (this.#id === undefined) throw ClientError.closed();
    return this.#id;
  }

  /** The generated video. */
  get output(): MediaStream {
    if (this.#output === undefined) throw ClientError.closed();
    return this.#output;
  }

  /** Tells nothing more, but stays: the server would take its end for a goodbye. */
  retire(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#candidateTimer);
    this.#pulse?.stop();
    this.#up.reject(ClientError.closed());
  }

  /**
   * Ends media at once, then the server's session, and closes when the server has answered, at the latest after
   * `GOODBYE_MS`. In this order because a channel that closes while the server writes to it can end the server's process.
   */
  leave(): void {
    this.retire();
    if (this.#id === undefined) {
      this.close();
      return;
    }
    this.transceiver.stop();
    void this.#delete(this.#id).then(() => this.close());
  }

  /** Frees everything at once and tells nothing more; the server's session may go on without this connection. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.retire();
    this.channel.close();
    this.#peer.close();
  }

  async #offer({ initialParameters, sessionId, ticket }: LinkOptions): Promise<void> {
    const peer = this.#peer;
    const offer = await peer.createOffer();
    await peer.setLocalDescription(offer);
    const sdp = peer.localDescription?.sdp ?? offer.sdp ?? "";
    const json: OfferRequest = {
      sdp,
      type: "offer",
      ...(initialParameters == null ? {} : { initialParameters }),
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(ticket === undefined ? {} : { ticket }),
    };
    const asked = this.#api.request<Answer>(OFFER_PATH, { method: "POST", json });
    const answer = await this.#unlessOver(asked, (late) => {
      if (sessionId === undefined) void this.#delete(late.sessionId);
    });
    this.#id = answer.sessionId;
    try {
      await peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    } catch (error) {
      throw ClientError.connection("bad_answer", error);
    }
    if (this.#output === undefined) throw ClientError.connection("bad_answer");
    this.#scheduleCandidates();
  }

  #listen(): void {
    const peer = this.#peer;
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
    peer.addEventListener("connectionstatechange", () => this.#follow(peer.connectionState));
    this.channel.addEventListener("open", () => this.#riseIfReady());
    this.channel.addEventListener("message", ({ data }) => {
      const message = parseServerMessage(data);
      if (message !== undefined && !this.#isOver) this.#events.onMessage(message);
    });
    this.channel.addEventListener("close", () => {
      this.#up.reject(ClientError.connection("channel_closed"));
      if (this.#isOpen) this.#events.onEnded();
    });
  }

  get #isOpen(): boolean {
    return this.#pulse !== undefined && !this.#isOver;
  }

  #follow(state: RTCPeerConnectionState): void {
    if (this.#isOver) return;
    if (state === "connected") this.#riseIfReady();
    else if (state === "disconnected") this.#pulse?.sink();
    else if (state === "failed") {
      this.#up.reject(ClientError.connection("ice_failed"));
      this.#pulse?.lose();
    }
  }

  #riseIfReady(): void {
    if (this.#isOver || this.#peer.connectionState !== "connected" || this.channel.readyState !== "open") return;
    this.#up.resolve();
    this.#pulse?.rise();
  }

  /** Sends the candidates found so far in one request, once the server has given the session an id. */
  #scheduleCandidates(): void {
    if (this.#isOver || this.#id === undefined) return;
    if (this.#candidates.length === 0 || this.#candidateTimer !== undefined) return;
    this.#candidateTimer = setTimeout(() => {
      this.#candidateTimer = undefined;
      const body: CandidatesRequest = { candidates: this.#candidates };
      this.#candidates = [];
      this.#api.request(`${OFFER_PATH}/${this.#id}`, { method: "PATCH", json: body }).catch((error: unknown) => {
        if (!this.#isOver) this.#events.onError(ClientError.from(error));
      });
    }, CANDIDATE_BATCH_MS);
  }

  /** Ends the server's session; resolves when it has answered or had its time. */
  async #delete(id: string): Promise<void> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), GOODBYE_MS);
    try {
      const { signal } = limit;
      await this.#api.request(`${OFFER_PATH}/${id}`, { method: "DELETE", keepalive: true, signal });
    } catch {
      // The session is over for this page either way; a server that misses this notices the silent peer by itself.
    } finally {
      clearTimeout(timer);
    }
  }

  /** The result of `promise`, or the end of the attempt if that comes first; `late` gets a result that nobody waits for. */
  #unlessOver<T>(promise: Promise<T>, late: (result: T) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      let isLate = false;
      this.#up.promise.catch((error: unknown) => {
        isLate = true;
        reject(error);
      });
      promise.then((result) => (isLate ? late(result) : resolve(result)), reject);
    });
  }
}
