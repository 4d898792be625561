/** Uploads into a real folder. Large bodies are made while they are sent. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AssetInfo, AssetList, ErrorBody } from "@everframe/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createServer, type EverframeServer } from "../index.ts";
import { createLogger } from "../logger.ts";

const MIB = 1024 * 1024;
let home: string;
let folder: string;
let server: EverframeServer;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "everframe-"));
  folder = join(home, "assets");
  server = createServer({ modelsDir: join(home, "models"), log: createLogger("silent") });
});
afterEach(async () => {
  await server.close();
  await rm(home, { recursive: true, force: true });
});

function upload(
  filename: string,
  body: string | Uint8Array | ReadableStream | null,
  headers: Record<string, string> = {},
) {
  const query = new URLSearchParams({ filename });
  // "half" is what fetch asks for with a body that is a stream
  const init = { method: "POST", body, headers, duplex: "half" };
  return server.app.request(`/api/v1/assets?${query}`, init as RequestInit);
}

/** A body of `bytes` zeros that counts how much of it was read. */
function zeros(bytes: number): { stream: ReadableStream<Uint8Array>; read: () => number } {
  const part = new Uint8Array(MIB);
  let sent = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const length = Math.min(part.length, bytes - sent);
      if (length === 0) return controller.close();
      sent += length;
      controller.enqueue(part.subarray(0, length));
    },
  });
  return { stream, read: () => sent };
}

async function list(query = ""): Promise<AssetInfo[]> {
  return ((await (await server.app.request(`/api/v1/assets${query}`)).json()) as AssetList).assets;
}

async function everything(): Promise<string[]> {
  return (await readdir(home, { recursive: true })).sort();
}

describe("POST /api/v1/assets", () => {
  it("[AST1] writes the file and answers with where it is", async () => {
    const response = await upload("character.png", new Uint8Array(2 * MIB).fill(7));
    expect(response.status).toBe(200);
    const info = (await response.json()) as AssetInfo;
    expect(info).toEqual({
      name: "character",
      path: join(folder, "character.png"),
      size_mb: 2,
      folder: null,
      type: "image",
      created_at: expect.any(Number),
    });
    expect((await readFile(info.path)).equals(Buffer.alloc(2 * MIB, 7))).toBe(true);
    expect(Math.abs(info.created_at - Date.now() / 1000)).toBeLessThan(60);
  });

  it("[AST2] replaces a file of the same name, and takes an empty body", async () => {
    await upload("a.png", "first");
    await upload("a.png", "second");
    expect(await readFile(join(folder, "a.png"), "utf8")).toBe("second");
    expect((await upload("b.png", null)).status).toBe(200);
  });

  it("[AST6] makes the folders of a name", async () => {
    const info = (await (await upload("sub/deep/clip.WebM", "x")).json()) as AssetInfo;
    expect(info).toMatchObject({ name: "clip", folder: "sub/deep", type: "video" });
  });

  it("[AST3] takes exactly 50 MiB", async () => {
    const response = await upload("large.mp4", zeros(50 * MIB).stream);
    expect(response.status).toBe(200);
    expect((await stat(join(folder, "large.mp4"))).size).toBe(50 * MIB);
  });

  it("[AST3] stops reading beyond 50 MiB and leaves nothing behind", async () => {
    const { stream, read } = zeros(200 * MIB);
    const response = await upload("large.mp4", stream);
    expect(response.status).toBe(413);
    expect(((await response.json()) as ErrorBody).detail).toContain("50 MB");
    expect(read()).toBeLessThan(60 * MIB);
    expect(await readdir(folder)).toEqual([]);
  });

  it("[AST3] refuses a length beyond 50 MiB without reading", async () => {
    const { stream, read } = zeros(200 * MIB);
    const response = await upload("large.mp4", stream, { "content-length": String(200 * MIB) });
    expect(response.status).toBe(413);
    expect(read()).toBeLessThanOrEqual(2 * MIB);
  });

  it("[AST2] keeps the old file when an upload breaks off", async () => {
    await upload("a.png", "whole");
    const broken = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new Uint8Array(10));
      },
      pull(controller) {
        controller.error(new Error("connection lost"));
      },
    });
    expect((await upload("a.png", broken)).status).toBe(500);
    expect(await readdir(folder)).toEqual(["a.png"]);
    expect(await readFile(join(folder, "a.png"), "utf8")).toBe("whole");
  });

  it("[AST4] refuses other types", async () => {
    for (const name of ["a.txt", "a", "png", "a.png.exe", "a.svg"]) {
      const response = await upload(name, "x");
      expect(response.status, name).toBe(415);
      expect(((await response.json()) as ErrorBody).detail).toContain(".webm");
    }
  });

  it("[AST5] refuses names that lead out of the folder, and writes nothing", async () => {
    const names = [
      "../evil.png",
      "sub/../../evil.png",
      "/tmp/evil.png",
      "C:\\evil.png",
      "..\\evil.png",
      "a\0.png",
      "a//b.png",
      "./a.png",
      ".png",
      "",
      `${"x".repeat(300)}.png`,
    ];
    for (const name of names) {
      const response = await upload(name, "x");
      expect(response.status, JSON.stringify(name)).toBe(400);
      expect(await response.json()).toMatchObject({ code: "asset_name_invalid" });
    }
    expect(await everything()).toEqual([]);
  });

  it("[AST5] refuses a folder that is a link to elsewhere", async () => {
    await mkdir(folder);
    await mkdir(join(home, "elsewhere"));
    await symlink(join(home, "elsewhere"), join(folder, "link"));
    expect((await upload("link/a.png", "x")).status).toBe(400);
    expect(await readdir(join(home, "elsewhere"))).toEqual([]);
  });

  it("refuses a name that is already a folder", async () => {
    await mkdir(join(folder, "a.png"), { recursive: true });
    expect((await upload("a.png", "x")).status).toBe(400);
    expect(await readdir(folder)).toEqual(["a.png"]);
  });

  it("[AST8] asks for a name when there is none", async () => {
    const response = await server.app.request("/api/v1/assets", { method: "POST", body: "x" });
    expect(response.status).toBe(422);
    expect(((await response.json()) as ErrorBody).detail).toContainEqual(
      expect.objectContaining({ type: "missing", loc: ["query", "filename"] }),
    );
  });
});

describe("GET /api/v1/assets", () => {
  it("is empty without a folder", async () => {
    expect(await list()).toEqual([]);
  });

  it("[AST7] lists by type, whatever the case of the extension, and leaves the rest out", async () => {
    for (const name of ["a.PNG", "b.jpeg", "c.MP4"]) await upload(name, "x");
    await writeFile(join(folder, "notes.txt"), "x");
    await writeFile(join(folder, ".hidden.png"), "x");
    expect((await list("?type=image")).map((one) => one.name).sort()).toEqual(["a", "b"]);
    expect((await list("?type=video")).map((one) => one.name)).toEqual(["c"]);
    expect(await list()).toHaveLength(3);
    expect((await server.app.request("/api/v1/assets?type=audio")).status).toBe(422);
  });

  it("[AST7] lists the newest first, also from folders", async () => {
    await upload("old.png", "x");
    await new Promise((resolve) => setTimeout(resolve, 20));
    await upload("sub/new.png", "x");
    await utimes(join(folder, "sub/new.png"), 0, 0); // the time it was written says nothing of when it came
    expect((await list()).map((one) => one.name)).toEqual(["new", "old"]);
  });
});
