/**
 * A session's way to its client: one connection after the other, because the
 * client may come back with a new one. Offers are answered one at a time, and
 * the newest connection alone is heard.
 */
import type { Candidate, IceServer, ServerMessage } from "@everframe/protocol";
import type { I420Frame } from "../webrtc/media-peer.ts";
import { SessionPeer, type SessionPeerOptions } from "./session-peer.ts";

export type SessionConnectionsOptions = Omit<SessionPeerOptions, "iceServers" | "maxBitrateBps"> & {
  /** Those of the moment: their credentials end. */
  iceServers: () => Promise<readonly IceServer[]>;
  maxBitrateBps: () => number;
  /** Throws when there is nothing to connect to any more. */
  checkOpen: () => void;
  /** A connection was answered: the first, or one that takes the place of the one before. */
  onNew: (isFirst: boolean) => void;
};

export class SessionConnections {
  readonly #options: SessionConnectionsOptions;
  /** Undefined before the first offer was answered, and after the end. */
  #current: SessionPeer | undefined;
  #offers: Promise<unknown> = Promise.resolve();

  constructor(options: SessionConnectionsOptions) {
    this.#options = options;
  }

  /** Whether there is a connection, established or not. */
  get exists(): boolean {
    return this.#current !== undefined;
  }

  /**
   * Answers an offer: the first, one of the same connection (an ICE restart), or that of a new connection, which takes
   * the place of the old one. Throws `ApiError`; the connection that was there stays then.
   */
  answer(offerSdp: string): Promise<string> {
    const answer = this.#offers.then(() => this.#answer(offerSdp));
    this.#offers = answer.catch(() => {});
    return answer;
  }

  /** Adds candidates of the newest offer, once that is answered. */
  async addCandidates(candidates: readonly Candidate[]): Promise<void> {
    await this.#offers;
    await this.#current?.addCandidates(candidates);
  }

  sendFrame(frame: I420Frame): void {
    this.#current?.sendFrame(frame);
  }

  tell(message: ServerMessage): void {
    this.#current?.tell(message);
  }

  /** Waits a moment for the last messages to leave. */
  async flush(): Promise<void> {
    await this.#current?.flush();
  }

  close(): void {
    this.#current?.close();
    this.#current = undefined;
  }

  async #answer(offerSdp: string): Promise<string> {
    const { checkOpen, onNew } = this.#options;
    checkOpen();
    const before = this.#current;
    if (before?.isFrom(offerSdp)) {
      const answer = await before.answer(offerSdp);
      checkOpen();
      return answer;
    }
    const next = this.#connect(await this.#options.iceServers());
    let answer: string;
    try {
      answer = await next.answer(offerSdp);
      checkOpen();
    } catch (error) {
      next.close();
      throw error;
    }
    before?.close();
    this.#current = next;
    onNew(before === undefined);
    return answer;
  }

  #connect(iceServers: readonly IceServer[]): SessionPeer {
    const { onFrame, onMessage, onFlood, onUp, onDown, onGoodbye } = this.#options;
    const isCurrent = () => this.#current === peer;
    const peer: SessionPeer = new SessionPeer({
      ...this.#options,
      iceServers,
      maxBitrateBps: this.#options.maxBitrateBps(),
      onFrame: (frame) => isCurrent() && onFrame(frame),
      onMessage: (text) => isCurrent() && onMessage(text),
      onFlood: () => isCurrent() && onFlood(),
      onUp: () => isCurrent() && onUp(),
      onDown: () => isCurrent() && onDown(),
      onGoodbye: () => isCurrent() && onGoodbye(),
    });
    return peer;
  }
}
