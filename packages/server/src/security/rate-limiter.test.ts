import { expect, it } from "vitest";
import { RateLimiter } from "./rate-limiter.ts";

it("gives a burst, then as many as come back", () => {
  let nowMs = 0;
  const limiter = new RateLimiter({ burst: 3, perMinute: 60 }, () => nowMs);
  const tries = () => Array.from({ length: 4 }, () => limiter.take("10.0.0.1"));
  expect(tries()).toEqual([undefined, undefined, undefined, 1]);
  nowMs = 500;
  expect(limiter.take("10.0.0.1")).toBeCloseTo(0.5);
  nowMs = 2000;
  expect(tries()).toEqual([undefined, undefined, 1, 1]);
  expect(limiter.take("10.0.0.2")).toBeUndefined();
});

it("counts the addresses of one IPv6 network, and both forms of an IPv4 address, as one", () => {
  const limiter = new RateLimiter({ burst: 1, perMinute: 1 }, () => 0);
  for (const [first, second] of [
    ["2001:db8::1", "2001:db8:0:0:ffff::2"],
    ["2001:0db8:1::1", "2001:db8:1:0:1:2:3:4"],
    ["::ffff:10.0.0.9", "10.0.0.9"],
    ["fe80::1%eth0", "fe80::2"],
  ] as const) {
    expect(limiter.take(first)).toBeUndefined();
    expect([first, limiter.take(second)]).toEqual([first, 60]);
  }
  expect(limiter.take("2001:db8:2::1")).toBeUndefined();
});

it("remembers a bounded number of addresses", () => {
  const limiter = new RateLimiter({ burst: 1, perMinute: 1 }, () => 0);
  for (let i = 0; i < 10_500; i++) limiter.take(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  expect(limiter.size).toBe(10_000);
});
