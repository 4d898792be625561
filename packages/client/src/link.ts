// One connection to the server: offer, trickled candidates (RFC 8838), the data channel, the end. A session has one at a
// time and makes another when it is lost. The tracks that it sends belong to the caller.
import type { Answer, CandidatesRequest, OfferRequest, ServerMessage } from "@everframe/protocol";
import { CANDIDATE_BATCH_MS } from "./defaults.ts";
import { ClientError } from "./errors.ts";
import type { Api } from "./http.ts";
import { parseServerMessage } from "./server-messages.ts";

export const OFFER_PATH = "/api/v1/webrtc/offer";

/** What connections need from their client. */
export type LinkEnvironment = {
  api: Api;
  PeerConnection: typeof RTCPeerConnection;
  iceServers(signal: AbortSignal): Promise<RTCIceServer[]>;
  /** Sees to it that a pipeline is loaded, on a server that may have lost what it had; throws when it cannot be. */
  revive(signal: AbortSignal): Promise<void>;
};

export type LinkEvents = {
  /** Media and parameters can flow, at first or again. */
  onUp: () => void;
  /** No packets arrive just now; that may heal. */
  onDown: () => void;
  /** There is no way to the server any more. Comes once, and not after `close`. */
  onLost: (error: ClientError) => void;
  /** The server closed the data channel: it lives, and has no use for this connection. Comes once. */
  onEnded: () => void;
  onMessage: (message: ServerMessage) => void;
  /** Something failed and the connection goes on. */
  onError: (error: ClientError) => void;
};

export type LinkOptions = {
  stream: MediaStream | undefined;
  track: MediaStreamTrack | undefined;
  initialParameters: OfferRequest["initialParameters"];
  /** The session to go on with; undefined for a new one. */
  sessionId: string | undefined;
  /** The place in the line of a server that was full. */
  ticket?: string | undefined;
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
      return link;
    } catch (error) {
      // A session to go on with may still be reached by the next attempt.
      link.close({ isGoodbye: options.sessionId === undefined });
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

  getStats(): Promise<RTCStatsReport> {
    return this.#peer.getStats();
  }

  /** Tells nothing more, but stays: the server would take its end for a goodbye. */
  retire(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#candidateTimer);
    this.#up.reject(ClientError.closed());
  }

  /** Frees everything and tells nothing more; with a goodbye the server's session ends, too. */
  close({ isGoodbye }: { isGoodbye: boolean }): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.retire();
    if (isGoodbye) {
      this.channel.close();
      if (this.#id !== undefined) this.#delete(this.#id);
    }
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
      if (sessionId === undefined) this.#delete(late.sessionId);
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
      if (!this.#isOver) this.#events.onEnded();
    });
  }

  #follow(state: RTCPeerConnectionState): void {
    if (this.#isOver) return;
    if (state === "connected") this.#riseIfReady();
    else if (state === "disconnected") this.#events.onDown();
    else if (state === "failed") {
      this.#up.reject(ClientError.connection("ice_failed"));
      this.#events.onLost(ClientError.connection("lost"));
    }
  }

  #riseIfReady(): void {
    if (this.#isOver || this.#peer.connectionState !== "connected" || this.channel.readyState !== "open") return;
    this.#up.resolve();
    this.#events.onUp();
  }

  /** Sends the candidates found so far in one request, once the server has given the session an id. */
  #scheduleCandidates(): void {
    if (this.#id === undefined || this.#candidates.length === 0 || this.#candidateTimer !== undefined) return;
    this.#candidateTimer = setTimeout(() => {
      this.#candidateTimer = undefined;
      const body: CandidatesRequest = { candidates: this.#candidates };
      this.#candidates = [];
      this.#api.request(`${OFFER_PATH}/${this.#id}`, { method: "PATCH", json: body }).catch((error: unknown) => {
        if (!this.#isOver) this.#events.onError(ClientError.from(error));
      });
    }, CANDIDATE_BATCH_MS);
  }

  #delete(id: string): void {
    this.#api.request(`${OFFER_PATH}/${id}`, { method: "DELETE", keepalive: true }).catch(() => {
      // The session is over for this page either way; a server that misses this notices the silent peer by itself.
    });
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
