/**
 * Recordings by the real ffmpeg, read back by it. Where it is not installed
 * the tests are left out, and say so.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { RecordingFormat } from "@everframe/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLogger } from "../logger.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { type I420Frame, i420Length } from "../webrtc/media-peer.ts";
import { Encoder } from "./encoder.ts";
import { type Recordable, Recordings } from "./recordings.ts";

const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;
if (!hasFfmpeg) console.warn("\nLEFT OUT: recordings are not tested, because ffmpeg is not installed.\n");

class Stand implements Recordable {
  readonly id: string;
  state = "live";
  lastFrame: I420Frame | undefined;
  readonly #watchers = new Set<(frame: I420Frame) => void>();

  constructor(id: string) {
    this.id = id;
  }

  watchFrames(watch: (frame: I420Frame) => void): () => void {
    this.#watchers.add(watch);
    return () => this.#watchers.delete(watch);
  }

  show(width: number, height: number, luma: number): void {
    const data = new Uint8Array(i420Length(width, height)).fill(128).fill(luma, 0, width * height);
    this.lastFrame = { width, height, data };
    for (const watch of this.#watchers) watch(this.lastFrame);
  }
}

let folder: string;
let clock: VirtualClock;
let recordings: Recordings;
let session: Stand;
let logLines: string[];
const open = (options: { ffmpeg?: string; maxAgeMs?: number; maxBytes?: number } = {}) =>
  new Recordings({
    folder,
    encoder: new Encoder(options.ffmpeg),
    maxAgeMs: options.maxAgeMs ?? 3600_000,
    maxBytes: options.maxBytes ?? 1e9,
    clock,
    log: createLogger("info", (line) => logLines.push(line)),
  });
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "everframe-")), "recordings");
  clock = new VirtualClock();
  logLines = [];
  recordings = open();
  session = new Stand("11112222-3333");
});
afterEach(async () => {
  await recordings.close();
  await rm(join(folder, ".."), { recursive: true, force: true });
});

/** Stream and packets of a file, as ffprobe tells them. */
function probe(path: string) {
  const args = ["-v", "error", "-show_streams", "-show_packets", "-of", "json", path];
  const { stdout } = spawnSync("ffprobe", args, { encoding: "utf8" });
  const { streams, packets } = JSON.parse(stdout) as {
    streams: { codec_name: string; width: number; height: number; nb_frames?: string }[];
    packets: { pts_time: string; dts_time: string }[];
  };
  const seconds = (field: "pts_time" | "dts_time") => packets.map((one) => Number(one[field])).sort((a, b) => a - b);
  return { stream: streams[0]!, pts: seconds("pts_time"), dts: packets.map((one) => Number(one.dts_time)) };
}

/** The brightness of one picture's middle, 16 to 235. */
function lumaAt(path: string, index: number): number {
  const filter = `select=eq(n\\,${index}),crop=2:2`;
  const args = [
    "-v",
    "error",
    "-i",
    path,
    "-vf",
    filter,
    "-fps_mode",
    "passthrough",
    "-pix_fmt",
    "gray",
    "-f",
    "rawvideo",
    "-",
  ];
  return spawnSync("ffmpeg", args).stdout[0]!;
}

async function record(
  format: RecordingFormat,
  periodsMs: number[],
  size: [number, number] = [64, 48],
): Promise<string> {
  expect(await recordings.start(session, format)).toBe(true);
  for (const [i, period] of periodsMs.entries()) {
    session.show(...size, 40 + i * 4);
    clock.advance(period);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(await recordings.stop(session.id)).toBe(true);
  return join(folder, recordings.info(session.id)!.name);
}

describe.skipIf(!hasFfmpeg)("a recording", () => {
  for (const [format, codecs] of [
    ["mp4", ["h264"]],
    ["webm", ["vp8", "vp9"]],
  ] as const) {
    it(`[REC1][REC2] as ${format} has each picture once, at the time when it was shown`, async () => {
      const periods = Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? 20 : 38));
      const path = await record(format, periods);
      const { stream, pts, dts } = probe(path);
      expect(codecs).toContain(stream.codec_name);
      expect(stream).toMatchObject({ width: 64, height: 48 });
      let atMs = 0;
      const shown = [0, ...periods.map((period) => (atMs += period))];
      // The first sample of an MP4 with reordered pictures need not be at 0.
      expect(pts).toHaveLength(shown.length);
      // WebM counts whole milliseconds.
      const lateMs = pts.map((one, i) => Math.abs((one - pts[0]!) * 1000 - shown[i]!));
      expect(Math.max(...lateMs)).toBeLessThan(1.5);
      expect(dts.every((one, i) => i === 0 || one > dts[i - 1]!)).toBe(true);
      expect(Math.abs(lumaAt(path, 20) - (40 + 20 * 4))).toBeLessThan(12);
      expect(recordings.info(session.id)).toMatchObject({ state: "finished", frames: 31, dropped: 0, error: null });
    });
  }

  it("[REC2] goes on through pictures at one moment, pauses, and other sizes", async () => {
    await recordings.start(session, "mp4");
    for (const [size, period] of [
      [[63, 47], 0],
      [[63, 47], 0],
      [[128, 96], 40],
      [[16, 16], 5000],
      [[63, 47], 40],
    ] as const) {
      session.show(size[0], size[1], 100);
      clock.advance(period);
    }
    await recordings.stop(session.id);
    const { stream, pts } = probe(join(folder, recordings.info(session.id)!.name));
    expect(stream).toMatchObject({ width: 64, height: 48 });
    expect(pts.every((one, i) => i === 0 || one > pts[i - 1]!)).toBe(true);
    expect(pts.at(-1)! - pts[0]!).toBeCloseTo(5.08, 2);
  });

  it("[REC3] ends with its session, and its file stays for download", async () => {
    await recordings.start(session, "webm");
    expect(await recordings.start(session, "webm")).toBe(false);
    session.show(64, 48, 100);
    await expect(recordings.open(session.id)).rejects.toMatchObject({ code: "recording_running" });
    session.state = "closed";
    clock.advance(1000);
    await expect.poll(() => recordings.info(session.id)!.state, { timeout: 20_000 }).toBe("finished");
    const { file, name } = await recordings.open(session.id);
    expect(file.size).toBeGreaterThan(100);
    await file.close();
    expect(name).toMatch(/^everframe-\d{8}-\d{6}-11112222\.webm$/);
    await recordings.remove(session.id);
    expect(await readdir(folder)).toEqual([]);
    await expect(recordings.open(session.id)).rejects.toMatchObject({ code: "recording_not_found" });
  });

  it("[OPS2][REC8] ends once, however many wait for it", async () => {
    await recordings.start(session, "webm");
    session.show(64, 48, 100);
    expect(await Promise.all([recordings.stop(session.id), recordings.stop(session.id)])).toEqual([true, true]);
    expect(logLines.filter((line) => line.includes("recording ended"))).toHaveLength(1);
  });

  it("[REC4] leaves pictures out when the encoder does not keep up, and stays bounded", async () => {
    await recordings.start(session, "mp4");
    const before = process.memoryUsage().arrayBuffers;
    // All at once: nothing is read before this function gives way.
    for (let i = 0; i < 200; i++) session.show(640, 480, i);
    expect(recordings.info(session.id)!.dropped).toBeGreaterThan(150);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 640 * 480 * 1.5);
    await recordings.stop(session.id);
    expect(recordings.info(session.id)).toMatchObject({ state: "finished" });
  });

  it("[REC5] says what failed when the encoder ends, and leaves no part of a file", async () => {
    await recordings.start(session, "mp4");
    await rm(folder, { recursive: true });
    session.show(64, 48, 100);
    await expect(recordings.stop(session.id)).rejects.toMatchObject({ code: "recording_failed" });
    expect(recordings.info(session.id)).toMatchObject({ state: "failed", bytes: null });
    expect(existsSync(folder)).toBe(false);
    const another = new Stand("another");
    await recordings.start(another, "mp4");
    await expect(recordings.stop(another.id)).rejects.toThrow("no picture");
    expect(await readdir(folder)).toEqual([]);
  });

  it("[REC3] holds neither its session nor a picture when it has ended", async () => {
    const makeOne = async (id: string) => {
      const one = new Stand(id);
      await recordings.start(one, "webm");
      one.show(64, 48, 100);
      await recordings.stop(id);
      return [new WeakRef(one), new WeakRef(one.lastFrame!.data)];
    };
    const refs = await makeOne("brief");
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const isGone = () => {
      collect();
      return refs.every((ref) => ref.deref() === undefined);
    };
    await expect.poll(isGone).toBe(true);
    expect(recordings.info("brief")).toMatchObject({ state: "finished", frames: 1 });
  });

  it("[REC3] is whole also when the server ends", async () => {
    await recordings.start(session, "mp4");
    session.show(64, 48, 100);
    await recordings.close();
    expect(probe(join(folder, recordings.info(session.id)!.name)).pts).toHaveLength(1);
  });
});

it("[REC6] says what to do where no ffmpeg is", async () => {
  await recordings.close();
  recordings = open({ ffmpeg: join(folder, "ffmpeg") });
  const refused = recordings.start(session, "mp4");
  await expect(refused).rejects.toMatchObject({ code: "encoder_missing", status: 501 });
  await expect(refused).rejects.toThrow("apt install ffmpeg");
  expect(recordings.info(session.id)).toBeUndefined();
});

describe("the folder", () => {
  const put = async (name: string, bytes: number, ageMs: number) => {
    const path = join(folder, name);
    await writeFile(path, new Uint8Array(bytes));
    const at = new Date(Date.now() - ageMs);
    await utimes(path, at, at);
  };

  it("[REC7] loses recordings that are too old, and the oldest when all are too large, and nothing else", async () => {
    await recordings.close();
    await mkdir(folder, { recursive: true });
    await put("everframe-20250101-000000-aaaaaaaa.mp4", 10, 3600_000 + 1000);
    await put("everframe-20250101-000000-bbbbbbbb.part.webm", 10, 3600_000 + 1000);
    await put("everframe-20250102-000000-cccccccc.mp4", 600, 2000);
    await put("everframe-20250103-000000-dddddddd.webm", 600, 1000);
    await put("holiday.mp4", 5000, 1e9);
    recordings = open({ maxBytes: 1000 });
    await expect
      .poll(async () => (await readdir(folder)).sort())
      .toEqual(["everframe-20250103-000000-dddddddd.webm", "holiday.mp4"]);
  });

  it("[REC7] is looked after on when a file in it cannot be removed, which is told once", async ({ skip }) => {
    await recordings.close();
    await mkdir(folder, { recursive: true });
    const mount = (...args: string[]) => spawnSync("mount", [...args, folder]).status === 0;
    if (!mount("-t", "tmpfs", "-o", "size=1m", "tmpfs")) skip("a disk can be mounted by root alone");
    try {
      await put("everframe-20250101-000000-aaaaaaaa.mp4", 10, 3600_000 + 1000);
      mount("-o", "remount,ro");
      recordings = open();
      const told = () => logLines.filter((line) => line.includes("recording could not be removed")).length;
      await expect.poll(told).toBe(1);
      await clock.advanceAsync(300_000, 10_000);
      mount("-o", "remount,rw");
      const later = () => {
        clock.advance(60_000);
        return readdir(folder);
      };
      await expect.poll(later).toEqual([]);
      expect(told()).toBe(1);
    } finally {
      spawnSync("umount", [folder]);
    }
  });
});
