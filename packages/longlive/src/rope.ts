/**
 * Rotary positions of Wan2.1: each head's channel pairs are split between
 * time, row and column (RoFormer, arXiv:2104.09864, on three axes). Only time
 * counts from the start of the stream.
 */

/** Angles' cosines and sines, one row a token, one column a channel pair. [tokens, headDim / 2] */
export type Rotation = { readonly cos: Float32Array; readonly sin: Float32Array };

export type TokenGrid = { readonly frames: number; readonly rows: number; readonly columns: number };

const BASE = 10000;

/** Channels of a head that follow time, row and column; they add up to `headDim`. */
export function ropeAxes(headDim: number): readonly [number, number, number] {
  const space = 2 * Math.floor(headDim / 6);
  return [headDim - 2 * space, space, space];
}

/** Rotation of tokens in (frame, row, column) order, the first frame at absolute position `startFrame`. */
export function rotationOf(headDim: number, grid: TokenGrid, startFrame: number): Rotation {
  const pairs = headDim / 2;
  const tokens = grid.frames * grid.rows * grid.columns;
  const cos = new Float32Array(tokens * pairs);
  const sin = new Float32Array(tokens * pairs);
  const [time, row, column] = ropeAxes(headDim).map(frequencies) as [number[], number[], number[]];
  let at = 0;
  const turn = (position: number, thetas: readonly number[]) => {
    for (const theta of thetas) {
      cos[at] = Math.cos(position * theta);
      sin[at] = Math.sin(position * theta);
      at++;
    }
  };
  for (let f = 0; f < grid.frames; f++) {
    for (let y = 0; y < grid.rows; y++) {
      for (let x = 0; x < grid.columns; x++) {
        turn(startFrame + f, time);
        turn(y, row);
        turn(x, column);
      }
    }
  }
  return { cos, sin };
}

/**
 * Moves keys by a number of frames: they are as if they had been rotated at that later (or earlier) position.
 * Rotations of a pair add up, so no key has to be kept without.
 * @param keys changed in place. [tokens, heads * headDim]
 */
export function moveInTime(keys: Float32Array, headDim: number, frames: number): void {
  const angles = timeAngles(headDim, frames);
  // Plain loops over typed arrays: a large picture has a million pairs.
  const cosines = Float64Array.from(angles, Math.cos);
  const sines = Float64Array.from(angles, Math.sin);
  for (let head = 0; head < keys.length; head += headDim) {
    for (let pair = 0; pair < cosines.length; pair++) {
      const at = head + 2 * pair;
      const u = keys[at]!;
      const v = keys[at + 1]!;
      keys[at] = u * cosines[pair]! - v * sines[pair]!;
      keys[at + 1] = u * sines[pair]! + v * cosines[pair]!;
    }
  }
}

/** What `moveInTime` does to a token, as a rotation of all its pairs. [1, headDim / 2] */
export function timeTurn(headDim: number, frames: number): Rotation {
  const angles = new Float64Array(headDim / 2);
  angles.set(timeAngles(headDim, frames));
  return { cos: Float32Array.from(angles, Math.cos), sin: Float32Array.from(angles, Math.sin) };
}

function timeAngles(headDim: number, frames: number): number[] {
  return frequencies(ropeAxes(headDim)[0]).map((theta) => frames * theta);
}

function frequencies(channels: number): number[] {
  return Array.from({ length: channels / 2 }, (_, j) => BASE ** ((-2 * j) / channels));
}
