/**
 * Keys and values of the latent frames that a chunk attends to, for every
 * layer: LongLive's short window with a frame sink (LongLive: Real-time
 * Interactive Long Video Generation, arXiv:2509.22622). The first frames stay
 * for ever, the rest roll. Keys are kept as they were rotated: at their
 * absolute positions, or, moved whenever the window rolls, at their places in
 * the window. A stream owns one cache.
 */

export type LayerKeys = {
  /** Keys after norm and rotation. [tokens, dim] */
  readonly k: Float32Array;
  /** Values. [tokens, dim] */
  readonly v: Float32Array;
};

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
  readonly layers: number;
  /** Tokens of one latent frame. */
  readonly frameTokens: number;
  readonly dim: number;
  /** Frames that fit, sink included. */
  readonly windowFrames: number;
  readonly sinkFrames: number;
  /**
   * Moves keys [tokens, dim] in time by a number of frames. With it positions are places in the window and never
   * exceed its size; without it they are absolute.
   */
  readonly move?: (keys: Float32Array, frames: number) => void;
};

export class KvCache {
  readonly #sizes: KvCacheSizes;
  readonly #layers: readonly LayerKeys[];
  #frames = 0;
  #endFrame = 0;

  constructor(sizes: KvCacheSizes) {
    this.#sizes = sizes;
    const elements = sizes.windowFrames * sizes.frameTokens * sizes.dim;
    this.#layers = Array.from({ length: sizes.layers }, () => ({
      k: new Float32Array(elements),
      v: new Float32Array(elements),
    }));
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
    for (const { k, v } of this.#layers) {
      k.fill(0);
      v.fill(0);
    }
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
      const firstPosition = this.#sizes.move ? this.#frames : start;
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
      firstPosition: this.#sizes.move ? firstOwn : start,
    };
  }

  /** Keys and values of the frames before the call's own, as views. Per layer [pastFrames * frameTokens, dim]. */
  past(window: Window): LayerKeys[] {
    const end = this.#offset(window.pastFrames);
    return this.#layers.map(({ k, v }) => ({ k: k.subarray(0, end), v: v.subarray(0, end) }));
  }

  /** Keeps the keys of a call. Per layer [ownFrames * frameTokens, dim]. */
  keep(window: Window, own: readonly LayerKeys[]): void {
    const from = this.#offset(window.droppedFrames);
    const to = this.#offset(window.pastFrames);
    for (const [i, { k, v }] of this.#layers.entries()) {
      k.set(own[i]!.k.subarray(from), to);
      v.set(own[i]!.v.subarray(from), to);
    }
    this.#frames = window.pastFrames + window.ownFrames - window.droppedFrames;
    this.#endFrame = window.endFrame;
  }

  hasLayer(index: number): boolean {
    return index < this.#layers.length;
  }

  /** The whole storage of a layer, frames in order, zeros after the last. [windowFrames * frameTokens, dim] */
  layer(index: number): LayerKeys {
    const layer = this.#layers[index];
    if (!layer) throw new RangeError(`There is no layer ${index}.`);
    return layer;
  }

  #roll(surplus: number): void {
    const { sinkFrames } = this.#sizes;
    const to = this.#offset(sinkFrames);
    const from = this.#offset(sinkFrames + surplus);
    const end = this.#offset(this.#frames);
    for (const { k, v } of this.#layers) {
      k.copyWithin(to, from, end);
      v.copyWithin(to, from, end);
      this.#sizes.move?.(k.subarray(to, to + end - from), -surplus);
    }
    this.#frames -= surplus;
  }

  #offset(frames: number): number {
    return frames * this.#sizes.frameTokens * this.#sizes.dim;
  }
}
