/**
 * Turns chunks of frames, which come in bursts, into an even stream.
 *
 * Every frame has a due time on an absolute clock, so that late timers do not
 * add up. The rate is the smaller of the client's frame rate and what the
 * model has delivered over the last chunks: no faster than the motion really
 * was, no faster than frames come. A small correction of the period keeps a
 * little in stock: an estimate that is slightly too high would run dry again
 * and again, one too low would pile up delay.
 *
 * Pure: it holds no timer, and time comes from the caller.
 */

const MIN_FPS = 1;
const MAX_FPS = 60;
/** Before anything was measured. */
const START_FPS = 16;
const MEASURED_CHUNKS = 10;
/** The share of a chunk that should still be queued when the next one comes. */
const STOCK_SHARE = 0.15;
/** How strongly, and by how much at most, the period follows the stock. */
const STOCK_GAIN = 0.5;
const MAX_CORRECTION = 0.1;
/** Frames that may wait however small the chunks are. */
const MIN_BOUND = 4;
/** A debt up to this is caught up at double speed; a larger one is forgiven. */
const MAX_DEBT_MS = 500;

export type ChunkTiming = {
  /** Time from starting the chunk to having it, milliseconds; waiting for input or for the pacer not counted. */
  busyMs: number;
  /** The client's frames a second; undefined without input video. */
  inputFps: number | undefined;
};

export class OutputPacer<F> {
  #queue: F[] = [];
  #measured: { frames: number; busyMs: number }[] = [];
  #chunks = 0;
  #periodMs = 1000 / START_FPS;
  #fps = START_FPS;
  /** The next frame's place in the schedule, also while none waits; undefined before the first. */
  #slotMs: number | undefined;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  #dropped = 0;

  /** Frames waiting. */
  get length(): number {
    return this.#queue.length;
  }

  /** Frames a second aimed at. */
  get fps(): number {
    return this.#fps;
  }

  /** Frames that were dropped because newer ones waited. */
  get dropped(): number {
    return this.#dropped;
  }

  /** When `take` will next have a frame; undefined when nothing waits. */
  get dueMs(): number | undefined {
    if (this.#queue.length === 0 || this.#slotMs === undefined) return undefined;
    return Math.max(this.#slotMs, this.#lastSentMs + this.#periodMs / 2);
  }

  /** Queues a chunk's frames behind those that wait. */
  push(frames: readonly F[], timing: ChunkTiming, nowMs: number): void {
    if (frames.length === 0) return;
    const stock = this.#queue.length;
    this.#measure(frames.length, timing.busyMs);
    this.#fps = this.#targetFps(timing.inputFps);
    this.#periodMs = (1000 / this.#fps) * this.#correction(stock, frames.length);
    this.#queue.push(...frames);
    // One chunk that plays and one beyond it; whatever is older would only be delay.
    const excess = this.#queue.length - Math.max(MIN_BOUND, 2 * frames.length);
    if (excess > 0) {
      this.#queue.splice(0, excess);
      this.#dropped += excess;
    }
    // After running dry the schedule starts anew; a slot that is still to come is kept.
    if (stock === 0) this.#slotMs = Math.max(nowMs, this.#slotMs ?? nowMs);
  }

  /** The frame that is due, or undefined. Call again at `dueMs`. */
  take(nowMs: number): F | undefined {
    const dueMs = this.dueMs;
    if (dueMs === undefined || this.#slotMs === undefined || nowMs < dueMs) return undefined;
    const isForgiven = nowMs - this.#slotMs > MAX_DEBT_MS;
    this.#slotMs = (isForgiven ? nowMs : this.#slotMs) + this.#periodMs;
    this.#lastSentMs = nowMs;
    return this.#queue.shift();
  }

  /** Forgets what waits, and the schedule; what was measured stays. */
  clear(): void {
    this.#queue = [];
    this.#slotMs = undefined;
  }

  #measure(frames: number, busyMs: number): void {
    // The first chunk of a session warms things up and tells little about the next ones.
    if (this.#chunks === 1) this.#measured = [];
    this.#chunks += 1;
    this.#measured.push({ frames, busyMs });
    if (this.#measured.length > MEASURED_CHUNKS) this.#measured.shift();
  }

  #targetFps(inputFps: number | undefined): number {
    const frames = this.#measured.reduce((sum, one) => sum + one.frames, 0);
    const busyMs = this.#measured.reduce((sum, one) => sum + one.busyMs, 0);
    const throughput = busyMs > 0 ? (frames * 1000) / busyMs : MAX_FPS;
    return Math.min(MAX_FPS, Math.max(MIN_FPS, Math.min(inputFps ?? MAX_FPS, throughput)));
  }

  /** Factor on the period: above 1 while the stock is too small. */
  #correction(stock: number, frames: number): number {
    const wanted = Math.max(1, Math.ceil(frames * STOCK_SHARE));
    const factor = frames / Math.max(0.1, frames + STOCK_GAIN * (stock - wanted));
    return Math.min(1 + MAX_CORRECTION, Math.max(1 - MAX_CORRECTION, factor));
  }
}
