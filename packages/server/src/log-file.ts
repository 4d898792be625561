/**
 * The log on disk, for bug reports: a file of bounded size and the few before
 * it, renamed in turn. Lines are written at once, so that the last one before
 * a crash is there. A disk that is full must not end the server: lines that
 * cannot be written are left out, and the first of them is told.
 */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";

const MIB = 1024 * 1024;
const NAME = "everframe.log";

export type LogFileOptions = {
  /** Is made when it is not there. */
  folder: string;
  /** Bytes of a file; default 5 MiB. */
  maxBytes?: number;
  /** Files kept, the current one included; default 5. */
  maxFiles?: number;
  /** Hears why the first line that is lost could not be written. */
  onFailure?: (error: unknown) => void;
};

/** Whole lines of the log, and where to go on. */
export type LogTail = { lines: string[]; offset: number };

export class LogFile {
  /** Of the current file. */
  readonly path: string;
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #maxFiles: number;
  #onFailure: ((error: unknown) => void) | undefined;
  #file: number | undefined;
  #bytes = 0;

  constructor({ folder, maxBytes = 5 * MIB, maxFiles = 5, onFailure }: LogFileOptions) {
    this.#folder = folder;
    this.#onFailure = onFailure;
    this.#maxBytes = maxBytes;
    this.#maxFiles = maxFiles;
    this.path = join(folder, NAME);
  }

  /** The name of the current file, without its folder. */
  get name(): string {
    return NAME;
  }

  /** Appends a line, which ends with a line break. Never throws. */
  write(line: string): void {
    try {
      const bytes = Buffer.from(line);
      if (this.#file !== undefined && this.#bytes + bytes.byteLength > this.#maxBytes) this.#rotate();
      this.#file ??= this.#open();
      writeSync(this.#file, bytes);
      this.#bytes += bytes.byteLength;
    } catch (error) {
      // The next line tries again.
      this.close();
      this.#onFailure?.(error);
      this.#onFailure = undefined;
    }
  }

  /** Bytes of the current file; undefined when nothing was logged yet. */
  size(): number | undefined {
    return statSync(this.path, { throwIfNoEntry: false })?.size;
  }

  /**
   * The last `lines` whole lines from byte `sinceOffset` on; from the start
   * when the file has begun anew since. Reads 1 MiB at most.
   */
  async tail(lines: number, sinceOffset = 0): Promise<LogTail> {
    const size = this.size() ?? 0;
    const since = sinceOffset > size ? 0 : sinceOffset;
    const from = Math.max(since, size - MIB);
    if (size === from) return { lines: [], offset: size };
    const file = await open(this.path, "r");
    try {
      const buffer = Buffer.alloc(size - from);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
      const end = buffer.subarray(0, bytesRead).lastIndexOf(10) + 1;
      const whole = buffer.subarray(0, end).toString("utf8").split("\n").slice(0, -1);
      // Where reading began in the middle of a line, that line is not whole.
      if (from > since) whole.shift();
      return { lines: whole.slice(-lines), offset: from + end };
    } finally {
      await file.close();
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(): number {
    mkdirSync(this.#folder, { recursive: true });
    this.#bytes = this.size() ?? 0;
    if (this.#bytes >= this.#maxBytes) this.#rotate();
    return openSync(this.path, "a", 0o600);
  }

  /** everframe.log becomes everframe.log.1, that .2, and the oldest goes. */
  #rotate(): void {
    this.close();
    const nth = (n: number) => (n === 0 ? this.path : `${this.path}.${n}`);
    rmSync(nth(this.#maxFiles - 1), { force: true });
    for (let n = this.#maxFiles - 2; n >= 0; n--) if (existsSync(nth(n))) renameSync(nth(n), nth(n + 1));
    this.#bytes = 0;
  }
}
