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
  const sent: { atMs: number; message: Record<string, unknown> }[] = [];
  const channel = {
    readyState,
    bufferedAmount: 0,
    send(text: string) {
      sent.push({ atMs: performance.now(), message: JSON.parse(text) });
    },
  };
  return { channel, sent };
}

test("a first update leaves at once", () => {
  const { channel, sent } = recordingChannel();
  new ParameterSender(channel).set({ noiseScale: 0.5 });
  expect(sent.map(({ message }) => message)).toEqual([{ noise_scale: 0.5 }]);
});

test("a burst becomes two messages: the first value and the last", () => {
  const { channel, sent } = recordingChannel();
  const sender = new ParameterSender(channel);
  for (let i = 0; i <= 100; i++) sender.set({ noiseScale: i / 100 });
  vi.advanceTimersByTime(1000);
  expect(sent.map(({ message }) => message)).toEqual([{ noise_scale: 0 }, { noise_scale: 1 }]);
});

test("a slider that moves for two seconds sends at most 20 messages a second, and its last value", () => {
  const { channel, sent } = recordingChannel();
  const sender = new ParameterSender(channel);
  for (let i = 0; i < 400; i++) {
    sender.set({ noiseScale: i / 400 });
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
  sender.set({ paused: false });
  sender.set({ prompts: "a" });
  sender.set({ noiseScale: 0.3 });
  sender.set({ prompts: "b" });
  vi.advanceTimersByTime(50);
  expect(sent[1]?.message).toEqual({ prompts: [{ text: "b", weight: 1 }], noise_scale: 0.3 });
});

test("updates made before the channel opens wait for it", () => {
  const { channel, sent } = recordingChannel("connecting");
  const sender = new ParameterSender(channel);
  sender.set({ prompts: "a" });
  sender.set({ noiseScale: 0.2 });
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
  sender.set({ noiseScale: 0.1 });
  sender.set({ noiseScale: 0.2 });
  vi.advanceTimersByTime(500);
  expect(sent).toEqual([]);
  channel.bufferedAmount = 0;
  vi.advanceTimersByTime(50);
  expect(sent.map(({ message }) => message)).toEqual([{ noise_scale: 0.2 }]);
});

test("closing sends what waits and then nothing more", () => {
  const { channel, sent } = recordingChannel();
  const sender = new ParameterSender(channel);
  sender.set({ noiseScale: 0.1 });
  sender.set({ noiseScale: 0.9 });
  sender.close();
  sender.set({ noiseScale: 0.5 });
  vi.advanceTimersByTime(1000);
  expect(sent.map(({ message }) => message)).toEqual([{ noise_scale: 0.1 }, { noise_scale: 0.9 }]);
  expect(vi.getTimerCount()).toBe(0);
});
