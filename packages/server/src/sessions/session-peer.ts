/**
 * One connection of a session: the peer, the watch over its transport and the
 * bound on its messages. A session may have several, one after the other, when
 * its client comes back.
 */
import type { Candidate, IceServer, ServerMessage } from "@everframe/protocol";
import type { Logger } from "pino";
import type { I420Frame, MediaBackend, MediaPeer } from "../webrtc/media-peer.ts";
import { isSameConnection } from "../webrtc/sdp.ts";
import type { Clock } from "./clock.ts";
import { MessageGate } from "./message-gate.ts";
import { Watchdog } from "./watchdog.ts";

/** How long a last message may take to leave. */
const FLUSH_LIMIT_MS = 1000;

export type SessionPeerOptions = {
  media: MediaBackend;
  iceServers: readonly IceServer[];
  maxBitrateBps: number;
  clock: Clock;
  log: Logger;
  onFrame: (frame: I420Frame) => void;
  onMessage: (text: string) => void;
  /** Messages come too fast and some are left out; at most once a second. */
  onFlood: () => void;
  /** Media and data can flow, at first or again. */
  onUp: () => void;
  /** The transport is silent or failed. */
  onDown: () => void;
  /** The client closed the connection. */
  onGoodbye: () => void;
};

export class SessionPeer {
  readonly #options: SessionPeerOptions;
  readonly #peer: MediaPeer;
  readonly #gate: MessageGate;
  #watchdog: Watchdog | undefined;
  #offerSdp: string | undefined;

  constructor(options: SessionPeerOptions) {
    this.#options = options;
    const { media, iceServers, maxBitrateBps, clock, onMessage, onFlood } = options;
    this.#gate = new MessageGate({ clock, onMessage, onFlood });
    this.#peer = media.createPeer(
      {
        onFrame: options.onFrame,
        onMessage: (text) => this.#gate.push(text),
        onConnected: () => this.#connected(),
        onFailed: options.onDown,
        onClosed: options.onGoodbye,
      },
      { iceServers, maxBitrateBps },
    );
  }

  /** Whether an offer comes from the client's side of this very connection. */
  isFrom(offerSdp: string): boolean {
    return this.#offerSdp !== undefined && isSameConnection(this.#offerSdp, offerSdp);
  }

  /** Answers the first offer, or a later one of the same connection. Throws `ApiError`. */
  async answer(offerSdp: string): Promise<string> {
    const answer = await this.#peer.answer(offerSdp);
    this.#offerSdp = offerSdp;
    return answer;
  }

  /** Adds the client's candidates; ones that cannot be used do not block the rest. */
  async addCandidates(candidates: readonly Candidate[]): Promise<void> {
    for (const candidate of candidates) {
      if (isEndOfCandidates(candidate.candidate)) continue;
      const line = candidate.candidate.replace(/^a=/, "");
      const usable = { ...candidate, candidate: line.startsWith("candidate:") ? line : `candidate:${line}` };
      if (!(await this.#peer.addCandidate(usable))) this.#options.log.debug("a candidate could not be used");
    }
  }

  sendFrame(frame: I420Frame): void {
    this.#peer.sendFrame(frame);
  }

  tell(message: ServerMessage): void {
    this.#peer.send(JSON.stringify(message));
  }

  /** Waits a moment for the last messages to leave. */
  flush(): Promise<void> {
    return this.#peer.flush(FLUSH_LIMIT_MS);
  }

  close(): void {
    this.#watchdog?.stop();
    this.#gate.close();
    this.#peer.close();
  }

  #connected(): void {
    this.#watchdog ??= new Watchdog({
      clock: this.#options.clock,
      bytesReceived: () => this.#peer.bytesReceived(),
      onSilent: this.#options.onDown,
      onHeard: this.#options.onUp,
    });
    this.#options.onUp();
  }
}

/** An empty candidate, or its spelled-out form, says that no more will come (RFC 8838). */
function isEndOfCandidates(candidate: string): boolean {
  return /^(a=)?(end-of-candidates)?\s*$/.test(candidate);
}
