import { expect, test } from "vitest";
import { ClientError, deviceReason } from "./errors.ts";
import { errorOfAnswer } from "./http.ts";

test.each([
  ["NotAllowedError", "permission_denied"],
  ["SecurityError", "permission_denied"],
  ["NotFoundError", "not_found"],
  ["OverconstrainedError", "not_found"],
  ["NotReadableError", "in_use"],
  ["AbortError", "in_use"],
  ["TypeError", "failed"],
])("the browser's %s is %s", (name, reason) => {
  const exception = new DOMException("text of the browser", name);
  expect(deviceReason(exception)).toBe(reason);
  const error = ClientError.device("camera", exception);
  expect(error).toMatchObject({ code: "device", reason, cause: exception });
});

test("a screen that was not chosen does not speak of a camera", () => {
  const error = ClientError.device("screen", new DOMException("", "NotAllowedError"));
  expect(`${error.message} ${error.help}`).not.toMatch(/camera/i);
});

test("the server's code and text reach the caller unchanged", () => {
  const body = { detail: "Pipeline not loaded. Please load pipeline first.", code: "pipeline_not_loaded" };
  expect(errorOfAnswer(400, JSON.stringify(body))).toMatchObject({
    code: "server",
    reason: "pipeline_not_loaded",
    message: "Pipeline not loaded. Please load pipeline first.",
    status: 400,
    retryable: false,
  });
});

test("a list of findings becomes one sentence that names the fields", () => {
  const detail = [
    { type: "missing", loc: ["body", "sdp"], msg: "Field required", input: null },
    { type: "literal_error", loc: ["body", "type"], msg: "Must be offer", input: "x" },
  ];
  const error = errorOfAnswer(422, JSON.stringify({ detail, code: "invalid_request" }));
  expect(error.message).toBe("sdp: Field required; type: Must be offer");
});

test.each([
  [502, "<html>Bad gateway</html>", true],
  [404, "", false],
  [500, "null", true],
  [429, "{}", true],
])("an answer of %i that is not the server's own still says its status", (status, text, retryable) => {
  const error = errorOfAnswer(status, text);
  expect(error).toMatchObject({ code: "server", status, retryable });
  expect(error.message).toContain(String(status));
});

test("any thrown value becomes one ClientError", () => {
  const own = ClientError.closed();
  expect(ClientError.from(own)).toBe(own);
  expect(ClientError.from(new DOMException("", "AbortError")).code).toBe("aborted");
  expect(ClientError.from("x")).toMatchObject({ code: "connection", cause: "x" });
});
