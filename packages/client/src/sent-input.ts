// The video that a session sends, over one connection after the other: the track of an input of the SDK, or of a stream of
// the page's own. It is sent again when it comes back, and belongs to the caller.
import { ClientError } from "./errors.ts";
import { followTrack, type Input, type InputEvent } from "./inputs.ts";

export type SentInputEvents = {
  /** The input pauses, goes on, or has ended. */
  onChange: (event: InputEvent) => void;
  /** Its track could not be sent. */
  onError: (error: ClientError) => void;
};

export class SentInput {
  readonly #events: SentInputEvents;
  #source: MediaStream | Input | undefined;
  #sender: RTCRtpSender | undefined;
  #unfollow = (): void => {};

  constructor(source: MediaStream | Input | undefined, events: SentInputEvents) {
    this.#events = events;
    this.#source = source;
    this.#follow();
  }

  get stream(): MediaStream | undefined {
    return this.#source !== undefined && "stream" in this.#source ? this.#source.stream : this.#source;
  }

  /** The track to send; an input that comes back has another one. */
  get track(): MediaStreamTrack | undefined {
    return this.stream?.getVideoTracks()[0];
  }

  /** Goes on over another connection, whose offer may have been made with a track that is no longer the one. */
  attach(sender: RTCRtpSender): void {
    this.#sender = sender;
    if (this.track !== (sender.track ?? undefined)) this.#sendAgain();
  }

  /** Sends another source from now on, or nothing. */
  async replace(source: MediaStream | Input | undefined): Promise<void> {
    this.#source = source;
    this.#follow();
    await this.#send();
  }

  /** Leaves the source alone. */
  close(): void {
    this.#unfollow();
  }

  #follow(): void {
    this.#unfollow();
    this.#unfollow = followSource(this.#source, (event) => {
      this.#events.onChange(event);
      if (event.state === "live") this.#sendAgain();
    });
  }

  #sendAgain(): void {
    this.#send().catch((error: unknown) => this.#events.onError(ClientError.from(error)));
  }

  async #send(): Promise<void> {
    await this.#sender?.replaceTrack(this.track ?? null);
  }
}

/** Calls back when the source pauses, goes on or ends; returns the function that ends that. */
function followSource(source: MediaStream | Input | undefined, handler: (event: InputEvent) => void): () => void {
  if (source === undefined) return () => {};
  if ("stream" in source) return source.on("state", handler);
  const [track] = source.getVideoTracks();
  if (track === undefined) return () => {};
  return followTrack(track, (state) => {
    handler(state === "ended" ? { state, error: ClientError.device("input", undefined, "ended") } : { state });
  });
}
