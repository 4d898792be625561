import type { PipelineStatus, SessionStats } from "@everframe/client";
import { expect, test } from "vitest";
import { figuresOf, stageText } from "./figures.ts";

const PIPELINE: PipelineStatus = {
  status: "loaded",
  pipeline: "longlive",
  model: "longlive-tiny",
  size: { width: 384, height: 224 },
  vaceEnabled: true,
  seed: 42,
  error: undefined,
  loadingStage: undefined,
};

const STATS: SessionStats = {
  roundTripMs: 12.4,
  sentFps: 29.9,
  receivedFps: 23.6,
  sentBitrateBps: 1,
  receivedBitrateBps: 1,
  server: {
    fpsIn: 28.2,
    fpsOut: 0.4,
    chunkMs: 480.7,
    stagesMs: {},
    model: "longlive-1.3b",
    width: 576,
    height: 320,
  },
};

const texts = (...args: Parameters<typeof figuresOf>) => figuresOf(...args).map(({ value }) => value);

test("before a stream all is unknown but the model", () => {
  expect(texts(undefined, PIPELINE)).toEqual(["–", "–", "–", "–", "longlive-tiny"]);
});

test("the server's figures go before the browser's and the status", () => {
  expect(texts(STATS, PIPELINE)).toEqual(["28", "<1", "481", "12", "longlive-1.3b"]);
  expect(figuresOf(STATS, PIPELINE).at(-1)?.unit).toBe("576 × 320");
});

test("until the server speaks the browser's own figures stand", () => {
  expect(texts({ ...STATS, server: undefined }, PIPELINE).slice(0, 2)).toEqual(["30", "24"]);
});

test("a loading stage begins with a capital", () => {
  expect(stageText({ ...PIPELINE, loadingStage: "text encoder" })).toBe("Text encoder");
  expect(stageText(PIPELINE)).toBeUndefined();
});
