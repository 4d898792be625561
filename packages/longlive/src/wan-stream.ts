/**
 * One video through one half of Wan2.1's autoencoder: its first frame stands
 * alone, the others go in groups (of 4 pixel frames, or of one latent).
 */
import { type Frames, inParts, joinedParts, type NetworkHalf, NetworkStream } from "./network-stream.ts";

export class WanStream {
  readonly #half: NetworkHalf;
  readonly #group: number;
  readonly #groupsPerPass: number;
  readonly #stream: NetworkStream;
  /** A first frame that came alone. */
  #held: Frames | undefined;

  /** @param group input frames of a group */
  constructor(half: NetworkHalf, group: number, groupsPerPass: number) {
    this.#half = half;
    this.#group = group;
    this.#groupsPerPass = groupsPerPass;
    this.#stream = new NetworkStream(half);
  }

  /**
   * Frames that do not fill a group are left out, but a first call with at least one group hands them to the layers
   * with that group.
   * @throws RangeError when there is no group, and in a first call no frame.
   */
  async run(input: Frames, signal?: AbortSignal): Promise<Frames> {
    const held = this.#held;
    if (held) {
      const output = await this.#run({ frames: 1 + input.frames, data: joinedParts([held.data, input.data]) }, signal);
      this.#held = undefined;
      return { frames: output.frames - 1, data: output.data.subarray(output.data.length / output.frames) };
    }
    if (this.#stream.begun || input.frames > this.#group || input.frames === 0) return this.#run(input, signal);
    // The graph takes no less than one group. The frame waits for it, and its own result does not depend on what
    // follows.
    const alone = { frames: 1, data: input.data.slice(0, input.data.length / input.frames) };
    const output = await passed(
      new NetworkStream(this.#half),
      repeated(alone, 1 + this.#group),
      [1 + this.#group],
      signal,
    );
    this.#held = alone;
    return { frames: 1, data: output.data.slice(0, output.data.length / output.frames) };
  }

  reset(): void {
    this.#stream.reset();
    this.#held = undefined;
  }

  #run({ frames, data }: Frames, signal: AbortSignal | undefined): Promise<Frames> {
    const lead = this.#stream.begun ? 0 : 1;
    const groups = Math.floor((frames - lead) / this.#group);
    if (groups < 1) throw new RangeError(`${frames} frames are too few.`);
    const passes = inParts(groups, this.#groupsPerPass).map((count) => count * this.#group);
    passes[0]! += lead;
    if (lead) passes[passes.length - 1]! += frames - lead - groups * this.#group;
    return passed(this.#stream, data, passes, signal);
  }
}

function passed(
  stream: NetworkStream,
  data: Float32Array,
  passes: readonly number[],
  signal: AbortSignal | undefined,
): Promise<Frames> {
  const flag = (value: boolean) => ({ data: BigInt64Array.of(value ? 1n : 0n), dims: [1] });
  const extra = () => ({ first: flag(!stream.begun), later: flag(stream.begun) });
  return stream.run(data, passes, { extra, signal });
}

function repeated({ data }: Frames, times: number): Float32Array {
  const result = new Float32Array(times * data.length);
  for (let i = 0; i < times; i++) result.set(data, i * data.length);
  return result;
}
