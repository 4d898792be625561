/**
 * The encoder of recordings is the system's ffmpeg, as a process of its own:
 * it is on every distribution, it takes what the machine has of codecs and
 * licences, and when it crashes nobody's stream does. No part of it comes with
 * this server.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import type { Readable, Writable } from "node:stream";
import { ApiError, type RecordingFormat } from "@everframe/protocol";

/** A process that reads raw-matroska.ts on its input. */
export type EncoderProcess = ChildProcessByStdio<Writable, null, Readable>;

/** Encoders by preference, with what makes them fast enough for live pictures. */
const ENCODERS: Record<RecordingFormat, Record<string, string[]>> = {
  mp4: {
    libx264: ["-preset", "veryfast", "-crf", "20"],
    libopenh264: ["-b:v", "4M"],
    h264_videotoolbox: ["-b:v", "4M"],
  },
  webm: {
    libvpx: ["-deadline", "realtime", "-cpu-used", "8", "-b:v", "4M", "-crf", "10"],
    "libvpx-vp9": ["-deadline", "realtime", "-cpu-used", "8", "-row-mt", "1", "-b:v", "4M"],
  },
};
const CONTAINER: Record<RecordingFormat, string[]> = {
  mp4: ["-video_track_timescale", "90000", "-movflags", "+faststart", "-f", "mp4"],
  webm: ["-f", "webm"],
};
const THREADS = 2;
const LIST_TIMEOUT_MS = 10_000;

export class Encoder {
  readonly #program: string;
  #names: Promise<ReadonlySet<string>> | undefined;

  /** `program`: path or name of ffmpeg. */
  constructor(program = "ffmpeg") {
    this.#program = program;
  }

  /** Starts an encoder that writes the file. Throws `encoder_missing`. */
  async start(format: RecordingFormat, path: string): Promise<EncoderProcess> {
    const name = await this.#choose(format);
    const child = spawn(this.#program, [...argumentsFor(format, name), path], {
      stdio: ["pipe", "ignore", "pipe"],
      env: ownEnvironment(),
    });
    child.on("spawn", () => lowerPriority(child.pid));
    return child;
  }

  async #choose(format: RecordingFormat): Promise<string> {
    this.#names ??= this.#list();
    const names = await this.#names;
    const name = Object.keys(ENCODERS[format]).find((one) => names.has(one));
    if (name !== undefined) return name;
    // Someone may install it while the server runs.
    this.#names = undefined;
    const reason = names.size === 0 ? "no ffmpeg is installed" : `this machine's ffmpeg cannot encode ${format}`;
    throw new ApiError("encoder_missing", { reason });
  }

  /** Names of the encoders; none where there is no ffmpeg. */
  async #list(): Promise<ReadonlySet<string>> {
    const child = spawn(this.#program, ["-hide_banner", "-encoders"], {
      stdio: ["ignore", "pipe", "ignore"],
      env: ownEnvironment(),
      timeout: LIST_TIMEOUT_MS,
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    try {
      await once(child, "close");
    } catch {
      return new Set(); // there is no such program
    }
    return new Set([...text.matchAll(/^ V\S+ +(\S+)/gm)].map(([, name = ""]) => name));
  }
}

function argumentsFor(format: RecordingFormat, encoder: string): string[] {
  return [
    ...["-hide_banner", "-loglevel", "error", "-y"],
    ...["-f", "matroska", "-i", "pipe:0", "-an"],
    // Each picture keeps the time at which it was shown.
    ...["-fps_mode", "passthrough", "-enc_time_base", "-1"],
    // Codecs halve the colours' size, so both sides have to be even.
    ...["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p"],
    ...["-color_range", "tv", "-colorspace", "smpte170m", "-color_primaries", "smpte170m", "-color_trc", "smpte170m"],
    ...["-c:v", encoder, ...ENCODERS[format][encoder]!, "-threads", String(THREADS)],
    ...CONTAINER[format],
  ];
}

/** Nothing of the server's secrets, which may stand in its own. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const { PATH, LD_LIBRARY_PATH, SystemRoot } = process.env;
  return Object.fromEntries(Object.entries({ PATH, LD_LIBRARY_PATH, SystemRoot }).filter(([, value]) => value));
}

/** Live streams go first. */
function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already, or the system does not allow it: it runs as it is.
  }
}
