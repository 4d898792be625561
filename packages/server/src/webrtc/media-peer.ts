/**
 * What the server needs of a WebRTC library: one peer connection with one
 * video track each way and a data channel. Nothing but the implementation
 * beside this file knows which library it is, so that another can take its
 * place.
 */
import type { Candidate, IceServer } from "@everframe/protocol";

/**
 * A picture in planar YUV 4:2:0, BT.601 limited range: `width * height` bytes
 * of Y, then U and V of `ceil(width / 2) * ceil(height / 2)` bytes each.
 */
export type I420Frame = { readonly width: number; readonly height: number; readonly data: Uint8Array };

/** A picture as `width * height * 4` bytes of R, G, B, A. */
export type RgbaFrame = { width: number; height: number; data: Uint8Array };

/** What a peer tells its owner. None of these may throw. */
export type PeerEvents = {
  /** A picture arrived; its size may change at any time. */
  onFrame: (frame: I420Frame) => void;
  /** A text message arrived on a data channel. */
  onMessage: (text: string) => void;
  /** Media and data can flow; comes again when a loss has healed. */
  onConnected: () => void;
  /** The transport failed. A new offer may heal it. */
  onFailed: () => void;
  /** The client closed the connection. Comes at most once. */
  onClosed: () => void;
};

export type MediaPeer = {
  /**
   * Answers an offer, with all of the server's candidates inside: the first, or a later one of the same connection,
   * as for an ICE restart (RFC 8829 5.2.2).
   * Throws `ApiError` with `invalid_sdp` or `no_common_codec`.
   */
  answer(offerSdp: string): Promise<string>;
  /** Adds a client's candidate; false when it cannot be used. */
  addCandidate(candidate: Candidate): Promise<boolean>;
  /** Sends a picture to the client, now. */
  sendFrame(frame: I420Frame): void;
  /** Sends a text on the data channel; while none is open a few are kept. False when the client takes no more. */
  send(text: string): boolean;
  /** Waits until what was sent has left, at most `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>;
  /** Bytes that came over the transport so far, of any kind. */
  bytesReceived(): Promise<number>;
  /** Frees everything; the peer tells nothing afterwards. */
  close(): void;
};

export type PeerOptions = {
  iceServers: readonly IceServer[];
  /** Upper bound of the outgoing bitrate. */
  maxBitrateBps: number;
};

/** A WebRTC library. */
export type MediaBackend = {
  createPeer(events: PeerEvents, options: PeerOptions): MediaPeer;
  toRgba(frame: I420Frame): RgbaFrame;
  toI420(frame: RgbaFrame): I420Frame;
};

/** Bytes of an I420 picture. */
export function i420Length(width: number, height: number): number {
  return width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);
}
