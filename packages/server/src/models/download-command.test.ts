import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { etagOf, HubServer, type Repo } from "../testing/hub-server.ts";
import { until } from "../testing/test-client.ts";
import { incompletePath } from "./blob-download.ts";
import { byteText, durationText } from "./byte-text.ts";
import { runDownloadCommand } from "./download-command.ts";
import { HubCache } from "./hub-cache.ts";
import { artifactsOf } from "./model-catalogue.ts";
import { ProgressBar, progressText } from "./progress-bar.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

class Output {
  text = "";
  readonly isTTY: boolean;
  readonly columns = 100;
  constructor(isTTY = false) {
    this.isTTY = isTTY;
  }
  write(text: string): void {
    this.text += text;
  }
}

describe("the command download", () => {
  let home: string;
  let hub: HubServer;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "everframe-"));
    const repos: Record<string, Repo> = {};
    for (const { repos: names, files } of artifactsOf("all")) {
      repos[names[0]] = Object.fromEntries(files.map(({ path }) => [path, Buffer.alloc(2000, path)]));
    }
    hub = await HubServer.start(repos);
  });
  afterEach(async () => {
    await hub.close();
    await rm(home, { recursive: true, force: true });
  });

  async function run(args: string[], { env = {}, signal }: { env?: object; signal?: AbortSignal } = {}) {
    const stdout = new Output();
    const stderr = new Output();
    const code = await runDownloadCommand(args, {
      env: { HF_HOME: home, HF_ENDPOINT: hub.endpoint, DAYDREAM_SCOPE_MODELS_DIR: join(home, "models"), ...env },
      stdout,
      stderr,
      signal: signal ?? new AbortController().signal,
    });
    return { code, out: stdout.text, err: stderr.text };
  }

  it("shows files, licence and room, and fetches; the second time everything is there", async () => {
    const first = await run(["vae"]);
    expect(first.code, first.err).toBe(0);
    expect(first.out).toMatch(
      /daydreamlive\/Autoencoders\n {4}licence: apache-2\.0; http\S+\/daydreamlive\/Autoencoders\n/,
    );
    expect(first.out).toContain("2.0 kB  lightvaew2_1.pth (autoencoder, vae_type lightvae)");
    expect(first.out).toMatch(new RegExp(`To fetch: 8\\.0 kB into ${join(home, "hub")}; free there: [\\d.]+ [GT]B`));
    expect(first.out).toMatch(/Done/);
    expect(first.err).toContain("100.0 %  8.0 kB of 8.0 kB");
    expect(await run(["vae"], { env: { HF_HUB_OFFLINE: "1" } })).toMatchObject({ code: 0, err: "" });
    const rest = await run([]);
    expect(rest.out).toContain("longlive_base.pt");
    expect(rest.out).not.toContain("taew2_1.pth");
  });

  it("ends with code 1 and one line when it cannot", async () => {
    expect(await run(["tiny"])).toMatchObject({ code: 1, err: expect.stringContaining("longlive, vae, all") });
    expect(await run(["--nope"])).toMatchObject({ code: 1, err: expect.stringContaining("--nope") });
    const offline = await run(["vae"], { env: { HF_HUB_OFFLINE: "1" } });
    expect(offline).toMatchObject({ code: 1, err: expect.stringMatching(/^[^\n]*HF_HUB_OFFLINE is set[^\n]*\n$/) });
    const nowhere = await run(["vae"], { env: { HF_ENDPOINT: "nowhere" } });
    expect(nowhere).toMatchObject({ code: 1, err: expect.stringContaining("HF_ENDPOINT") });
    expect(hub.requests).toEqual([]);
  });

  it("goes on after its process was killed, over a line that is cut and damages", async () => {
    const large = randomBytes(600_000);
    const repo = hub.repos["daydreamlive/LongLive-1.3B"]!;
    repo["models/longlive_base.pt"] = large;
    const start = () => {
      const env = { ...process.env, HF_HOME: home, HF_ENDPOINT: hub.endpoint, DAYDREAM_SCOPE_MODELS_DIR: home };
      const child = spawn(process.execPath, ["--import", "tsx", MAIN, "download"], { env, stdio: "ignore" });
      return { child, exit: once(child, "exit") };
    };
    const cache = new HubCache(join(home, "hub"));
    const blob = cache.blobPath("daydreamlive/LongLive-1.3B", etagOf(large));
    // The sixth file is the large one: it stops after a third, and the process is killed while it waits for more.
    hub.faults = [...Array(5).fill(undefined), { stallAfter: 200_000 }];
    const first = start();
    await until(
      () => existsSync(incompletePath(blob)) && statSync(incompletePath(blob)).size > 0,
      "the first bytes",
      60_000,
    );
    first.child.kill("SIGKILL");
    await first.exit;
    const left = statSync(incompletePath(blob)).size;
    hub.faults = [{ cutAfter: 150_000 }, { damageAt: 10 }];
    const second = start();
    expect(await second.exit).toEqual([0, null]);
    expect((await readFile(cache.find("daydreamlive/LongLive-1.3B", "models/longlive_base.pt")!)).equals(large)).toBe(
      true,
    );
    const ranges = hub.downloads
      .filter(({ url }) => url.includes("longlive_base.pt?"))
      .map(({ headers }) => headers.range);
    expect(ranges[1]).toBe(`bytes=${left}-`);
  });

  it("says how to go on after Ctrl+C", async () => {
    const controller = new AbortController();
    hub.beforeBytes = () => controller.abort();
    const stopped = await run(["vae"], { signal: controller.signal });
    expect(stopped).toMatchObject({ code: 130, err: expect.stringContaining("goes on from here") });
  });

  it("shows its options", async () => {
    expect((await run(["--help"])).out).toContain("--models-dir");
  });
});

describe("ProgressBar", () => {
  const step = { artifact: "Model", file: "a.pt", totalBytes: 20e9 };

  it("draws over one line on a terminal, with rate and time left, and keeps notes", () => {
    const output = new Output(true);
    let ms = 0;
    const bar = new ProgressBar(output, () => ms);
    bar.update({ ...step, doneBytes: 0 });
    ms = 50; // too soon to draw again
    bar.update({ ...step, doneBytes: 1e9 });
    ms = 2000;
    bar.update({ ...step, doneBytes: 10e9, note: "cut" });
    ms = 2010;
    bar.update({ ...step, doneBytes: 10e9, note: "cut" });
    bar.end();
    const [first, note, second, ...more] = output.text
      .split(/\r|\n/)
      .map((line) => line.replace("\u001b[K", ""))
      .filter((line) => line !== "");
    expect(first).toMatch(/^\[\.+\] 0\.0 %/);
    expect(note).toBe("  cut");
    expect(second).toBe("[############............] 50.0 %  10.0 GB of 20.0 GB  5.0 GB/s  2 s left  Model/a.pt");
    expect(more).toEqual([]);
  });

  it("writes whole lines, and few, where there is no terminal", () => {
    const output = new Output();
    let ms = 0;
    const bar = new ProgressBar(output, () => ms);
    for (; ms < 20_000; ms += 100) bar.update({ ...step, doneBytes: ms * 1e5 });
    bar.end();
    expect(output.text.match(/\n/g)).toHaveLength(2);
    expect(output.text).not.toContain("\r");
  });

  it("has a line without a rate, and for nothing at all", () => {
    expect(progressText({ ...step, doneBytes: 19.9999e9 }, undefined)).toMatch(
      /99\.9 %.*20\.0 GB of 20\.0 GB {2}Model/,
    );
    expect(progressText({ ...step, doneBytes: 0, totalBytes: 0 }, 0)).toContain("100.0 %");
  });
});

describe("amounts", () => {
  it("are written as people read them", () => {
    expect([0, 250, 999.6, 1000, 17.04e6, 508e6, 6.73e9, 2e15].map(byteText)).toEqual([
      "0 B",
      "250 B",
      "1.0 kB",
      "1.0 kB",
      "17.0 MB",
      "508 MB",
      "6.7 GB",
      "2000 TB",
    ]);
    expect([0.2, 89, 90, 3600, 7500].map(durationText)).toEqual(["1 s", "89 s", "2 min", "60 min", "2 h 5 min"]);
  });
});
