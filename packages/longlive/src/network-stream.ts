/**
 * One video on its way through one half of a causal autoencoder: its frames
 * go through in passes, and what the layers keep of them goes from pass to
 * pass and from call to call. The result does not depend on the passes, which
 * only bound the memory that is needed.
 */
import type { Device, Session, TensorLike } from "@everframe/graph";
import { nextTurn } from "./cancellation.ts";
import type { CacheLayout, FeatureCaches } from "./feature-caches.ts";

/** Encoder or decoder: a session whose graph declares caches, one input of frames and one output of frames. */
export type NetworkHalf = {
  readonly session: Session;
  readonly caches: CacheLayout;
  readonly input: FramePort;
  readonly output: FramePort;
};

/** @param dims of one frame: [C, H, W] */
export type FramePort = { readonly name: string; readonly dims: readonly [number, number, number] };

export type Frames = { readonly frames: number; readonly data: Float32Array };

export class NetworkStream {
  readonly #half: NetworkHalf;
  readonly #caches: FeatureCaches;

  constructor(half: NetworkHalf) {
    this.#half = half;
    this.#caches = half.caches.open();
  }

  /** True once frames have gone through since the last reset. */
  get begun(): boolean {
    return !this.#caches.empty;
  }

  /**
   * @param data [frames, C, H, W] of the input
   * @param passes Frames of each pass; frames beyond their sum are left out.
   * @param options.extra Further inputs of a pass. Default: none.
   * @param options.signal Looked at before each pass.
   */
  async run(
    data: Float32Array,
    passes: readonly number[],
    options: { extra?: () => Record<string, TensorLike>; signal?: AbortSignal | undefined } = {},
  ): Promise<Frames> {
    const { extra = () => ({}), signal } = options;
    const { session, input, output } = this.#half;
    const size = sizeOf(input);
    const parts: Float32Array[] = [];
    let at = 0;
    for (const count of passes) {
      await nextTurn(signal);
      const frames = { data: data.subarray(at * size, (at + count) * size), dims: [count, ...input.dims] };
      const results = await this.#caches.run(session, { ...extra(), [input.name]: frames });
      parts.push(results[output.name]!.data as Float32Array);
      at += count;
    }
    const joined = joinedParts(parts);
    return { frames: joined.length / sizeOf(output), data: joined };
  }

  reset(): void {
    this.#caches.reset();
  }
}

function sizeOf({ dims }: FramePort): number {
  return dims.reduce((a, b) => a * b, 1);
}

/** One after the other. */
export function joinedParts(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const joined = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Bytes that the values of one pass may take. On a GPU every pass costs a start of each kernel, so it gets few large ones. */
const PASS_BYTES: Readonly<Record<Device, number>> = { cpu: 1e9, webgpu: 8e9 };

/** A network whose values take more for one latent keeps no memory between passes: it would be gigabytes. */
const ARENA_BYTES = 1e8;

export type PassPlan = {
  readonly latentsPerPass: number;
  /** Whether sessions keep memory for the next pass. */
  readonly arena: boolean;
};

/** @param latentBytes that the largest layers need for one latent */
export function planPasses(latentBytes: number, device: Device): PassPlan {
  const fitting = Math.floor(PASS_BYTES[device] / latentBytes);
  return { latentsPerPass: Math.max(1, fitting), arena: latentBytes <= ARENA_BYTES };
}

/** `total` in parts of `most`, the last one smaller. */
export function inParts(total: number, most: number): number[] {
  const count = Math.ceil(total / most);
  return Array.from({ length: count }, (_, i) => Math.min(most, total - i * most));
}
