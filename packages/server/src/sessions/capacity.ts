/**
 * How many sessions the server can hold: no more than the operator allows,
 * than fit into the memory, and than the model can serve so that each still
 * moves. The model takes turns chunk by chunk, so what it makes in a second is
 * shared by all.
 */
import type { Needs } from "../pipelines/pipeline.ts";

const MEASURED_CHUNKS = 20;
/** Fewer tell little: the first ones warm things up. */
const MIN_MEASURED = 4;
/** Memory that is left for everything else. */
const RESERVE_BYTES = 256 * 1024 * 1024;

export type CapacityOptions = {
  /** Sessions at once, whatever the machine could hold. */
  maxSessions: number;
  /** Frames a second that each session should get at least. */
  minFps: number;
  availableBytes: () => number;
};

export type Limit = { sessions: number; cause: "sessions" | "memory" | "time" };

export class Capacity {
  readonly #options: CapacityOptions;
  #needs: Needs | undefined;
  /** Frames a second of the last chunks, each as if it were alone. */
  #rates: number[] = [];

  constructor(options: CapacityOptions) {
    this.#options = options;
  }

  /** Another pipeline runs from now on; `needs` where it knows them. */
  use(needs: Needs | undefined): void {
    this.#needs = needs;
    this.#rates = [];
  }

  /** Tells of a chunk and the time that making it took, waiting for its turn not counted. */
  measure(frames: number, busyMs: number): void {
    if (frames <= 0 || busyMs <= 0) return;
    this.#rates.push((frames * 1000) / busyMs);
    if (this.#rates.length > MEASURED_CHUNKS) this.#rates.shift();
  }

  /** Sessions that can be held, of which `held` are there already, `growing` of them without their memory yet. */
  limit(held: number, growing: number): Limit {
    const { maxSessions, minFps } = this.#options;
    const limits: Limit[] = [
      { sessions: maxSessions, cause: "sessions" },
      { sessions: Math.max(0, held - growing + this.#roomForStreams()), cause: "memory" },
      // One viewer of a slow machine is better than none.
      { sessions: Math.max(1, Math.floor(this.#medianRate() / minFps)), cause: "time" },
    ];
    return limits.reduce((least, one) => (one.sessions < least.sessions ? one : least));
  }

  #roomForStreams(): number {
    const { streamBytes = 0 } = this.#needs ?? {};
    if (streamBytes === 0) return Number.POSITIVE_INFINITY;
    return Math.max(0, Math.floor((this.#options.availableBytes() - RESERVE_BYTES) / streamBytes));
  }

  #medianRate(): number {
    if (this.#rates.length < MIN_MEASURED) return Number.POSITIVE_INFINITY;
    const sorted = this.#rates.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)]!;
  }
}
