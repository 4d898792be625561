import { ClientError } from "@everframe/client";
import { expect, test } from "vitest";
import { noticeOf, noticeOfEnd, UNREACHABLE } from "./notice.ts";

test("what the person did needs no notice", () => {
  expect(noticeOf(ClientError.aborted(), "start")).toBeUndefined();
  expect(noticeOfEnd({ name: "closed", reason: "closed_by_client", error: undefined })).toBeUndefined();
});

test.each([
  ["NotAllowedError", /blocked/],
  ["NotFoundError", /found/],
  ["NotReadableError", /in use/],
])("a camera's %s is told in words, with a way to start again", (name, words) => {
  const notice = noticeOf(ClientError.device("camera", new DOMException("", name)), "start");
  expect(notice?.title).toMatch(words);
  expect(notice?.help).not.toBe("");
  expect(notice?.action).toBe("start");
});

test("a server that is not there says how to start it", () => {
  expect(noticeOf(ClientError.unreachable("http://x"), "load")).toBe(UNREACHABLE);
  expect(UNREACHABLE.command).toBe("npm start");
});

test("the server's own words are the help, below a title for the occasion", () => {
  const failed = ClientError.server({ reason: "chunk_failed", message: "Step list is empty." });
  expect(noticeOf(failed, "run")).toEqual({
    title: "The stream stopped",
    help: "Step list is empty.",
    action: "start",
  });
  const full = ClientError.server({ reason: "too_many_sessions", message: "Close one.", status: 503 });
  expect(noticeOf(full, "start")?.title).toBe("The server is full");
});

test("a model that does not load can be loaded again", () => {
  const error = ClientError.server({ reason: "load_failed", message: "transformer.safetensors is missing." });
  expect(noticeOf(error, "start")).toMatchObject({ action: "load", help: "transformer.safetensors is missing." });
});

test("a lost connection and a leaving page each end with their own words", () => {
  const lost = noticeOfEnd({ name: "closed", reason: "connection_lost", error: ClientError.connection("lost") });
  const left = noticeOfEnd({ name: "closed", reason: "page_hidden", error: undefined });
  expect(lost?.title).toMatch(/lost/);
  expect(left?.title).not.toBe(lost?.title);
});
