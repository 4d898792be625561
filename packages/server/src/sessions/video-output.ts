/**
 * Plays chunks out to a peer: the pacer with its timer. While nothing new
 * comes the last picture is sent again now and then, because a viewer that
 * lost a packet gets a key frame only with the next picture.
 */
import type { I420Frame } from "../webrtc/media-peer.ts";
import type { Clock } from "./clock.ts";
import { type ChunkTiming, OutputPacer } from "./output-pacer.ts";
import { RateMeter } from "./rate-meter.ts";

const HOLD_MS = 500;

export type VideoOutputOptions = {
  clock: Clock;
  send: (frame: I420Frame) => void;
  /** Called after each new frame was sent: there is room again. */
  onSent: (frame: I420Frame) => void;
};

export class VideoOutput {
  readonly #options: VideoOutputOptions;
  readonly #pacer = new OutputPacer<I420Frame>();
  readonly #meter = new RateMeter();
  #last: I420Frame | undefined;
  #cancel: () => void = () => {};
  #suspended = false;
  #closed = false;

  constructor(options: VideoOutputOptions) {
    this.#options = options;
  }

  /** New frames that wait. */
  get length(): number {
    return this.#pacer.length;
  }

  /** The newest picture that was sent. */
  get last(): I420Frame | undefined {
    return this.#last;
  }

  /** New frames sent a second. */
  fps(): number {
    return this.#meter.rate(this.#options.clock.now()) ?? 0;
  }

  /** Queues a chunk. */
  push(frames: readonly I420Frame[], timing: ChunkTiming): void {
    if (this.#closed || this.#suspended) return;
    this.#pacer.push(frames, timing, this.#options.clock.now());
    this.#schedule();
  }

  /** Sends a frame now, past the pacer. */
  sendNow(frame: I420Frame): void {
    if (this.#closed || this.#suspended) return;
    this.#sendNew(frame);
    this.#schedule();
  }

  /** Drops what waits and holds the last picture. */
  hold(): void {
    if (this.#closed) return;
    this.#pacer.clear();
    this.#schedule();
  }

  /** Sends nothing until `resume`: nobody is there. What waits is dropped. */
  suspend(): void {
    this.#suspended = true;
    this.#cancel();
    this.#pacer.clear();
  }

  /** Somebody is there, perhaps anew: shows the last picture at once. */
  resume(): void {
    if (this.#closed || !this.#suspended) return;
    this.#suspended = false;
    this.#repeat();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
    this.#pacer.clear();
    this.#last = undefined;
  }

  #schedule(): void {
    this.#cancel();
    if (this.#suspended) return;
    const now = this.#options.clock.now();
    const due = this.#pacer.dueMs;
    if (due !== undefined) this.#cancel = this.#options.clock.after(Math.max(0, due - now), () => this.#play());
    else if (this.#last !== undefined) this.#cancel = this.#options.clock.after(HOLD_MS, () => this.#repeat());
  }

  #play(): void {
    const frame = this.#pacer.take(this.#options.clock.now());
    if (frame !== undefined) this.#sendNew(frame);
    this.#schedule();
  }

  #repeat(): void {
    if (this.#last !== undefined) this.#options.send(this.#last);
    this.#schedule();
  }

  #sendNew(frame: I420Frame): void {
    this.#last = frame;
    this.#meter.add(this.#options.clock.now());
    this.#options.send(frame);
    this.#options.onSent(frame);
  }
}
