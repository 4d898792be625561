/**
 * Keys and values of the latent frames that a chunk attends to, for every
 * layer: LongLive's short window with a frame sink (LongLive: Real-time
 * Interactive Long Video Generation, arXiv:2509.22622). The first frames stay
 * for ever, the rest roll. Keys are kept as they were rotated: at their
 * absolute positions, or, moved whenever the window rolls, at their places in
 * the window. A stream owns one cache.
 */
import type { KeyStorage, LayerKeys } from "./key-storage.ts";

/** The place of a call's frames in the window. */
export type Window = {
  /** Frames that the call sees before its own. */
  readonly pastFrames: number;
  /** Leading own frames whose keys nobody sees, because the sink keeps its place. */
  readonly droppedFrames: number;
  readonly ownFrames: number;
  /** Absolute end of the window once the call's keys are kept. */
  readonly endFrame: number;
  /** Where in time the first of the call's frames is rotated to. */
  readonly firstPosition: number;
};

export type KvCacheSizes = {
  /** Tokens of one latent frame. */
  readonly frameTokens: number;
  /** Frames that fit, sink included. */
  readonly windowFrames: number;
  readonly sinkFrames: number;
  /**
   * True: positions are places in the window and never exceed its size, and keys move when it rolls. False: they are
   * absolute.
   */
  readonly relative: boolean;
};

export class KvCache {
  readonly #sizes: KvCacheSizes;
  readonly #storage: KeyStorage;
  #frames = 0;
  #endFrame = 0;

  /** @param storage for `windowFrames * frameTokens` tokens; the cache's own */
  constructor(sizes: KvCacheSizes, storage: KeyStorage) {
    this.#sizes = sizes;
    this.#storage = storage;
  }

  get layers(): number {
    return this.#storage.layers;
  }

  /** Frames in the window now. */
  get frames(): number {
    return this.#frames;
  }

  /** Absolute index after the newest frame ever kept. */
  get endFrame(): number {
    return this.#endFrame;
  }

  /** Forgets everything; the next frame is frame 0. */
  reset(): void {
    this.#frames = 0;
    this.#endFrame = 0;
    this.#storage.clear();
  }

  /**
   * Makes room for a call on `count` frames from absolute frame `start`.
   *
   * New frames roll the window on; frames that were seen before are computed
   * again in place, where the sink is rewritten only when `start` is 0.
   */
  open(start: number, count: number): Window {
    const { windowFrames, sinkFrames } = this.#sizes;
    const endFrame = start + count;
    if (endFrame > this.#endFrame) {
      const surplus = this.#frames + count - windowFrames;
      if (surplus > 0) this.#roll(surplus);
      const firstPosition = this.#sizes.relative ? this.#frames : start;
      return { pastFrames: this.#frames, droppedFrames: 0, ownFrames: count, endFrame, firstPosition };
    }
    const firstOwn = this.#frames - count;
    if (firstOwn < 0)
      throw new Error(`internal: ${count} frames computed again, but the window holds ${this.#frames}.`);
    const droppedFrames = start > 0 ? Math.max(0, Math.min(sinkFrames - firstOwn, count)) : 0;
    return {
      pastFrames: firstOwn + droppedFrames,
      droppedFrames,
      ownFrames: count,
      endFrame: this.#endFrame,
      firstPosition: this.#sizes.relative ? firstOwn : start,
    };
  }

  /** Keys and values of the frames before the call's own, until the window changes. Per layer [pastFrames * frameTokens, dim]. */
  past(window: Window): Promise<readonly LayerKeys[]> {
    return this.#storage.past(this.#tokens(window.pastFrames));
  }

  /**
   * Where the call's keys may be written, so that they need no memory of their own; they count once they are kept.
   * Undefined where there is no such place. Per layer [ownFrames * frameTokens, dim].
   */
  own(window: Window): readonly LayerKeys[] | undefined {
    if (window.droppedFrames > 0) return undefined;
    return this.#storage.own(this.#tokens(window.pastFrames), this.#tokens(window.ownFrames));
  }

  /** Keeps the keys of a call, which are the cache's afterwards. Per layer [ownFrames * frameTokens, dim]. */
  async keep(window: Window, own: readonly LayerKeys[]): Promise<void> {
    await this.#storage.keep(own, this.#tokens(window.droppedFrames), this.#tokens(window.pastFrames));
    this.#frames = window.pastFrames + window.ownFrames - window.droppedFrames;
    this.#endFrame = window.endFrame;
  }

  /** The whole storage of a layer, frames in order, zeros after the last. [windowFrames * frameTokens, dim] */
  async layer(index: number): Promise<{ k: Float32Array; v: Float32Array }> {
    if (index >= this.layers) throw new RangeError(`There is no layer ${index}.`);
    return this.#storage.read(index);
  }

  #roll(surplus: number): void {
    const { sinkFrames } = this.#sizes;
    this.#storage.roll({
      from: this.#tokens(sinkFrames + surplus),
      end: this.#tokens(this.#frames),
      to: this.#tokens(sinkFrames),
      frames: -surplus,
    });
    this.#frames -= surplus;
  }

  #tokens(frames: number): number {
    return frames * this.#sizes.frameTokens;
  }
}
