import { existsSync } from "node:fs";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DownloadLock } from "./download-lock.ts";

let home: string;
let path: string;
const options = { signal: AbortSignal.timeout(20_000), pollMs: 5 };

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "everframe-"));
  path = join(home, "locks", "blob.lock");
});
afterEach(() => rm(home, { recursive: true, force: true }));

describe("DownloadLock", () => {
  it("is held by one at a time", async () => {
    let holders = 0;
    let most = 0;
    let waited = 0;
    const turn = async () => {
      const lock = await DownloadLock.acquire(path, { ...options, onWait: () => waited++ });
      most = Math.max(most, ++holders);
      await new Promise((resolve) => setTimeout(resolve, 10));
      holders--;
      await lock.release();
    };
    await Promise.all([turn(), turn(), turn()]);
    expect(most).toBe(1);
    expect(waited).toBe(2);
    expect(existsSync(path)).toBe(false);
  });

  it("is taken over from a process that is gone, and from one that has not touched it for long", async () => {
    await (await DownloadLock.acquire(path, options)).release(); // makes the folder
    await writeFile(path, `${hostname()} 99999999 a`);
    await (await DownloadLock.acquire(path, options)).release();
    await writeFile(path, "another-machine 1 b");
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(path, longAgo, longAgo);
    await (await DownloadLock.acquire(path, options)).release();
    expect(existsSync(path)).toBe(false);
  });

  it("is waited for until the signal says otherwise", async () => {
    const lock = await DownloadLock.acquire(path, options);
    const controller = new AbortController();
    const second = DownloadLock.acquire(path, {
      signal: controller.signal,
      pollMs: 5,
      onWait: () => controller.abort(),
    });
    await expect(second).rejects.toThrow("aborted");
    expect(existsSync(path)).toBe(true);
    await lock.release();
  });

  it("does not remove the lock of whoever took it over", async () => {
    const lock = await DownloadLock.acquire(path, options);
    await writeFile(path, "another-machine 1 c");
    await lock.release();
    expect(existsSync(path)).toBe(true);
  });
});
