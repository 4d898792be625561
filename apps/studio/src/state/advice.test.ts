import { expect, test } from "vitest";
import { type AdviceInput, adviceOf } from "./advice.ts";
import type { Sample } from "./history.ts";

const GOOD: Sample = {
  roundTripMs: 8,
  fpsIn: 28,
  fpsOut: 16,
  chunkMs: 700,
  stagesMs: {},
  receivedKbps: 900,
  sentKbps: 700,
  queued: 0,
  latencyMs: 900,
  lost: 0,
};

function advice(sample: Partial<Sample>, other: Partial<AdviceInput> = {}): string | undefined {
  const history = Array.from({ length: 5 }, () => ({ ...GOOD, ...sample }));
  return adviceOf({ history, size: { width: 576, height: 320 }, steps: 2, isPaused: false, hasInput: true, ...other });
}

test("nothing is said while all is well, or before anything is known", () => {
  expect(advice({})).toBeUndefined();
  expect(advice({ chunkMs: 9000 }, { history: [{ ...GOOD, chunkMs: 9000 }] })).toBeUndefined();
  expect(advice({ chunkMs: 9000 }, { isPaused: true })).toBeUndefined();
});

test("a slow model is told with what would help", () => {
  expect(advice({ chunkMs: 1930 })).toBe("The model needs 1.9 s for 12 frames; try 384×224 or one step.");
  expect(advice({ chunkMs: 4000 }, { steps: 4 })).toContain("two steps");
  expect(advice({ chunkMs: 4000 }, { size: { width: 256, height: 144 }, steps: 1 })).toContain(
    "as fast as this machine goes",
  );
});

test("the network and the camera are named when it is them", () => {
  expect(advice({ lost: 0.12, chunkMs: 5000 })).toContain("12 %");
  expect(advice({ fpsIn: 0 })).toContain("No pictures reach");
  expect(advice({ fpsIn: 1.54 })).toContain("1.5 pictures a second");
  expect(advice({ fpsIn: 0 }, { hasInput: false })).toBeUndefined();
  expect(advice({ roundTripMs: 812 })).toContain("0.8 s");
});
