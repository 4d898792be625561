/**
 * The recordings of all sessions: one at a time for each, its newest file for
 * download, and an eye on the folder, where nothing stays longer than the
 * operator wants or takes more room.
 */
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { ApiError, errorText, type RecordingFormat, type RecordingInfo } from "@everframe/protocol";
import type { Logger } from "pino";
import { type OpenFile, openFile } from "../open-file.ts";
import type { Clock } from "../sessions/clock.ts";
import type { I420Frame } from "../webrtc/media-peer.ts";
import type { Encoder } from "./encoder.ts";
import { Recording } from "./recording.ts";

const CHECK_MS = 1000;
const SWEEP_MS = 60_000;
/** Nobody wants a longer one by intent. */
const MAX_DURATION_MS = 2 * 3600_000;
/** Sessions whose newest recording is remembered. */
const MAX_REMEMBERED = 1000;
/** Names that this server gives. */
const NAME = /^everframe-\d{8}-\d{6}-[\w-]+\.(part\.)?(mp4|webm)$/;

/** What a recording needs of a session. */
export type Recordable = {
  readonly id: string;
  readonly state: string;
  readonly lastFrame: I420Frame | undefined;
  watchFrames(watch: (frame: I420Frame) => void): () => void;
};

export type RecordingsOptions = {
  /** Is made when it is not there. */
  folder: string;
  encoder: Encoder;
  /** Files older than this are removed, milliseconds. */
  maxAgeMs: number;
  /** All files together; the oldest are removed first, and a recording that needs more is ended. */
  maxBytes: number;
  clock: Clock;
  log: Logger;
};

type Running = {
  readonly session: Recordable;
  readonly recording: Recording;
  readonly unwatch: () => void;
  /** Once somebody has stopped it. */
  ending?: Promise<void>;
};
/** What is known of one that has ended; the pictures and the session that it held are gone. */
type Ended = { readonly path: string; readonly info: RecordingInfo };

export class Recordings {
  readonly #options: RecordingsOptions;
  /** The newest of each session, in the order of their starts. */
  readonly #entries = new Map<string, Running | Ended>();
  readonly #starting = new Set<string>();
  /** Files that could not be removed, which was told. */
  readonly #stuck = new Set<string>();
  #cancelCheck: () => void;
  #sweptAtMs: number;
  #isClosed = false;

  constructor(options: RecordingsOptions) {
    this.#options = options;
    this.#cancelCheck = options.clock.after(CHECK_MS, () => void this.#check());
    this.#sweptAtMs = options.clock.now();
    void this.#sweep();
  }

  /**
   * Begins to record what the session sends. False when it is being recorded already.
   * Throws `encoder_missing`, `session_not_found`, `recording_failed`.
   */
  async start(session: Recordable, format: RecordingFormat): Promise<boolean> {
    const { folder, encoder, clock, log } = this.#options;
    const { id } = session;
    if (this.#starting.has(id) || this.#findRunning(id) !== undefined) return false;
    this.#starting.add(id);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
        throw new ApiError("recording_failed", { reason: errorText(cause) }, { cause });
      });
      const recording = await Recording.start({ encoder, format, path: join(folder, nameOf(id, format)), clock });
      const unwatch = session.watchFrames((frame) => recording.write(frame));
      if (session.lastFrame !== undefined) recording.write(session.lastFrame);
      this.#entries.delete(id);
      this.#entries.set(id, { session, recording, unwatch });
      this.#forgetOld();
      log.info({ session: id.slice(0, 8), format }, "recording started");
      // The session, or the server, may have ended meanwhile.
      if (this.#isClosed || session.state === "closed") await this.stop(id);
      return true;
    } finally {
      this.#starting.delete(id);
    }
  }

  /** Ends a session's recording; false when there is none that runs. Throws `recording_failed`. */
  async stop(sessionId: string): Promise<boolean> {
    const running = this.#findRunning(sessionId);
    if (running === undefined) return false;
    running.ending ??= this.#end(sessionId, running);
    await running.ending;
    return true;
  }

  /** Of the session's newest recording; undefined when there is none. */
  info(sessionId: string): RecordingInfo | undefined {
    const entry = this.#entries.get(sessionId);
    if (entry === undefined) return undefined;
    return isRunning(entry) ? infoOf(entry.recording) : entry.info;
  }

  /** Opens the session's newest file; the caller closes it. Throws `recording_not_found`, `recording_running`. */
  async open(sessionId: string): Promise<{ file: OpenFile; name: string }> {
    const { path, info } = this.#getEnded(sessionId);
    const file = await openFile(path);
    if (file === undefined) throw new ApiError("recording_not_found", { sessionId });
    return { file, name: info.name };
  }

  /** Removes the session's newest file. Throws `recording_not_found`, `recording_running`. */
  async remove(sessionId: string): Promise<void> {
    const { path } = this.#getEnded(sessionId);
    this.#entries.delete(sessionId);
    await rm(path, { force: true });
  }

  /** Ends all that run, whole where that is possible. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelCheck();
    await Promise.all([...this.#entries.keys()].map((id) => this.#stopQuietly(id)));
  }

  async #end(sessionId: string, { recording, unwatch }: Running): Promise<void> {
    unwatch();
    const log = this.#options.log.child({ session: sessionId.slice(0, 8) });
    const keep = (end: Pick<RecordingInfo, "state" | "bytes" | "error">) =>
      this.#entries.set(sessionId, { path: recording.path, info: { ...infoOf(recording), ...end } });
    try {
      await recording.stop();
      const { size } = await stat(recording.path);
      keep({ state: "finished", bytes: size, error: null });
      log.info({ frames: recording.frames, dropped: recording.dropped, bytes: size }, "recording ended");
    } catch (thrown) {
      const error = ApiError.from(thrown);
      keep({ state: "failed", bytes: null, error: error.message });
      log.warn({ err: error.cause ?? thrown }, "recording failed");
      throw error;
    }
  }

  #running(): [string, Running][] {
    return [...this.#entries].filter((one): one is [string, Running] => isRunning(one[1]));
  }

  #findRunning(sessionId: string): Running | undefined {
    const entry = this.#entries.get(sessionId);
    return entry !== undefined && isRunning(entry) ? entry : undefined;
  }

  #getEnded(sessionId: string): Ended {
    const entry = this.#entries.get(sessionId);
    if (entry === undefined) throw new ApiError("recording_not_found", { sessionId });
    if (isRunning(entry)) throw new ApiError("recording_running", {});
    return entry;
  }

  /** Ends those whose session, encoder or room has come to its end. */
  async #check(): Promise<void> {
    const { clock } = this.#options;
    const isDue = clock.now() - this.#sweptAtMs >= SWEEP_MS;
    const running = this.#running();
    if (isDue || running.length > 0) {
      this.#sweptAtMs = isDue ? clock.now() : this.#sweptAtMs;
      const isFull = await this.#sweep();
      for (const [id, { session, recording }] of running) {
        const isLong = recording.durationMs > MAX_DURATION_MS;
        if (isFull || isLong || recording.hasFailed || session.state === "closed") void this.#stopQuietly(id);
      }
    }
    if (!this.#isClosed) this.#cancelCheck = clock.after(CHECK_MS, () => void this.#check());
  }

  /** Removes files that are too old, and the oldest while all are too large. True when what remains is too large. */
  async #sweep(): Promise<boolean> {
    const { folder, maxAgeMs, maxBytes, log } = this.#options;
    const inUse = new Set(this.#running().map(([, { recording }]) => recording.partPath));
    const files: { path: string; bytes: number; modifiedMs: number }[] = [];
    for (const name of await readdir(folder).catch(() => [])) {
      const path = join(folder, name);
      const info = NAME.test(name) ? await stat(path).catch(() => undefined) : undefined;
      if (info?.isFile()) files.push({ path, bytes: info.size, modifiedMs: info.mtimeMs });
    }
    files.sort((a, b) => a.modifiedMs - b.modifiedMs);
    let bytes = files.reduce((sum, one) => sum + one.bytes, 0);
    for (const file of files) {
      const isOld = Date.now() - file.modifiedMs > maxAgeMs;
      if (inUse.has(file.path) || (!isOld && bytes <= maxBytes)) continue;
      const name = basename(file.path);
      try {
        await rm(file.path, { force: true });
        bytes -= file.bytes;
        log.info({ file: name }, isOld ? "old recording removed" : "recording removed for room");
      } catch (error) {
        if (!this.#stuck.has(name)) log.warn({ err: error, file: name }, "recording could not be removed");
        this.#stuck.add(name);
      }
    }
    return bytes > maxBytes;
  }

  async #stopQuietly(sessionId: string): Promise<void> {
    // It was logged, and `info` tells it.
    await this.stop(sessionId).catch(() => {});
  }

  #forgetOld(): void {
    for (const [id, entry] of this.#entries) {
      if (this.#entries.size <= MAX_REMEMBERED) return;
      if (!isRunning(entry)) this.#entries.delete(id);
    }
  }
}

function isRunning(entry: Running | Ended): entry is Running {
  return "recording" in entry;
}

/** Of one that runs. */
function infoOf(recording: Recording): RecordingInfo {
  return {
    state: "recording",
    format: recording.format,
    name: basename(recording.path),
    started_at: recording.startedAt.getTime() / 1000,
    duration_seconds: Math.round(recording.durationMs) / 1000,
    frames: recording.frames,
    dropped: recording.dropped,
    bytes: null,
    error: null,
  };
}

function nameOf(sessionId: string, format: RecordingFormat): string {
  const [date = "", time = ""] = new Date().toISOString().replace(/[-:]/g, "").split(/[T.]/);
  return `everframe-${date}-${time}-${sessionId.slice(0, 8)}.${format}`;
}
