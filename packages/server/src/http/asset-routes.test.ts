/** Uploads into a real folder. Large bodies are made while they are sent. */
import { spawnSync } from "node:child_process";
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

/** The beginning of a file of the format, and a text behind it. */
function image(text = ""): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(`\x89PNG\r\n\x1a\n${text}`, "latin1"));
}
function video(text = ""): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(`\0\0\0\x18ftypisom${text}`, "latin1"));
}

/** Puts a disk of 1 MiB in the place of a folder; false where the system does not let us. */
function mountSmallDisk(path: string): boolean {
  return spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path]).status === 0;
}

/** A video of `bytes`, zeros but for its beginning, that counts how much of it was read. */
function zeros(bytes: number): { stream: ReadableStream<Uint8Array>; read: () => number } {
  const part = new Uint8Array(MIB);
  let sent = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const length = Math.min(part.length, bytes - sent);
      if (length === 0) return controller.close();
      const piece = part.slice(0, length);
      if (sent === 0) piece.set(video());
      sent += length;
      controller.enqueue(piece);
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
    const content = new Uint8Array(2 * MIB).fill(7);
    content.set(image());
    const response = await upload("character.png", content);
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
    expect((await readFile(info.path)).equals(content)).toBe(true);
    expect(Math.abs(info.created_at - Date.now() / 1000)).toBeLessThan(60);
  });

  it("[AST2] replaces a file of the same name", async () => {
    await upload("a.png", image("first"));
    await upload("a.png", image("second"));
    expect(await readFile(join(folder, "a.png"), "latin1")).toMatch(/second$/);
  });

  it("[AST9] refuses content that is not what the name says, empty ones included, and leaves nothing behind", async () => {
    const cases: [string, Uint8Array<ArrayBuffer> | string | null][] = [
      ["a.png", "no image at all, whatever its name says"],
      ["a.png", "x"],
      ["a.png", null],
      ["a.png", video()],
      ["a.mp4", image()],
      ["a.jpg", "<svg xmlns='http://www.w3.org/2000/svg'/>"],
      ["a.webm", "RIFF0000WAVE"],
    ];
    for (const [name, body] of cases) {
      const response = await upload(name, body);
      expect(response.status, `${name} ${body}`).toBe(415);
      expect(await response.json()).toMatchObject({ code: "asset_content_unknown" });
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it("takes every format of its list, by its first bytes, however they are cut", async () => {
    const heads: Record<string, string> = {
      "a.png": "\x89PNG\r\n\x1a\n",
      "a.jpg": "\xff\xd8\xff\xe0",
      "b.jpeg": "\xff\xd8\xff\xe1",
      "a.webp": "RIFF\x10\0\0\0WEBPVP8 ",
      "a.bmp": "BM\x3a\0",
      "a.mp4": "\0\0\0\x20ftypmp42",
      "a.mov": "\0\0\0\x08wide",
      "a.avi": "RIFF\x10\0\0\0AVI LIST",
      "a.mkv": "\x1a\x45\xdf\xa3",
      "a.webm": "\x1a\x45\xdf\xa3",
    };
    for (const [name, head] of Object.entries(heads)) {
      const bytes = new Uint8Array(Buffer.from(`${head}rest`, "latin1"));
      const slow = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
          controller.close();
        },
      });
      expect((await upload(name, slow)).status, name).toBe(200);
      expect(new Uint8Array(await readFile(join(folder, name)))).toEqual(bytes);
    }
  });

  it("[AST6] makes the folders of a name", async () => {
    const info = (await (await upload("sub/deep/clip.WebM", video())).json()) as AssetInfo;
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
    await upload("a.png", image("whole"));
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
    expect(await readFile(join(folder, "a.png"), "latin1")).toMatch(/whole$/);
  });

  it("[AST15] answers 507 when the disk is full, leaves nothing behind and what was there", async ({ skip }) => {
    await mkdir(folder);
    if (!mountSmallDisk(folder)) skip("a small disk can be mounted by root alone");
    try {
      await upload("a.mp4", video("before"));
      const response = await upload("a.mp4", zeros(3 * MIB).stream);
      const { code, detail } = (await response.json()) as ErrorBody;
      expect([response.status, code]).toEqual([507, "disk_full"]);
      expect(detail).toMatch(/ 0\.05 GB are needed\. Make room, or set DAYDREAM_SCOPE_ASSETS_DIR to /);
      expect(await readdir(folder)).toEqual(["a.mp4"]);
      expect(await readFile(join(folder, "a.mp4"), "latin1")).toContain("before");
    } finally {
      spawnSync("umount", [folder]);
    }
  });

  it("says which folder cannot be used, and how to name another", async () => {
    await writeFile(folder, "no folder");
    const response = await upload("a.png", image("x"));
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({
      code: "folder_unusable",
      detail: expect.stringContaining("set DAYDREAM_SCOPE_ASSETS_DIR to another folder"),
    });
  });

  it("[AST5] refuses a name below another file's", async () => {
    await upload("a.png", image("x"));
    const response = await upload("a.png/b.png", image("y"));
    expect([response.status, ((await response.json()) as ErrorBody).code]).toEqual([400, "asset_name_invalid"]);
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
    expect((await upload("link/a.png", image())).status).toBe(400);
    expect(await readdir(join(home, "elsewhere"))).toEqual([]);
  });

  it("refuses a name that is already a folder", async () => {
    await mkdir(join(folder, "a.png"), { recursive: true });
    expect((await upload("a.png", image())).status).toBe(400);
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
    for (const name of ["a.PNG", "b.jpeg"]) await upload(name, image());
    await upload("c.MP4", video());
    await writeFile(join(folder, "notes.txt"), "x");
    await writeFile(join(folder, ".hidden.png"), "x");
    expect((await list("?type=image")).map((one) => one.name).sort()).toEqual(["a", "b"]);
    expect((await list("?type=video")).map((one) => one.name)).toEqual(["c"]);
    expect(await list()).toHaveLength(3);
    expect((await server.app.request("/api/v1/assets?type=audio")).status).toBe(422);
  });

  it("[AST7] leaves out what is removed while it lists", async () => {
    await mkdir(folder);
    const paths = Array.from({ length: 100 }, (_, i) => join(folder, `${i}.png`));
    await Promise.all(paths.map((path) => writeFile(path, "x")));
    for (const path of paths) {
      const listed = server.app.request("/api/v1/assets");
      await new Promise((resolve) => setImmediate(resolve)); // it reads the folder
      await rm(path);
      expect((await listed).status).toBe(200);
    }
  });

  it("[AST7] lists the newest first, also from folders", async () => {
    await upload("old.png", image());
    await new Promise((resolve) => setTimeout(resolve, 20));
    await upload("sub/new.png", image());
    await utimes(join(folder, "sub/new.png"), 0, 0); // the time it was written says nothing of when it came
    expect((await list()).map((one) => one.name)).toEqual(["new", "old"]);
  });
});

describe("GET and DELETE /api/v1/assets/{path}", () => {
  const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    server.app.request(`/api/v1/assets/${path}`, { method, headers });

  it("[AST10] gives an upload back by its name and by the path of its listing, with its type", async () => {
    const { path } = (await (await upload("sub/a.png", image("picture"))).json()) as AssetInfo;
    for (const name of ["sub/a.png", "sub/a", encodeURIComponent(path), path]) {
      const response = await get(name);
      expect(response.status, name).toBe(200);
      expect(Buffer.from(await response.arrayBuffer()).toString("latin1")).toMatch(/picture$/);
      expect(response.headers.get("content-type")).toBe("image/png");
      expect(response.headers.get("content-length")).toBe("15");
    }
    const head = await get("sub/a.png", {}, "HEAD");
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "15", ""]);
  });

  it("[AST11] gives one range, at the beginning, the end or between, and 416 for one outside", async () => {
    await upload("a.png", image("0123456789"));
    const cases: [string, string, string][] = [
      ["bytes=8-11", "0123", "bytes 8-11/18"],
      ["bytes=16-", "89", "bytes 16-17/18"],
      ["bytes=-3", "789", "bytes 15-17/18"],
      ["bytes=16-99", "89", "bytes 16-17/18"],
    ];
    for (const [range, text, contentRange] of cases) {
      const response = await get("a.png", { range });
      expect([response.status, await response.text()], range).toEqual([206, text]);
      expect(response.headers.get("content-range")).toBe(contentRange);
    }
    for (const range of ["bytes=18-", "bytes=-0"]) {
      const response = await get("a.png", { range });
      expect([response.status, response.headers.get("content-range")], range).toEqual([416, "bytes */18"]);
      expect(await response.json()).toMatchObject({ code: "range_not_satisfiable" });
    }
    for (const range of ["bytes=5-2", "lines=1-2", "bytes=0-1,3-4", "bytes=x"]) {
      expect((await get("a.png", { range })).status, range).toBe(200);
    }
  });

  it("[AST12] answers 304 to one who has it, and the whole file for a range of an older one", async () => {
    await upload("a.png", image("first"));
    const first = await get("a.png");
    const etag = first.headers.get("etag")!;
    const date = first.headers.get("last-modified")!;
    for (const headers of [
      { "if-none-match": etag },
      { "if-none-match": `"x", W/${etag}` },
      { "if-modified-since": date },
    ]) {
      const response = await get("a.png", headers as Record<string, string>);
      expect([response.status, await response.text()]).toEqual([304, ""]);
    }
    await upload("a.png", image("second, longer"));
    expect((await get("a.png", { "if-none-match": etag })).status).toBe(200);
    const resumed = await get("a.png", { range: "bytes=10-", "if-range": etag });
    expect([resumed.status, resumed.headers.get("content-length")]).toEqual([200, "22"]);
  });

  it("[AST13] answers 404 for what is not there, and 403 for what is elsewhere", async () => {
    await upload("a.png", image());
    await writeFile(join(folder, "notes.txt"), "x");
    await writeFile(join(folder, ".upload-1.png"), "x");
    await writeFile(join(home, "secret.png"), "x");
    await mkdir(`${folder}-old`);
    await writeFile(join(`${folder}-old`, "a.png"), "x");
    for (const path of ["b.png", "sub/a.png", "notes.txt", ".upload-1.png", "a.png/b.png"]) {
      const response = await get(path);
      expect(response.status, path).toBe(404);
      expect(await response.json()).toMatchObject({ code: "asset_not_found" });
    }
    for (const path of ["..%2fsecret.png", "%2fetc%2fpasswd", encodeURIComponent(join(`${folder}-old`, "a.png"))]) {
      for (const method of ["GET", "DELETE"]) {
        const response = await get(path, {}, method);
        expect(response.status, path).toBe(403);
        expect(((await response.json()) as ErrorBody).detail).toMatch(/^Invalid path/);
      }
    }
    expect(await readFile(join(home, "secret.png"), "utf8")).toBe("x");
  });

  it("says that a file cannot be removed where that is not allowed", async ({ skip }) => {
    await mkdir(folder);
    if (!mountSmallDisk(folder)) skip("a small disk can be mounted by root alone");
    try {
      await upload("a.png", image());
      spawnSync("mount", ["-o", "remount,ro", folder]);
      const response = await get("a.png", {}, "DELETE");
      expect([response.status, ((await response.json()) as ErrorBody).code]).toEqual([500, "folder_unusable"]);
      const refused = await upload("b.png", image());
      expect([refused.status, ((await refused.json()) as ErrorBody).code]).toEqual([500, "folder_unusable"]);
    } finally {
      spawnSync("umount", [folder]);
    }
  });

  it("[AST14] removes a file once", async () => {
    await upload("sub/a.png", image());
    expect((await get("sub/a.png", {}, "DELETE")).status).toBe(204);
    expect(await list()).toEqual([]);
    expect((await get("sub/a.png", {}, "DELETE")).status).toBe(404);
    expect((await get("sub", {}, "DELETE")).status).toBe(404);
  });
});
