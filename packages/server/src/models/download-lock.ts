/**
 * A lock file: one downloader writes a blob at a time, in any process. Node
 * has no advisory locks, so the file names its holder and is touched while it
 * is held; one whose holder is gone, or that was not touched for long, is
 * taken over. Should two holders meet all the same, the checksum still
 * decides what becomes a blob.
 */
import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hasCode } from "../system-error.ts";

const TOUCH_MS = 5_000;
const STALE_MS = 60_000;

export type LockOptions = {
  signal: AbortSignal;
  /** Called once when another holds it. */
  onWait?: () => void;
  /** How often a held lock is tried again. Default 500 ms. */
  pollMs?: number;
};

export class DownloadLock {
  readonly #path: string;
  readonly #mark: string;
  readonly #timer: NodeJS.Timeout;

  private constructor(path: string, mark: string) {
    this.#path = path;
    this.#mark = mark;
    this.#timer = setInterval(() => {
      // A lock that was taken over is another's to touch, and one that is gone needs none.
      void this.#isMine().then((mine) => (mine ? utimes(path, new Date(), new Date()) : undefined), ignore);
    }, TOUCH_MS);
    this.#timer.unref();
  }

  /** Waits for the lock. Throws the signal's reason. */
  static async acquire(path: string, { signal, onWait, pollMs = 500 }: LockOptions): Promise<DownloadLock> {
    await mkdir(dirname(path), { recursive: true });
    const mark = `${hostname()} ${process.pid} ${randomUUID()}`;
    let told = false;
    while (true) {
      signal.throwIfAborted();
      if (await create(path, mark)) return new DownloadLock(path, mark);
      if (await removeStale(path)) continue;
      if (!told) onWait?.();
      told = true;
      await sleep(pollMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    if (await this.#isMine()) await rm(this.#path, { force: true });
  }

  async #isMine(): Promise<boolean> {
    return (await readFile(this.#path, "utf8").catch(() => "")) === this.#mark;
  }
}

async function create(path: string, mark: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    await file.writeFile(mark);
    await file.close();
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

/** Removes the lock of a holder that is gone; true when there is none now. */
async function removeStale(path: string): Promise<boolean> {
  let mark: string;
  let ageMs: number;
  try {
    mark = await readFile(path, "utf8");
    ageMs = Date.now() - (await stat(path)).mtimeMs;
  } catch {
    return true; // released meanwhile
  }
  const [host, pid] = mark.split(" ");
  const isGone = host === hostname() && mark !== "" && !isAlive(Number(pid));
  if (!isGone && ageMs < STALE_MS) return false;
  // Renamed first: of several that find it stale only one removes this file.
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return true; // another was first
  }
  await rm(aside, { force: true });
  return true;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, "EPERM"); // it lives, but is another user's
  }
}

function ignore(): void {
  // the lock is gone or cannot be touched: the checksum decides
}
