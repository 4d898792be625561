import { expect, test } from "vitest";
import { RECONNECT } from "./defaults.ts";
import { ClientError } from "./errors.ts";
import { nextTry } from "./reconnect-policy.ts";

const refused = (reason: string, retryable: boolean) => ClientError.server({ reason, message: "x", retryable });

test("a session that is gone is begun anew, at once", () => {
  expect(nextTry(refused("session_not_found", false), 1, 1000, RECONNECT)).toEqual({ afterMs: 0, isAnew: true });
});

test("a server that is not there is tried less and less often, until the time is over", () => {
  const error = ClientError.unreachable("http://x");
  const delays = [1, 2, 3, 4, 5, 20].map((tries) => nextTry(error, tries, 60_000, RECONNECT)?.afterMs);
  expect(delays).toEqual([250, 500, 1000, 2000, 2000, 2000]);
  expect(nextTry(error, 20, 300, RECONNECT)).toEqual({ afterMs: 300, isAnew: false });
  expect(nextTry(error, 20, 0, RECONNECT)).toBeUndefined();
});

test("what passes is waited for, and nothing else", () => {
  const passing = [
    refused("pipeline_not_loaded", true),
    refused("too_many_sessions", true),
    ClientError.server({ reason: "bad_response", message: "a proxy's page", status: 502 }),
    ClientError.timeout("x", 1),
    ClientError.connection("ice_failed"),
  ];
  for (const error of passing) expect(nextTry(error, 1, 1000, RECONNECT)).toEqual({ afterMs: 250, isAnew: false });
  for (const error of [refused("unauthorized", false), ClientError.aborted(), ClientError.connection("bad_answer")]) {
    expect(nextTry(error, 1, 1000, RECONNECT)).toBeUndefined();
  }
});
