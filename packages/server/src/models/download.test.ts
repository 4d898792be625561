/** Downloads over a bad line, against a hub on this machine. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  type symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COMMIT, etagOf, HubServer } from "../testing/hub-server.ts";
import { incompletePath } from "./blob-download.ts";
import { Downloader, type DownloaderOptions, type DownloadPlan, type DownloadProgress } from "./download.ts";
import { DownloadLock } from "./download-lock.ts";
import { HubCache } from "./hub-cache.ts";
import { findFile } from "./installed-models.ts";
import type { Artifact } from "./model-catalogue.ts";

const WEIGHTS = "models/weights.pt";
const LARGE = randomBytes(400_000);
const SMALL = Buffer.from('{"dim": 8}');
const REPO = "owner/Model";
const ARTIFACT: Artifact = {
  name: "Model",
  repos: [REPO, "other/Model"],
  licence: "unknown",
  files: [
    { path: "config.json", use: "sizes", aboutBytes: 10 },
    { path: WEIGHTS, use: "weights", aboutBytes: 4e5 },
  ],
};

let home: string;
let hub: HubServer;
let cache: HubCache;
const places = () => ({ modelsDir: join(home, "models"), cache });

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "everframe-"));
  cache = new HubCache(join(home, "hub"));
  hub = await HubServer.start({ [REPO]: { "config.json": SMALL, [WEIGHTS]: LARGE } });
});
afterEach(async () => {
  await hub.close();
  await rm(home, { recursive: true, force: true });
});

function downloader(options: Partial<DownloaderOptions> & { token?: string; offline?: boolean } = {}): Downloader {
  const { token, offline = false, ...rest } = options;
  return new Downloader({
    settings: { cacheDir: cache.folder, endpoint: hub.endpoint, token, offline },
    places: places(),
    retry: { firstWaitMs: 1, longestWaitMs: 5 },
    ...rest,
  });
}

async function download(one = downloader(), signal = new AbortController().signal, artifact = ARTIFACT) {
  const told: DownloadProgress[] = [];
  const plan = await one.plan([artifact], signal);
  await one.run(plan, signal, (progress) => told.push(progress));
  return told;
}

const snapshot = (path: string) => cache.snapshotPath(REPO, COMMIT, path);
const partial = () => incompletePath(cache.blobPath(REPO, etagOf(LARGE)));

async function expectWhole(): Promise<void> {
  expect((await readFile(snapshot(WEIGHTS))).equals(LARGE)).toBe(true);
  expect(await readFile(snapshot("config.json"))).toEqual(SMALL);
  expect(await readFile(join(cache.repoFolder(REPO), "refs", "main"), "utf8")).toBe(COMMIT);
  const blobs = await readdir(join(cache.repoFolder(REPO), "blobs"));
  expect(blobs.sort()).toEqual([etagOf(LARGE), etagOf(SMALL)].sort());
}

describe("Downloader", () => {
  it("leaves the layout that the hub's other clients read", async () => {
    await download();
    await expectWhole();
    expect(await readlink(snapshot(WEIGHTS))).toBe(join("..", "..", "..", "blobs", etagOf(LARGE)));
    expect(await readlink(snapshot("config.json"))).toBe(join("..", "..", "blobs", etagOf(SMALL)));
    expect(findFile(ARTIFACT, ARTIFACT.files[1]!, places())).toBe(snapshot(WEIGHTS));
  });

  it("survives ten cuts at random places and one changed byte", async () => {
    const cuts = Array.from({ length: 10 }, () => ({ cutAfter: Math.floor(Math.random() * 60_000) }));
    // The small file is fetched first, so the faults that follow its own clean answer meet the large one.
    hub.faults = [{ damageAt: 3 }, { cutAfter: 4 }, ...cuts.slice(0, 5), { damageAt: 1000 }, ...cuts.slice(5)];
    const told = await download();
    expect(hub.faults).toEqual([]);
    await expectWhole();
    expect(told.at(-1)).toMatchObject({
      doneBytes: LARGE.length + SMALL.length,
      totalBytes: LARGE.length + SMALL.length,
    });
    expect(told.some(({ note }) => note?.includes("damaged"))).toBe(true);
  });

  it("goes on where it was cut instead of starting again", async () => {
    hub.faults = [undefined, { cutAfter: 200_000 }];
    await download();
    const ranges = hub.requests.filter(({ host }) => host === "content").map(({ headers }) => headers.range);
    expect(ranges[0]).toBeUndefined();
    expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/);
    expect(hub.downloads.every(({ headers }) => headers["accept-encoding"] === "identity")).toBe(true);
  });

  it("takes up what an earlier process left", async () => {
    await mkdir(dirname(partial()), { recursive: true });
    await writeFile(partial(), LARGE.subarray(0, 123_456));
    const plan = await downloader().plan([ARTIFACT], AbortSignal.timeout(9999));
    expect(plan).toMatchObject({ totalBytes: LARGE.length + SMALL.length, presentBytes: 123_456 });
    await download();
    await expectWhole();
    expect(hub.downloads.at(-1)?.headers.range).toBe("bytes=123456-");
  });

  it.each([
    ["is wrong", Buffer.alloc(1000, 7)],
    ["is longer than the file", Buffer.alloc(LARGE.length + 5)],
  ])("fetches it again when what was left %s", async (_, left) => {
    await mkdir(dirname(partial()), { recursive: true });
    await writeFile(partial(), left);
    await download();
    await expectWhole();
  });

  it("starts again with a server that cannot continue", async () => {
    hub.knowsRanges = false;
    hub.faults = [undefined, { cutAfter: 100_000 }, { cutAfter: 300_000 }];
    await download();
    await expectWhole();
  });

  it("gives up when nothing more arrives, and keeps what did", async () => {
    hub.faults = [undefined, { cutAfter: 200_000 }, ...Array(7).fill({ status: 503 })];
    await expect(download()).rejects.toMatchObject({
      code: "download_failed",
      message: expect.stringContaining("503"),
    });
    expect((await lstat(partial())).size).toBeGreaterThan(0);
    await download();
    await expectWhole();
  });

  it("gives up on a file that always arrives damaged", async () => {
    hub.faults = [undefined, ...Array(3).fill({ damageAt: 5 })];
    await expect(download()).rejects.toMatchObject({
      code: "download_failed",
      message: expect.stringContaining("damaged"),
    });
    expect(existsSync(cache.blobPath(REPO, etagOf(LARGE)))).toBe(false);
  });

  it("counts a silent line as cut", async () => {
    let silent = 2; // the small file, and the first answer with the large one
    hub.beforeBytes = () => (--silent === 0 ? new Promise((resolve) => setTimeout(resolve, 1500)) : undefined);
    await download(downloader({ stallMs: 300 }));
    await expectWhole();
    expect(hub.downloads.filter(({ host }) => host === "content")).toHaveLength(2);
  });

  it("ends at once when it is given up, and goes on later", async () => {
    const controller = new AbortController();
    const one = downloader();
    const plan = await one.plan([ARTIFACT], controller.signal);
    hub.beforeBytes = () => controller.abort(new Error("given up"));
    await expect(one.run(plan, controller.signal, () => {})).rejects.toThrow("given up");
    hub.beforeBytes = undefined;
    await download();
    await expectWhole();
    expect(await readdir(join(cache.folder, ".locks", "models--owner--Model"))).toEqual([]);
  });

  it("fetches nothing that is there, and then asks nobody", async () => {
    await download();
    const requests = hub.requests.length;
    expect(await download(downloader({ offline: true }))).toEqual([]);
    expect(hub.requests).toHaveLength(requests);
  });

  it("looks into the models folder before the cache, and fetches only the rest", async () => {
    const own = join(home, "models", "Model", ...WEIGHTS.split("/"));
    await mkdir(dirname(own), { recursive: true });
    await writeFile(own, "");
    await download();
    expect(existsSync(cache.blobPath(REPO, etagOf(LARGE)))).toBe(false);
    expect(findFile(ARTIFACT, ARTIFACT.files[1]!, places())).toBe(own);
  });

  it("uses a blob that is there although no snapshot names it", async () => {
    const blob = cache.blobPath(REPO, etagOf(LARGE));
    await mkdir(dirname(blob), { recursive: true });
    await writeFile(blob, LARGE);
    await download();
    await expectWhole();
    expect(hub.downloads.some(({ host }) => host === "content")).toBe(false);
  });

  it("keeps files of an older commit in reach when a newer one comes", async () => {
    await download(downloader(), undefined, { ...ARTIFACT, files: ARTIFACT.files.slice(0, 1) });
    hub.commit = "f".repeat(40);
    await download();
    expect(findFile(ARTIFACT, ARTIFACT.files[0]!, places())).toBe(snapshot("config.json"));
    expect(findFile(ARTIFACT, ARTIFACT.files[1]!, places())).toContain("f".repeat(40));
  });

  it("takes the next repository when the first is gone or lacks a file", async () => {
    hub.repos["other/Model"] = hub.repos[REPO]!;
    delete hub.repos[REPO];
    await download();
    expect(findFile(ARTIFACT, ARTIFACT.files[0]!, places())).toContain("models--other--Model");
  });

  it("says what to do when no repository can be read", async () => {
    delete hub.repos[REPO];
    await expect(download()).rejects.toMatchObject({
      code: "download_refused",
      message: expect.stringMatching(/owner\/Model.*HF_TOKEN/),
    });
  });

  it("asks nobody when it is told to stay offline", async () => {
    await expect(download(downloader({ offline: true }))).rejects.toMatchObject({ code: "download_offline" });
    expect(hub.requests).toEqual([]);
  });

  it("fetches nothing when the disk is too full", async () => {
    const tight = downloader({ freeBytes: async () => 1e6 });
    await expect(download(tight)).rejects.toMatchObject({
      code: "disk_full",
      message: expect.stringMatching(/0\.3 GB are needed and 0\.0 GB are free.*HF_HUB_CACHE/),
    });
    expect(hub.downloads).toEqual([]);
    await download(downloader({ freeBytes: async () => undefined })); // a system that does not tell
    await expectWhole();
  });

  it("gives the token to the hub and to no other host", async () => {
    await download(downloader({ token: "hf_secret" }));
    const withToken = (host: string) =>
      hub.requests.filter((it) => it.host === host).map((it) => it.headers.authorization === "Bearer hf_secret");
    expect(new Set(withToken("hub"))).toEqual(new Set([true]));
    expect(new Set(withToken("content"))).toEqual(new Set([false]));
  });

  it("shows the licence that the hub states, else the catalogue's", async () => {
    const signal = new AbortController().signal;
    const licence = ({ repos }: DownloadPlan) => repos[0]?.licence;
    expect(licence(await downloader().plan([ARTIFACT], signal))).toBe("apache-2.0");
    hub.licence = undefined;
    expect(licence(await downloader().plan([ARTIFACT], signal))).toBe("unknown");
  });

  it("waits for another downloader of the same file, and uses what that one fetched", async () => {
    const lock = await DownloadLock.acquire(cache.lockPath(REPO, etagOf(LARGE)), { signal: AbortSignal.timeout(9999) });
    const signal = new AbortController().signal;
    const one = downloader();
    const plan = await one.plan([ARTIFACT], signal);
    await one.run(plan, signal, (progress) => {
      if (!progress.note?.includes("another download")) return;
      writeFileSync(cache.blobPath(REPO, etagOf(LARGE)), LARGE);
      void lock.release();
    });
    await expectWhole();
    expect(hub.downloads.some(({ host }) => host === "content")).toBe(false);
  });

  it("refuses an answer whose names would leave the cache", async () => {
    const evil = createServer((request, response) => {
      if (request.url?.startsWith("/api/")) {
        const siblings = ARTIFACT.files.map(({ path }) => ({ rfilename: path }));
        response.end(JSON.stringify({ sha: COMMIT, siblings }));
      } else response.writeHead(200, { etag: '"../../../evil"', "content-length": "4" }).end("evil");
    }).listen(0, "127.0.0.1");
    await once(evil, "listening");
    const { port } = evil.address() as { port: number };
    const settings = { cacheDir: cache.folder, endpoint: `http://127.0.0.1:${port}`, token: undefined, offline: false };
    await expect(download(downloader({ settings }))).rejects.toMatchObject({ code: "download_failed" });
    expect(existsSync(cache.folder)).toBe(false);
    evil.closeAllConnections();
    evil.close();
  });
});

describe("HubCache", () => {
  it("links hard or copies where the system has no symbolic links", async () => {
    const blob = cache.blobPath(REPO, "abc");
    await mkdir(dirname(blob), { recursive: true });
    await writeFile(blob, "contents");
    const noLinks: typeof symlink = () => Promise.reject(new Error("EPERM"));
    const file = await cache.place(REPO, COMMIT, "a/b.bin", "abc", noLinks);
    expect((await lstat(file)).isSymbolicLink()).toBe(false);
    expect(await readFile(file, "utf8")).toBe("contents");
    expect(cache.find(REPO, "a/b.bin")).toBe(file);
  });

  it("does not find a file whose blob is gone", async () => {
    await download();
    await rm(cache.blobPath(REPO, etagOf(LARGE)));
    expect(cache.find(REPO, WEIGHTS)).toBeUndefined();
    expect(cache.find(REPO, "config.json")).toBe(snapshot("config.json"));
    await truncate(join(cache.repoFolder(REPO), "refs", "main"), 0);
    expect(cache.find(REPO, "config.json")).toBe(snapshot("config.json"));
  });
});
