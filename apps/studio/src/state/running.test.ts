import type { PipelineSchema, PipelineStatus } from "@everframe/client";
import { expect, test } from "vitest";
import { runningId, standInText } from "./running.ts";
import type { ModelState } from "./state.ts";

const schemas = {
  longlive: { name: "LongLive" } as PipelineSchema,
  "longlive-tiny": { name: "LongLive tiny" } as PipelineSchema,
};

const files = (...missing: string[]): ModelState => ({
  downloaded: missing.length === 0,
  missing,
  progress: undefined,
  error: undefined,
  isBusy: false,
});

function loaded(pipeline: string, model: string, status: PipelineStatus["status"] = "loaded") {
  return { pipeline: { status, pipeline, model } as PipelineStatus, schemas };
}

test("what runs is the model whose weights run, not the pipeline that was asked for", () => {
  expect(runningId(loaded("longlive", "longlive-tiny"))).toBe("longlive-tiny");
  expect(runningId(loaded("longlive-tiny", "longlive-tiny"))).toBe("longlive-tiny");
  expect(runningId(loaded("longlive", "longlive-1.3b"))).toBe("longlive");
  expect(runningId(loaded("longlive", "longlive-tiny", "loading"))).toBeUndefined();
});

test("the pipeline that another stands in for says so, and why", () => {
  const state = loaded("longlive", "longlive-tiny");
  expect(standInText("longlive", state, files("a.pt", "b.pt"))).toBe(
    "LongLive tiny runs in its place, because 2 files of its own are missing.",
  );
  expect(standInText("longlive", state, files("a.pt"))).toContain("because 1 file of its own is missing");
  expect(standInText("longlive", state, files())).toContain("came after it was loaded");
  expect(standInText("longlive", state, undefined)).toBe("LongLive tiny runs in its place.");
});

test("nothing stands in for a pipeline that runs itself, or that is not loaded", () => {
  expect(standInText("longlive", loaded("longlive", "longlive-1.3b"), files())).toBeUndefined();
  expect(standInText("longlive-tiny", loaded("longlive", "longlive-tiny"), files())).toBeUndefined();
  expect(standInText("longlive", loaded("longlive-tiny", "longlive-tiny"), files("a.pt"))).toBeUndefined();
});
