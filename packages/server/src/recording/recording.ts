/**
 * One recording: pictures go to the encoder with the time at which they were
 * shown, at most a few wait for it, and what it cannot take in time is left
 * out. The file gets its name when it is whole.
 */
import { once } from "node:events";
import { rename, rm } from "node:fs/promises";
import { ApiError, errorText, type RecordingFormat } from "@everframe/protocol";
import { resizeI420 } from "../pipelines/resize.ts";
import type { Clock } from "../sessions/clock.ts";
import type { I420Frame } from "../webrtc/media-peer.ts";
import type { Encoder, EncoderProcess } from "./encoder.ts";
import { header, pictureHeader, toTimestamp } from "./raw-matroska.ts";

/** Pictures that may wait for the encoder. */
const MAX_WAITING = 16;
/** The encoder has what waits, and its own look-ahead, to write at the end. */
const END_TIMEOUT_MS = 60_000;
const MAX_REASON_CHARS = 2000;

export type RecordingOptions = {
  encoder: Encoder;
  format: RecordingFormat;
  /** Where the whole file is to be. */
  path: string;
  clock: Clock;
};

export class Recording {
  readonly format: RecordingFormat;
  readonly path: string;
  readonly startedAt = new Date();
  readonly #clock: Clock;
  readonly #process: EncoderProcess;
  readonly #exit: Promise<void>;
  #complaint = "";
  #first: { frame: I420Frame; atMs: number } | undefined;
  #last: { frame: I420Frame; timestamp: number } | undefined;
  #frames = 0;
  #dropped = 0;
  #hasExited = false;
  #stopping: Promise<void> | undefined;

  private constructor({ format, path, clock }: RecordingOptions, child: EncoderProcess) {
    this.format = format;
    this.path = path;
    this.#clock = clock;
    this.#process = child;
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-MAX_REASON_CHARS);
    });
    // The end of the process says what was wrong; a broken pipe is only its echo.
    child.stdin.on("error", () => {});
    this.#exit = this.#follow();
    this.#exit.catch(() => {});
  }

  /** Throws `encoder_missing`. */
  static async start(options: RecordingOptions): Promise<Recording> {
    return new Recording(options, await options.encoder.start(options.format, partPath(options.path)));
  }

  get frames(): number {
    return this.#frames;
  }

  /** Pictures that the encoder could not take in time. */
  get dropped(): number {
    return this.#dropped;
  }

  /** From the first picture to the last one. */
  get durationMs(): number {
    return (this.#last?.timestamp ?? 0) / toTimestamp(1);
  }

  /** Whether the encoder has ended by itself, which only a failure makes it do. */
  get hasFailed(): boolean {
    return this.#hasExited && this.#stopping === undefined;
  }

  /** The file while it is written. */
  get partPath(): string {
    return partPath(this.path);
  }

  /** Takes the picture that is shown now. One of another size than the first is stretched to that. */
  write(frame: I420Frame): void {
    if (this.#stopping !== undefined || this.#hasExited) return;
    const now = this.#clock.now();
    if (this.#first === undefined) {
      this.#first = { frame, atMs: now };
      this.#process.stdin.write(header(frame.width, frame.height));
    }
    const { width, height, data } = this.#first.frame;
    if (this.#process.stdin.writableLength > MAX_WAITING * data.byteLength) {
      this.#dropped += 1;
      return;
    }
    this.#put(resizeI420(frame, { width, height }), toTimestamp(now - this.#first.atMs));
  }

  /**
   * Ends the recording and waits for the whole file. Calling it again waits for the same end.
   * Throws `recording_failed`; then there is no file.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { stdin } = this.#process;
    if (this.#last !== undefined && this.#first !== undefined) {
      // The last picture was shown until now.
      const end = toTimestamp(this.#clock.now() - this.#first.atMs);
      if (end > this.#last.timestamp) this.#put(this.#last.frame, end);
    }
    stdin.end();
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), END_TIMEOUT_MS);
    try {
      await this.#exit.catch((error: unknown) => {
        throw this.#last === undefined ? new Error("no picture was sent meanwhile") : error;
      });
      await rename(this.partPath, this.path);
    } catch (error) {
      await rm(this.partPath, { force: true });
      throw new ApiError("recording_failed", { reason: errorText(error) }, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  #put(frame: I420Frame, timestamp: number): void {
    // Two pictures at one moment would be one for a player.
    const later = Math.max(timestamp, (this.#last?.timestamp ?? -1) + toTimestamp(1));
    this.#last = { frame, timestamp: later };
    this.#frames += 1;
    this.#process.stdin.write(pictureHeader(frame, later));
    this.#process.stdin.write(frame.data);
  }

  async #follow(): Promise<void> {
    try {
      // "close" comes when its complaints are read, too.
      const [code, signal] = (await once(this.#process, "close")) as [number | null, NodeJS.Signals | null];
      if (code !== 0) throw new Error(this.#complaint.trim() || `ffmpeg ended with ${signal ?? `code ${code}`}`);
    } finally {
      this.#hasExited = true;
    }
  }
}

/** Of a file that is not whole yet; the ending stays. */
function partPath(path: string): string {
  return path.replace(/(\.\w+)$/, ".part$1");
}
