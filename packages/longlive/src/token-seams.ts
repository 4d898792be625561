/**
 * Smooths the seams of tokens. A small transformer makes each token of 2x2
 * latents nearly on its own, so flat walls show as faint tiles. Where the mean
 * colour jumps at a token's border, and neither the picture within the tokens
 * nor the size of the jump speaks for an edge, half of it is taken away on
 * either side, fading across the token (deblocking as in H.264, 8.7). All of
 * it happens on latents: an autoencoder that is nearly linear draws such a
 * ramp from a fixed vector, and a chunk costs a few milliseconds.
 */
import { AlternatingMemory } from "./alternating-memory.ts";
import type { Latents } from "./autoencoder.ts";
import type { LatentGrid } from "./wan-block.ts";

/** Vectors of a linear autoencoder with C latent channels; "axis" is 0 along x and 1 along y. */
export type SeamVectors = {
  /** Mean colour (-1 to 1) of a latent's picture at its near and at its far side. [axis, side, 3, C] */
  readonly edges: Float32Array;
  /** Added for a jump of 1, by the latent's place in its token and by the border, before or after it. [axis, place, border, 3, C] */
  readonly ramps: Float32Array;
};

/** Jumps of the mean colour, of 2, up to which all of a seam goes, and from which nothing does. */
const JUMP = [10 / 127.5, 24 / 127.5] as const;
/** Latents of a token's side. */
const TOKEN = 2;
const COLOURS = 3;
/** Values per latent or token: of two sides, or of two borders. */
const BOTH = 2 * COLOURS;

/** Latents along an axis and across it, as steps in a plane. */
type Axis = { readonly along: number; readonly across: number; readonly length: number; readonly lines: number };

export class TokenSeams {
  readonly #vectors: SeamVectors;
  readonly #channels: number;
  readonly #grid: LatentGrid;
  readonly #memory = new AlternatingMemory();

  /** @param grid of an even number of latents along both axes */
  constructor(vectors: SeamVectors, grid: LatentGrid) {
    this.#vectors = vectors;
    this.#channels = vectors.edges.length / (2 * BOTH);
    this.#grid = grid;
  }

  /** @param latents [frames, C, height, width] @returns the same shape, in memory that the next call writes to */
  smooth({ frames, data }: Latents): Latents {
    const { height, width } = this.#grid;
    const smoothed = this.#memory.take(data.length);
    smoothed.set(data);
    const axes: Axis[] = [
      { along: 1, across: width, length: width, lines: height / TOKEN },
      { along: width, across: 1, length: height, lines: width / TOKEN },
    ];
    const size = data.length / frames;
    for (let start = 0; start < data.length; start += size) {
      const [frame, target] = [data.subarray(start, start + size), smoothed.subarray(start, start + size)];
      for (const [number, axis] of axes.entries()) {
        const jumps = jumpsOf(this.#sides(frame, axis, number), axis);
        if (jumps) this.#add(target, jumps, axis, number);
      }
    }
    return { frames, data: smoothed };
  }

  /** Mean colour at the near and far side of each latent, over the two latents across a token. [lines, length, side, 3] */
  #sides(frame: Float32Array, { along, across, length, lines }: Axis, number: number): Float32Array {
    const plane = this.#grid.height * this.#grid.width;
    const sides = new Float32Array(lines * length * BOTH);
    for (let c = 0; c < this.#channels; c++) {
      const [a0, a1, a2, b0, b1, b2] = this.#column(this.#vectors.edges, number * BOTH, c);
      for (let line = 0, at = 0; line < lines; line++) {
        for (let i = 0; i < length; i++, at += BOTH) {
          const from = c * plane + TOKEN * line * across + i * along;
          const value = (frame[from]! + frame[from + across]!) / TOKEN;
          sides[at]! += a0! * value;
          sides[at + 1]! += a1! * value;
          sides[at + 2]! += a2! * value;
          sides[at + 3]! += b0! * value;
          sides[at + 4]! += b1! * value;
          sides[at + 5]! += b2! * value;
        }
      }
    }
    return sides;
  }

  /** Adds the ramps for the jumps at the borders of each token. @param jumps [lines, tokens, border, 3] */
  #add(target: Float32Array, jumps: Float32Array, { along, across, length, lines }: Axis, number: number): void {
    const plane = this.#grid.height * this.#grid.width;
    for (let c = 0; c < this.#channels; c++) {
      for (let place = 0; place < TOKEN; place++) {
        const [a0, a1, a2, b0, b1, b2] = this.#column(this.#vectors.ramps, (TOKEN * number + place) * BOTH, c);
        for (let line = 0, at = 0; line < lines; line++) {
          for (let i = place; i < length; i += TOKEN, at += BOTH) {
            const before = a0! * jumps[at]! + a1! * jumps[at + 1]! + a2! * jumps[at + 2]!;
            const after = b0! * jumps[at + 3]! + b1! * jumps[at + 4]! + b2! * jumps[at + 5]!;
            const to = c * plane + TOKEN * line * across + i * along;
            target[to]! += before + after;
            target[to + across]! += before + after;
          }
        }
      }
    }
  }

  /** Channel `c` of six rows. */
  #column(rows: Float32Array, first: number, c: number): number[] {
    return Array.from({ length: BOTH }, (_, i) => rows[(first + i) * this.#channels + c]!);
  }
}

/**
 * The jumps that are to go, for both borders of each token.
 * @param sides [lines, length, side, 3]
 * @returns [lines, tokens, border, 3], or undefined where there are none
 */
function jumpsOf(sides: Float32Array, { length, lines }: Axis): Float32Array | undefined {
  const tokens = length / TOKEN;
  const jumps = new Float32Array(lines * tokens * BOTH);
  const jump = new Float32Array(COLOURS);
  let any = false;
  /** Between latents i - 1 and i of a line. @returns the largest of the three colours */
  const measure = (line: number, i: number): number => {
    const at = (line * length + i) * BOTH;
    let largest = 0;
    for (let colour = 0; colour < COLOURS; colour++) {
      jump[colour] = sides[at + colour]! - sides[at - BOTH + COLOURS + colour]!;
      largest = Math.max(largest, Math.abs(jump[colour]!));
    }
    return largest;
  };
  const [low, high] = JUMP;
  for (let line = 0; line < lines; line++) {
    for (let token = 1; token < tokens; token++) {
      const inside = Math.max(measure(line, TOKEN * token - 1), measure(line, TOKEN * token + 1));
      const size = measure(line, TOKEN * token);
      // What jumps as much in the middle of the tokens beside it is a pattern or an edge of the picture.
      const share = clamp((high - size) / (high - low)) * clamp(2 - (2 * inside) / Math.max(size, 1e-6));
      if (share === 0) continue;
      any = true;
      const at = (line * tokens + token) * BOTH;
      for (let colour = 0; colour < COLOURS; colour++) {
        jumps[at + colour] = share * jump[colour]!;
        jumps[at - BOTH + COLOURS + colour] = share * jump[colour]!;
      }
    }
  }
  return any ? jumps : undefined;
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
