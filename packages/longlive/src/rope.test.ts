import { describe, expect, it } from "vitest";
import { moveInTime, type Rotation, rotationOf } from "./rope.ts";

const HEADS = 2;
const HEAD_DIM = 12;
const GRID = { frames: 2, rows: 2, columns: 3 };

/** Keys [tokens, heads * headDim] rotated by one row a token. */
function rotated(keys: Float32Array, { cos, sin }: Rotation): Float32Array {
  const pairs = HEAD_DIM / 2;
  return keys.map((value, at) => {
    const token = Math.floor(at / (HEADS * HEAD_DIM));
    const row = token * pairs + Math.floor((at % HEAD_DIM) / 2);
    const other = keys[at % 2 === 0 ? at + 1 : at - 1]!;
    return at % 2 === 0 ? value * cos[row]! - other * sin[row]! : other * sin[row]! + value * cos[row]!;
  });
}

describe("moveInTime", () => {
  it("leaves keys as if they had been rotated at another time", () => {
    const tokens = GRID.frames * GRID.rows * GRID.columns;
    const keys = Float32Array.from({ length: tokens * HEADS * HEAD_DIM }, (_, i) => Math.sin(i));
    const moved = rotated(keys, rotationOf(HEAD_DIM, GRID, 20));
    moveInTime(moved, HEAD_DIM, -13);
    const wanted = rotated(keys, rotationOf(HEAD_DIM, GRID, 7));
    expect([...moved]).toEqual([...wanted].map((value) => expect.closeTo(value, 5)));
  });
});
