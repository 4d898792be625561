import { describe, expect, it } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { OutputPacer } from "./output-pacer.ts";
import { VideoOutput } from "./video-output.ts";

/** Frames are numbers here; a picture would not make the timing any different. */
type Sent = { frame: number; atMs: number };

/** A source of chunks and the pacer's timer, on a virtual clock. */
class Rig {
  readonly clock = new VirtualClock();
  readonly pacer = new OutputPacer<number>();
  readonly sent: Sent[] = [];
  #nextFrame = 0;
  #cancel = () => {};

  /** Makes chunks of `frames`, each taking `chunkMs()`, until the time is over. */
  produce(options: { frames: number; chunkMs: () => number; inputFps?: number; forMs: number }): void {
    const { frames, chunkMs, inputFps, forMs } = options;
    const endMs = this.clock.now() + forMs;
    const chunk = () => {
      const busyMs = chunkMs();
      this.clock.after(busyMs, () => {
        this.push(frames, busyMs, inputFps);
        if (this.clock.now() < endMs) chunk();
      });
    };
    chunk();
  }

  push(count: number, busyMs: number, inputFps?: number): void {
    const frames = Array.from({ length: count }, () => this.#nextFrame++);
    this.pacer.push(frames, { busyMs, inputFps }, this.clock.now());
    this.play();
  }

  play(): void {
    this.#cancel();
    const due = this.pacer.dueMs;
    if (due === undefined) return;
    this.#cancel = this.clock.after(Math.max(0, due - this.clock.now()), () => {
      const frame = this.pacer.take(this.clock.now());
      if (frame !== undefined) this.sent.push({ frame, atMs: this.clock.now() });
      this.play();
    });
  }

  /** How even the frames were that were sent in a span of time. */
  evenness(fromMs: number, toMs: number, idealFps: number) {
    const times = this.sent.map((one) => one.atMs).filter((at) => at >= fromMs && at < toMs);
    const intervals = times.slice(1).map((at, i) => at - times[i]!);
    const mean = intervals.reduce((sum, ms) => sum + ms, 0) / intervals.length;
    const deviation = Math.sqrt(intervals.reduce((sum, ms) => sum + (ms - mean) ** 2, 0) / intervals.length);
    const ideal = 1000 / idealFps;
    return {
      jitter: deviation / mean,
      stalls: intervals.filter((ms) => ms > 1.5 * ideal).length / intervals.length,
      fpsError: Math.abs(1000 / mean - idealFps) / idealFps,
    };
  }
}

/** Numbers from -1 to 1 that are the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

describe("OutputPacer", () => {
  it("[STR2] spreads chunks of 12 frames in half a second evenly", () => {
    const rig = new Rig();
    rig.produce({ frames: 12, chunkMs: () => 500, forMs: 10_000 });
    rig.clock.advance(10_000);
    const { jitter, stalls, fpsError } = rig.evenness(2000, 10_000, 24);
    expect(jitter).toBeLessThan(0.1);
    expect(stalls).toBeLessThan(0.01);
    expect(fpsError).toBeLessThan(0.05);
  });

  it("keeps small chunks of uneven length even", () => {
    const rig = new Rig();
    const noise = seeded(1);
    rig.produce({ frames: 4, chunkMs: () => 200 + 30 * noise(), forMs: 10_000 });
    rig.clock.advance(10_000);
    const { jitter, stalls, fpsError } = rig.evenness(2000, 10_000, 20);
    expect(jitter).toBeLessThan(0.15);
    expect(stalls).toBeLessThan(0.02);
    expect(fpsError).toBeLessThan(0.1);
  });

  it("keeps single frames that come at uneven times even", () => {
    const rig = new Rig();
    const noise = seeded(2);
    rig.produce({ frames: 1, chunkMs: () => 33 + 5 * noise(), forMs: 10_000 });
    rig.clock.advance(10_000);
    const { jitter, stalls } = rig.evenness(2000, 10_000, 30);
    expect(jitter).toBeLessThan(0.15);
    expect(stalls).toBeLessThan(0.02);
  });

  it("is even again soon after a pause, without making up for the time it was silent", () => {
    const rig = new Rig();
    rig.produce({ frames: 12, chunkMs: () => 500, forMs: 4500 });
    rig.clock.advance(5000);
    rig.pacer.clear();
    rig.clock.advance(2000);
    rig.produce({ frames: 12, chunkMs: () => 500, forMs: 8000 });
    rig.clock.advance(8000);
    expect(rig.sent.filter((one) => one.atMs > 5000 && one.atMs < 7400)).toEqual([]);
    const { jitter, stalls, fpsError } = rig.evenness(7500, 15_000, 24);
    expect(jitter).toBeLessThan(0.1);
    expect(stalls).toBeLessThan(0.01);
    expect(fpsError).toBeLessThan(0.05);
  });

  it("[STR2] plays no faster than the camera when the model is faster", () => {
    const rig = new Rig();
    // 12 frames of a 15 fps camera take 800 ms to come; the model needs 200 of them.
    const push = () => {
      rig.push(12, 200, 15);
      rig.clock.after(800, push);
    };
    push();
    rig.clock.advance(10_000);
    expect(rig.evenness(2000, 10_000, 15)).toMatchObject({ stalls: 0 });
    expect(rig.evenness(2000, 10_000, 15).fpsError).toBeLessThan(0.05);
  });

  it("keeps the delay small when the rate is estimated too low", () => {
    const rig = new Rig();
    // The camera is said to have 22 fps, and 24 a second come.
    rig.produce({ frames: 12, chunkMs: () => 500, inputFps: 22, forMs: 60_000 });
    rig.clock.advance(60_000);
    expect(rig.pacer.dropped).toBe(0);
    expect(rig.sent.at(-1)!.frame - rig.sent[0]!.frame).toBe(rig.sent.length - 1);
    expect(rig.pacer.length).toBeLessThan(18);
  });

  it("[STR4] drops the oldest frames beyond a chunk that plays and one that waits", () => {
    const rig = new Rig();
    for (let i = 0; i < 5; i++) rig.push(12, 500);
    expect(rig.pacer.length).toBe(24);
    expect(rig.pacer.dropped).toBe(36);
    rig.clock.advance(1);
    expect(rig.sent[0]!.frame).toBe(36);
  });

  it("does not let late timers add up", () => {
    const rig = new Rig();
    rig.push(24, 600);
    const sent: number[] = [];
    while (rig.pacer.dueMs !== undefined) {
      rig.clock.block(rig.pacer.dueMs - rig.clock.now() + 5); // every timer is 5 ms late
      if (rig.pacer.take(rig.clock.now()) !== undefined) sent.push(rig.clock.now());
    }
    const period = (sent.at(-1)! - sent[0]!) / (sent.length - 1);
    // The stock is empty, so the period is up to a tenth longer; five milliseconds more would be a fifth.
    expect(period / (1000 / rig.pacer.fps)).toBeLessThan(1.105);
  });

  it("[STR3] catches up after a short stall at double speed, not in a burst", () => {
    const rig = new Rig();
    rig.produce({ frames: 12, chunkMs: () => 500, forMs: 9000 });
    rig.clock.advance(5100);
    rig.clock.block(250);
    const from = rig.clock.now();
    rig.clock.advance(1500);
    const times = rig.sent.map((one) => one.atMs).filter((at) => at >= from);
    const intervals = times.slice(1).map((at, i) => at - times[i]!);
    expect(Math.min(...intervals)).toBeGreaterThan(1000 / 24 / 2 - 3);
    expect(intervals.slice(0, 4).every((ms) => ms < 30)).toBe(true);
    expect(rig.evenness(from + 600, from + 1500, 24).stalls).toBe(0);
  });

  it("[STR3] forgives a long stall instead of hurrying through it", () => {
    const rig = new Rig();
    rig.push(12, 500);
    rig.clock.advance(100);
    rig.clock.block(900);
    const from = rig.clock.now();
    rig.clock.advance(400);
    const times = rig.sent.map((one) => one.atMs).filter((at) => at >= from);
    const intervals = times.slice(1).map((at, i) => at - times[i]!);
    expect(intervals.length).toBeGreaterThan(3);
    expect(Math.min(...intervals)).toBeGreaterThan(35);
  });

  it("learns the rate of the last chunks and forgets the first, slow one", () => {
    const pacer = new OutputPacer<number>();
    pacer.push([1, 2, 3], { busyMs: 3000, inputFps: undefined }, 0);
    expect(pacer.fps).toBeCloseTo(1);
    pacer.push(Array(12).fill(0), { busyMs: 600, inputFps: undefined }, 3600);
    expect(pacer.fps).toBeCloseTo(20);
  });
});

describe("VideoOutput", () => {
  it("repeats the last picture now and then while nothing new comes, and counts only new ones", () => {
    const clock = new VirtualClock();
    const sent: number[] = [];
    const output = new VideoOutput({ clock, send: (frame) => sent.push(frame.data[0]!), onSent: () => {} });
    const frames = Array.from({ length: 12 }, (_, i) => ({ width: 1, height: 1, data: new Uint8Array([i, 0, 0]) }));
    output.push(frames, { busyMs: 500, inputFps: undefined });
    clock.advance(1000);
    expect(sent.slice(0, 12)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    clock.advance(2000);
    expect(sent.slice(12).length).toBeGreaterThanOrEqual(4);
    expect(new Set(sent.slice(12))).toEqual(new Set([11]));
    clock.advance(1500);
    expect(output.fps()).toBe(0);
    output.close();
    const count = sent.length;
    clock.advance(5000);
    expect(sent.length).toBe(count);
  });

  it("[STR5] drops what waits when the picture is held", () => {
    const clock = new VirtualClock();
    const sent: number[] = [];
    const output = new VideoOutput({ clock, send: (frame) => sent.push(frame.data[0]!), onSent: () => {} });
    const frames = Array.from({ length: 12 }, (_, i) => ({ width: 1, height: 1, data: new Uint8Array([i, 0, 0]) }));
    output.push(frames, { busyMs: 500, inputFps: undefined });
    clock.advance(100);
    const shown = sent.at(-1)!;
    output.hold();
    clock.advance(3000);
    expect(sent.at(-1)).toBe(shown);
    expect(output.length).toBe(0);
  });
});
