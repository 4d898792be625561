import { describe, expect, it } from "vitest";
import { addNoise, cleanFromFlow, createScheduler, flowFromClean, stepsOverVideo, videoSteps } from "./scheduler.ts";

const scheduler = createScheduler(5);

describe("createScheduler", () => {
  it("bends the levels by the shift", () => {
    const expected = [
      [0, 1],
      [1, 0.99979979],
      [100, 0.97826087],
      [500, 0.83333331],
      [750, 0.625],
      [990, 0.04807693],
      [999, 0.00498008],
    ] as const;
    for (const [i, sigma] of expected) expect(scheduler.sigmas[i]).toBeCloseTo(sigma, 6);
    expect(createScheduler(1).sigmas[250]).toBe(0.75);
  });

  it("finds the nearest level of a timestep, so that sigma is about t / 1000", () => {
    const expected = [
      [1000, 0, 1],
      [750, 625, 0.75],
      [700, 682, 0.699824],
      [500, 833, 0.5005996],
      [250, 937, 0.2515974],
      [0, 999, 0.0049801],
      [-100, 999, 0.0049801],
    ] as const;
    for (const [t, index, sigma] of expected) {
      expect(scheduler.indexOf(t)).toBe(index);
      expect(scheduler.sigmaOf(t)).toBeCloseTo(sigma, 6);
    }
  });
});

describe("noising", () => {
  const clean = Float32Array.of(1, -2, 0.5);
  const noise = Float32Array.of(0.3, 0.1, -1);

  it("mixes clean values and noise, and the flow leads back", () => {
    const noisy = addNoise(clean, noise, 0.25);
    expect([...noisy]).toEqual([0.825, -1.475, 0.125].map((value) => expect.closeTo(value, 6)));
    const flow = flowFromClean(noisy, clean, 0.25);
    expect([...flow]).toEqual([-0.7, 2.1, -1.5].map((value) => expect.closeTo(value, 6)));
    expect([...cleanFromFlow(noisy, flow, 0.25)]).toEqual([...clean].map((value) => expect.closeTo(value, 6)));
  });
});

describe("videoSteps", () => {
  it("replaces the first step by the one of the noise scale, truncated as a double", () => {
    const firstSteps = [
      [0.7, 600],
      [0.29, 190],
      [0.57, 470],
      [1, 900],
      [0.05, -50],
    ] as const;
    for (const [scale, step] of firstSteps) expect(videoSteps([700, 500], scale)).toEqual([step, 500]);
    expect(videoSteps([800, 600, 400], 0.4)).toEqual([300, 600, 400]);
  });
});

describe("steps over video", () => {
  it("begin beside a model's later steps, a little to the noisier side, and anywhere else as asked", () => {
    const compat = { noiseScaleEnds: true, firstStepNotNegative: true };
    const firstAt = (noiseScale: number, later?: number[]) => stepsOverVideo([700, 500], noiseScale, compat, later)[0];
    expect([0.34, 0.35, 0.36, 0.5, 0.6, 0.7].map((scale) => firstAt(scale, [250, 500]))).toEqual([
      240, 257, 260, 400, 507, 600,
    ]);
    expect(firstAt(0.6)).toBe(500);
  });
});
