import { describe, expect, it } from "vitest";
import { MotionController } from "./motion-controller.ts";

/** One pixel a frame. */
const video = (...values: number[]) => ({ frames: values.length, data: Float32Array.from(values) });
const STILL = 0.8 * 0.9 + 0.7 * 0.1;
const MOVING = 0.6 * 0.9 + 0.7 * 0.1;

describe("MotionController", () => {
  it("allows a still picture more noise than a moving one", () => {
    expect(new MotionController(3).next(video(0, 0, 0, 0, 0), 0.7)).toBeCloseTo(STILL, 6);
    expect(new MotionController(3).next(video(0, 0, 0, 0, 1), 0.7)).toBeCloseTo(MOVING, 6);
    expect(new MotionController(3).next(video(0, 0, 0, 0, 0.1), 0.7)).toBeCloseTo((STILL + MOVING) / 2, 6);
  });

  it("looks at the newest frames only", () => {
    expect(new MotionController(3).next(video(0, 1, 1, 1, 1, 1), 0.7)).toBeCloseTo(STILL, 6);
  });

  it("holds the first of them against the chunk before, until it is reset", () => {
    const controller = new MotionController(3);
    controller.next(video(0, 0, 0, 0, 0), 0.7);
    expect(controller.next(video(0, 1, 1, 1, 1), 0.7)).toBeCloseTo(MOVING, 6);
    controller.reset();
    expect(controller.next(video(0, 0, 0, 0, 0), 0.7)).toBeCloseTo(STILL, 6);
  });

  it("follows the caller's scale by a tenth and does not feed back", () => {
    const controller = new MotionController(3);
    for (let i = 0; i < 3; i++) expect(controller.next(video(0, 0, 0, 0), 0.2)).toBeCloseTo(0.72 + 0.02, 6);
  });
});
