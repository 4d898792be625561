import { describe, expect, it } from "vitest";
import { type I420Frame, i420Length } from "../webrtc/media-peer.ts";
import { InputGuard } from "./input-guard.ts";

const TARGET = { width: 32, height: 16 };

function picture(width: number, height: number, level = 9): I420Frame {
  return { width, height, data: new Uint8Array(i420Length(width, height)).fill(level) };
}

/** The texts that a minute of checks brings, by second. */
function minute(
  guard: InputGuard,
  options: { isWanted: boolean; frameAt?: (second: number) => I420Frame | undefined },
) {
  const told: Record<number, string> = {};
  for (let second = 0; second < 60; second++) {
    const frame = options.frameAt?.(second);
    if (frame !== undefined) guard.accept(frame, undefined);
    const error = guard.check(second * 1000, options.isWanted);
    if (error !== undefined) told[second] = error.message;
  }
  return told;
}

describe("InputGuard", () => {
  it("[STR9] shrinks pictures that are far larger than the pipeline's to its size, and leaves others as they are", () => {
    const guard = new InputGuard();
    expect(guard.accept(picture(4096, 4096), TARGET)).toMatchObject(TARGET);
    expect(guard.accept(picture(4096, 4096), TARGET)!.data[5]).toBe(9);
    for (const frame of [picture(1, 1), picture(1920, 1080), picture(3, 1000)]) {
      expect(guard.accept(frame, TARGET)).toBe(frame);
    }
    const large = picture(2048, 1280);
    expect(guard.accept(large, { width: 2048, height: 2048 })).toBe(large);
  });

  it("[STR9] leaves out pictures that are too large where there is no size to shrink them to, and says so", () => {
    const guard = new InputGuard();
    expect(guard.accept(picture(4096, 4096), undefined)).toBeUndefined();
    expect(guard.accept(picture(2048, 2048), undefined)).toBeDefined();
    const told = minute(guard, { isWanted: true, frameAt: () => picture(4096, 2048) });
    expect(told).toEqual({ 5: expect.stringContaining("4096x2048 are too large") });
  });

  it("[STR10] says once that pictures are waited for, and again only after some came", () => {
    const guard = new InputGuard();
    const told = minute(guard, {
      isWanted: true,
      frameAt: (second) => (second >= 20 && second < 30 ? picture(2, 2) : undefined),
    });
    expect(Object.keys(told)).toEqual(["5", "34"]);
    expect(told[5]).toMatch(/waits for pictures: none came for some seconds\./);
  });

  it("[STR10] says nothing while no pictures are wanted", () => {
    expect(minute(new InputGuard(), { isWanted: false })).toEqual({});
  });
});
