/**
 * A whole session on a virtual clock, from the camera's picture to the one
 * that is sent: how even it is, how late, and what stalls and pauses do to it.
 * Each picture carries the time at which it was taken.
 */
import { describe, expect, it } from "vitest";
import { ImageDecoder } from "../assets/image-decoder.ts";
import { createLogger } from "../logger.ts";
import { fakeMedia, offerOf } from "../testing/fake-media.ts";
import { stubPipeline } from "../testing/stub-pipeline.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import type { I420Frame } from "../webrtc/media-peer.ts";
import { SessionManager } from "./session-manager.ts";

type Options = {
  /** How long the next chunk takes, milliseconds. */
  chunkMs: () => number;
  framesPerChunk?: number;
  cameraFps?: number;
};

/** Numbers from -1 to 1 that are the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

function picture(takenMs: number): I420Frame {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setFloat64(0, takenMs);
  return { width: 2, height: 2, data };
}

function takenMs(frame: I420Frame): number {
  return new DataView(frame.data.buffer).getFloat64(0);
}

async function watch({ chunkMs, framesPerChunk = 12, cameraFps = 30 }: Options) {
  const clock = new VirtualClock();
  const media = fakeMedia(clock);
  const manager = new SessionManager({
    media,
    clock,
    iceServers: async () => [],
    resolveAsset: (path) => path,
    imageDecoder: new ImageDecoder(),
    graceMs: 30_000,
    maxSessions: 8,
    minFps: 2,
    availableBytes: () => 1e12,
    log: createLogger("silent"),
  });
  const pipeline = stubPipeline({ clock, chunkMs, framesPerChunk });
  const { sessionId } = await manager.open(pipeline, offerOf("a"), { inputMode: "video" });
  const peer = media.peers[0]!;
  peer.connect();
  let isCameraOn = true;
  let taken = 0;
  const shoot = () => {
    if (isCameraOn) peer.show(picture(clock.now()));
    taken += 1;
    clock.after((taken * 1000) / cameraFps - clock.now(), shoot);
  };
  shoot();
  /** Newly made pictures, and how late each was; a picture that is repeated counts once. */
  const seen = (fromMs: number, toMs: number) =>
    peer.sent
      .filter((one, i) => one.frame !== peer.sent[i - 1]?.frame)
      .filter((one) => one.atMs >= fromMs && one.atMs < toMs)
      .map((one) => ({ atMs: one.atMs, lateMs: one.atMs - takenMs(one.frame), takenMs: takenMs(one.frame) }));
  return {
    clock,
    peer,
    pipeline,
    session: manager.get(sessionId),
    seen,
    run: (ms: number) => clock.advanceAsync(ms, 1),
    setCamera: (on: boolean) => {
      isCameraOn = on;
    },
    /** How even the pictures were: the measures of jitter, stalls and rate. */
    evenness: (fromMs: number, toMs: number, idealFps: number) => {
      const times = seen(fromMs, toMs).map((one) => one.atMs);
      const intervals = times.slice(1).map((at, i) => at - times[i]!);
      const mean = intervals.reduce((sum, ms) => sum + ms, 0) / intervals.length;
      const deviation = Math.sqrt(intervals.reduce((sum, ms) => sum + (ms - mean) ** 2, 0) / intervals.length);
      const ideal = 1000 / idealFps;
      return {
        jitter: deviation / mean,
        stalls: intervals.filter((ms) => ms > 1.5 * ideal).length / intervals.length,
        fpsError: Math.abs(1000 / mean - idealFps) / idealFps,
      };
    },
    lateness: (fromMs: number, toMs: number) => {
      const late = seen(fromMs, toMs).map((one) => one.lateMs);
      return late.reduce((sum, ms) => sum + ms, 0) / late.length;
    },
  };
}

describe("delivery of chunks as an even stream", () => {
  it("[STR2] of 12 frames in half a second", async () => {
    const { run, evenness } = await watch({ chunkMs: () => 500 });
    await run(12_000);
    const { jitter, stalls, fpsError } = evenness(2000, 12_000, 24);
    expect(jitter).toBeLessThan(0.1);
    expect(stalls).toBeLessThan(0.01);
    expect(fpsError).toBeLessThan(0.05);
  });

  it("[STR2] of 4 frames in about a fifth of a second", async () => {
    const noise = seeded(1);
    const { run, evenness } = await watch({ framesPerChunk: 4, chunkMs: () => 200 + 30 * noise() });
    await run(12_000);
    const { jitter, stalls, fpsError } = evenness(2000, 12_000, 20);
    expect(jitter).toBeLessThan(0.15);
    expect(stalls).toBeLessThan(0.02);
    expect(fpsError).toBeLessThan(0.1);
  });

  it("[STR2] of single frames in about 33 ms", async () => {
    const noise = seeded(2);
    const { run, evenness } = await watch({ framesPerChunk: 1, chunkMs: () => 33 + 5 * noise(), cameraFps: 60 });
    await run(12_000);
    const { jitter, stalls } = evenness(2000, 12_000, 30);
    expect(jitter).toBeLessThan(0.15);
    expect(stalls).toBeLessThan(0.02);
  });

  it("[STR2] of a model that is faster than the camera", async () => {
    const { run, evenness } = await watch({ chunkMs: () => 100, cameraFps: 15 });
    await run(12_000);
    const { jitter, stalls, fpsError } = evenness(3000, 12_000, 15);
    expect(jitter).toBeLessThan(0.1);
    expect(stalls).toBeLessThan(0.01);
    expect(fpsError).toBeLessThan(0.05);
  });

  it("[STR5] with a pause of two seconds: the picture stands, and goes on with what comes after it", async () => {
    const { clock, run, evenness, seen, peer } = await watch({ chunkMs: () => 500 });
    await run(5000);
    peer.say({ paused: true });
    const pausedMs = clock.now();
    await run(2000);
    expect(seen(pausedMs + 1, clock.now())).toEqual([]);
    expect(peer.sent.filter((one) => one.atMs > pausedMs).length).toBeGreaterThan(2);
    peer.say({ paused: false });
    const resumedMs = clock.now();
    await run(10_000);
    const after = seen(resumedMs, clock.now());
    expect(Math.min(...after.map((one) => one.takenMs))).toBeGreaterThanOrEqual(resumedMs);
    expect(after[0]!.atMs - resumedMs).toBeLessThan(1100);
    const { jitter, stalls, fpsError } = evenness(resumedMs + 2000, clock.now(), 24);
    expect(jitter).toBeLessThan(0.1);
    expect(stalls).toBeLessThan(0.01);
    expect(fpsError).toBeLessThan(0.05);
  });
});

describe("what is sent is never old", () => {
  it("[STR11] after ten minutes a picture is as late as after ten seconds", async () => {
    for (const [chunkMs, cameraFps] of [
      [500, 30], // slower than the camera
      [300, 24], // faster
      [2500, 30], // much slower
    ] as const) {
      const noise = seeded(3);
      const { clock, lateness, pipeline } = await watch({ chunkMs: () => chunkMs * (1 + 0.15 * noise()), cameraFps });
      await clock.advanceAsync(600_000, 20);
      const early = lateness(10_000, 40_000);
      const late = lateness(570_000, 600_000);
      expect(Math.abs(late - early)).toBeLessThan(0.1 * early);
      expect(pipeline.begun.length).toBeGreaterThan(200);
    }
  });

  it("[STR11] a camera that was away brings no old pictures back", async () => {
    const { clock, run, seen, setCamera, lateness } = await watch({ chunkMs: () => 500 });
    await run(10_000);
    const before = lateness(5000, 10_000);
    setCamera(false);
    await run(20_000);
    setCamera(true);
    await run(10_000);
    const after = seen(clock.now() - 5000, clock.now()).map((one) => one.lateMs);
    expect(Math.max(...after)).toBeLessThan(before * 1.6);
  });

  it("[STR3] a model that stalls for five seconds is made up for by no burst, and delay does not stay", async () => {
    let isStalled = false;
    const { run, seen, lateness } = await watch({
      chunkMs: () => {
        const ms = isStalled ? 5000 : 500;
        isStalled = false;
        return ms;
      },
    });
    await run(10_000);
    const before = lateness(5000, 10_000);
    isStalled = true;
    await run(30_000);
    expect(lateness(30_000, 40_000)).toBeLessThan(before * 1.15);
    const times = seen(10_000, 40_000).map((one) => one.atMs);
    const intervals = times.slice(1).map((at, i) => at - times[i]!);
    expect(Math.min(...intervals)).toBeGreaterThan(1000 / 24 / 2 - 3);
  });
});
