import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MAX_BUFFERED_BYTES } from "./defaults.ts";
import { ParameterSender } from "./parameter-sender.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function recordingChannel(readyState = "open") {
  const sent: { atMs: number; id: number; message: Record<string, unknown> }[] = [];
  const channel = {
    readyState,
    bufferedAmount: 0,
    send(text: string) {
      const { request_id: id, ...message } = JSON.parse(text);
      sent.push({ atMs: performance.now(), id, message });
    },
  };
  return { channel, sent };
}

test("a first update leaves at once", () => {
  const { channel, sent } = recordingChannel();
  void new ParameterSender(channel).set({ noiseScale: 0.5 });
  expect(sent.map(({ message }) => message)).toEqual([{ noise_scale: 0.5 }]);
});

test("a burst becomes two messages: the first value and the last", () => {
  const { channel, sent } = recordingChannel();
  const sender = new ParameterSender(channel);
  for (let i = 0; i <= 100; i++) void sender.set({ noiseScale: i / 100 });
  vi.advanceTimersByTime(1000);
  expect(sent.map(({ message }) => message)).toEqual([{ noise_scale: 0 }, { noise_scale: 1 }]);
});

test("a slider that moves for two seconds sends at most 20 messages a second, and its last value", () => {
  const { channel, sent } = recordingChannel();
  const sender = new ParameterSender(channel);
  for (let i = 0; i < 400; i++) {
    void sender.set({ noiseScale: i / 400 });
    vi.advanceTimersByTime(5);
  }
  vi.advanceTimersByTime(50);
  const gaps = sent.slice(1).map(({ atMs }, i) => atMs - sent[i]!.atMs);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50);
  expect(sent.length).toBeGreaterThan(30);
  expect(sent.at(-1)?.message).toEqual({ noise_scale: 399 / 400 });
});

test("fields of merged updates travel together", () => {
  const { channel, sent } = recordingChannel();
  const sender = new ParameterSender(channel);
  void sender.set({ paused: false });
  void sender.set({ prompts: "a" });
  void sender.set({ noiseScale: 0.3 });
  void sender.set({ prompts: "b" });
  vi.advanceTimersByTime(50);
  expect(sent[1]?.message).toEqual({ prompts: [{ text: "b", weight: 1 }], noise_scale: 0.3 });
});

test("updates made before the channel opens wait for it", () => {
  const { channel, sent } = recordingChannel("connecting");
  const sender = new ParameterSender(channel);
  void sender.set({ prompts: "a" });
  void sender.set({ noiseScale: 0.2 });
  vi.advanceTimersByTime(1000);
  expect(sent).toEqual([]);
  channel.readyState = "open";
  sender.flush();
  expect(sent.map(({ message }) => message)).toEqual([{ prompts: [{ text: "a", weight: 1 }], noise_scale: 0.2 }]);
});

test("a congested channel is left alone until it drains", () => {
  const { channel, sent } = recordingChannel();
  const sender = new ParameterSender(channel);
  channel.bufferedAmount = MAX_BUFFERED_BYTES + 1;
  void sender.set({ noiseScale: 0.1 });
  void sender.set({ noiseScale: 0.2 });
  vi.advanceTimersByTime(500);
  expect(sent).toEqual([]);
  channel.bufferedAmount = 0;
  vi.advanceTimersByTime(50);
  expect(sent.map(({ message }) => message)).toEqual([{ noise_scale: 0.2 }]);
});

test("a call resolves when a chunk uses it, a later one with the next chunk", async () => {
  const { channel, sent } = recordingChannel();
  const sender = new ParameterSender(channel);
  const first = sender.set({ noiseScale: 0.1 });
  const second = sender.set({ prompts: "a" });
  const third = sender.set({ baseSeed: 3 });
  vi.advanceTimersByTime(50);
  expect(sent.map(({ id }) => id)).toEqual([1, 2]);
  sender.applied({ type: "parameters_applied", parameters: {}, chunk: 4, request_ids: [1] });
  await expect(first).resolves.toEqual({ chunk: 4, ignored: [] });
  sender.applied({ type: "parameters_applied", parameters: {}, chunk: 5, request_ids: [2], ignored: ["x"] });
  await expect(second).resolves.toEqual({ chunk: 5, ignored: ["x"] });
  await expect(third).resolves.toEqual({ chunk: 5, ignored: ["x"] });
});

test("a value that cannot be used rejects its own call with field, reason and range, and no other", async () => {
  const { channel, sent } = recordingChannel();
  const sender = new ParameterSender(channel);
  void sender.set({ baseSeed: 1 });
  const good = sender.set({ prompts: "a" });
  const bad = sender.set({ noiseScale: 9 });
  vi.advanceTimersByTime(50);
  const rejected = [{ field: "noise_scale", reason: "too large", allowed: "a number from 0 to 1" }];
  sender.rejected({ type: "parameters_rejected", rejected, request_id: sent[1]!.id });
  await expect(bad).rejects.toMatchObject({
    code: "rejected",
    reason: "too large",
    help: "noiseScale must be a number from 0 to 1.",
    rejections: [{ name: "noiseScale", reason: "too large", allowed: "a number from 0 to 1" }],
  });
  sender.applied({ type: "parameters_applied", parameters: {}, chunk: 0, request_ids: [2] });
  await expect(good).resolves.toMatchObject({ chunk: 0 });
});

test("a pause travels by itself and is answered before what came ahead of it", async () => {
  const { channel, sent } = recordingChannel();
  const sender = new ParameterSender(channel);
  const scale = sender.set({ noiseScale: 0.1 });
  const held = sender.set({ paused: true });
  void sender.set({ prompts: "a" });
  vi.advanceTimersByTime(50);
  expect(sent.map(({ message }) => Object.keys(message))).toEqual([["noise_scale"], ["paused"], ["prompts"]]);
  let isScaleUsed = false;
  void scale.then(() => {
    isScaleUsed = true;
  });
  sender.applied({ type: "parameters_applied", parameters: {}, request_ids: [2] });
  await expect(held).resolves.toEqual({ chunk: undefined, ignored: [] });
  expect(isScaleUsed).toBe(false);
});

test("what was not answered goes over the next connection, without what the server refused", async () => {
  const { channel } = recordingChannel();
  const sender = new ParameterSender(channel);
  const call = sender.set({ noiseScale: 0.1 });
  void sender.set({ prompts: "a", baseSeed: -1 });
  vi.advanceTimersByTime(50);
  const rejected = [{ field: "base_seed", reason: "too small", allowed: "a whole number from 0" }];
  sender.rejected({ type: "parameters_rejected", rejected, request_id: 2 });
  const next = recordingChannel();
  sender.attach(next.channel);
  vi.advanceTimersByTime(50);
  expect(next.sent.map(({ message }) => message)).toEqual([{ noise_scale: 0.1, prompts: [{ text: "a", weight: 1 }] }]);
  sender.applied({ type: "parameters_applied", parameters: {}, chunk: 0, request_ids: [next.sent[0]!.id] });
  await expect(call).resolves.toMatchObject({ chunk: 0 });
});

test("a slider that moves through a long pause keeps a bounded number of messages, and every call is answered", async () => {
  const { channel, sent } = recordingChannel();
  const sender = new ParameterSender(channel);
  const calls = [];
  for (let i = 0; i < 500; i++) {
    calls.push(sender.set({ noiseScale: i / 500 }));
    vi.advanceTimersByTime(50);
  }
  const ids = sent.map(({ id }) => id).slice(-100);
  sender.applied({ type: "parameters_applied", parameters: {}, chunk: 7, request_ids: ids });
  const results = await Promise.all(calls);
  expect(results.every(({ chunk }) => chunk === 7)).toBe(true);
});

test("the end rejects what has no answer, and nobody has to care", async () => {
  const { channel } = recordingChannel();
  const sender = new ParameterSender(channel);
  const call = sender.set({ noiseScale: 0.1 });
  sender.close();
  await expect(call).rejects.toMatchObject({ code: "closed" });
  await expect(sender.set({ noiseScale: 0.2 })).rejects.toMatchObject({ code: "closed" });
});

test("closing sends what waits and then nothing more", () => {
  const { channel, sent } = recordingChannel();
  const sender = new ParameterSender(channel);
  void sender.set({ noiseScale: 0.1 });
  void sender.set({ noiseScale: 0.9 });
  sender.close();
  void sender.set({ noiseScale: 0.5 });
  vi.advanceTimersByTime(1000);
  expect(sent.map(({ message }) => message)).toEqual([{ noise_scale: 0.1 }, { noise_scale: 0.9 }]);
  expect(vi.getTimerCount()).toBe(0);
});
