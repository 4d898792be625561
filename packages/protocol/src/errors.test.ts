import { describe, expect, it } from "vitest";
import { ApiError, ERRORS } from "./errors.ts";

describe("ApiError", () => {
  it("carries the catalogue's status and text", () => {
    const error = new ApiError("pipeline_not_loaded", {});
    expect(error).toMatchObject({ status: 400, detail: "Pipeline not loaded. Please load pipeline first." });
  });

  it("keeps code, text and findings across a thread", () => {
    const issues = [{ type: "missing", loc: ["body"], msg: "Field required", input: null }];
    const sent = new ApiError("invalid_request", { reason: "no body" }, { issues });
    const received = ApiError.fromPlain(structuredClone(sent.toPlain()));
    expect(received).toBeInstanceOf(ApiError);
    expect(received).toBeInstanceOf(Error);
    expect(received.toPlain()).toEqual(sent.toPlain());
    expect(received).toMatchObject({ status: 422, detail: issues });
  });

  it("wraps what is not of the catalogue and keeps it as cause", () => {
    const cause = new TypeError("x is undefined");
    expect(ApiError.from(cause)).toMatchObject({ code: "internal", cause });
    const own = new ApiError("shutting_down", {});
    expect(ApiError.from(own)).toBe(own);
  });

  it("gives every error an HTTP status of 400 or more", () => {
    for (const entry of Object.values(ERRORS)) expect(entry.status).toBeGreaterThanOrEqual(400);
  });
});
