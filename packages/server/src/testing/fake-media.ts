/**
 * A WebRTC library that is none: a test says when a peer connects, falls
 * silent or says goodbye, and sees what was sent when. For what depends on
 * time, which no real transport lets a test turn forward.
 */
import type { Candidate, ServerMessage } from "@everframe/protocol";
import type { Clock } from "../sessions/clock.ts";
import type { I420Frame, MediaBackend, MediaPeer, PeerEvents, PeerOptions } from "../webrtc/media-peer.ts";

export class FakePeer implements MediaPeer {
  readonly options: PeerOptions;
  readonly sent: { frame: I420Frame; atMs: number }[] = [];
  readonly messages: ServerMessage[] = [];
  readonly offers: string[] = [];
  readonly candidates: string[] = [];
  /** What an answer waits for before it is given. */
  beforeAnswer: Promise<void> | undefined;
  isClosed = false;
  readonly #events: PeerEvents;
  readonly #clock: Clock;
  #silentSinceMs: number | undefined;

  constructor(clock: Clock, events: PeerEvents, options: PeerOptions) {
    this.#clock = clock;
    this.#events = events;
    this.options = options;
  }

  /** The transport works. */
  connect(): void {
    this.#silentSinceMs = undefined;
    this.#events.onConnected();
  }

  /** Nothing comes any more, without a word. */
  fallSilent(): void {
    this.#silentSinceMs = this.#clock.now();
  }

  /** The client's packets come again. */
  speakAgain(): void {
    this.#silentSinceMs = undefined;
  }

  sayGoodbye(): void {
    this.#events.onClosed();
  }

  /** A picture of the client arrives. */
  show(frame: I420Frame): void {
    this.#events.onFrame(frame);
  }

  /** A message of the client arrives. */
  say(message: object): void {
    this.#events.onMessage(JSON.stringify(message));
  }

  told<T extends ServerMessage["type"]>(type: T): Extract<ServerMessage, { type: T }>[] {
    return this.messages.filter((one): one is Extract<ServerMessage, { type: T }> => one.type === type);
  }

  async answer(offerSdp: string): Promise<string> {
    if (offerSdp === "") throw new Error("a stand-in surprise");
    this.offers.push(offerSdp);
    await this.beforeAnswer;
    return `answer to ${offerSdp}`;
  }

  async addCandidate({ candidate }: Candidate): Promise<boolean> {
    this.candidates.push(candidate);
    return true;
  }

  sendFrame(frame: I420Frame): void {
    if (!this.isClosed) this.sent.push({ frame, atMs: this.#clock.now() });
  }

  send(text: string): boolean {
    if (!this.isClosed) this.messages.push(JSON.parse(text) as ServerMessage);
    return !this.isClosed;
  }

  async flush(): Promise<void> {}

  async bytesReceived(): Promise<number> {
    return this.#silentSinceMs ?? this.#clock.now();
  }

  close(): void {
    this.isClosed = true;
  }
}

/** Makes fake peers and keeps them, in the order they were made. Pictures pass without conversion. */
export function fakeMedia(clock: Clock): MediaBackend & { readonly peers: FakePeer[] } {
  const peers: FakePeer[] = [];
  return {
    peers,
    createPeer(events, options) {
      const peer = new FakePeer(clock, events, options);
      peers.push(peer);
      return peer;
    },
    toRgba: ({ width, height, data }) => ({ width, height, data: data as Uint8Array<ArrayBuffer> }),
    toI420: (frame) => frame,
  };
}

/** The description of an offer, as far as it matters who made it. */
export function offerOf(connection: string, version = 1): string {
  return `v=0\r\no=- ${connection} ${version} IN IP4 127.0.0.1\r\na=fingerprint:sha-256 ${connection}\r\n`;
}
