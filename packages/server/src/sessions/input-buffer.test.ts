import { describe, expect, it } from "vitest";
import { InputBuffer, sampleIndices } from "./input-buffer.ts";

const frame = (id: number, bytes = 1) => ({ id, data: new Uint8Array(bytes) });

describe("sampleIndices", () => {
  it("[STR1] spreads a chunk over what waits, rounding halves to even", () => {
    expect(sampleIndices(12, 12)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(sampleIndices(18, 12)).toEqual([0, 2, 3, 4, 6, 8, 9, 10, 12, 14, 15, 16]);
    expect(sampleIndices(24, 12)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22]);
    expect(sampleIndices(30, 12)).toEqual([0, 2, 5, 8, 10, 12, 15, 18, 20, 22, 25, 28]);
  });

  it("never takes a frame twice or out of order", () => {
    for (let length = 12; length <= 30; length++) {
      const indices = sampleIndices(length, 12);
      expect(indices).toEqual([...new Set(indices)].sort((a, b) => a - b));
      expect(indices.at(-1)).toBeLessThan(length);
    }
  });
});

describe("InputBuffer", () => {
  it("forgets everything up to the last frame taken and keeps the rest", () => {
    const buffer = new InputBuffer<ReturnType<typeof frame>>();
    for (let i = 0; i < 18; i++) buffer.push(frame(i), i);
    expect(buffer.take(12).map((one) => one.id)).toEqual([0, 2, 3, 4, 6, 8, 9, 10, 12, 14, 15, 16]);
    expect(buffer.length).toBe(1);
    for (let i = 18; i < 29; i++) buffer.push(frame(i), i);
    expect(buffer.take(12)[0]!.id).toBe(17);
  });

  it("[STR1] keeps the newest 30 frames", () => {
    const buffer = new InputBuffer<ReturnType<typeof frame>>();
    for (let i = 0; i < 100; i++) buffer.push(frame(i), i);
    expect(buffer.length).toBe(30);
    expect(buffer.take(12)[0]!.id).toBe(70);
  });

  it("keeps fewer large frames, but always enough for a chunk", () => {
    const buffer = new InputBuffer<ReturnType<typeof frame>>();
    const large = new Uint8Array(16 * 1024 * 1024);
    for (let i = 0; i < 30; i++) buffer.push({ id: i, data: large }, i);
    expect(buffer.length).toBe(12);
  });

  it("tells the client's frame rate, and none when the frames have stopped", () => {
    const buffer = new InputBuffer<ReturnType<typeof frame>>();
    expect(buffer.rate(0)).toBeUndefined();
    for (let i = 0; i <= 30; i++) buffer.push(frame(i), i * 40);
    expect(buffer.rate(1200)).toBeCloseTo(25);
    expect(buffer.rate(4000)).toBeUndefined();
  });
});
