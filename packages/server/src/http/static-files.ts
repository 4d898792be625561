/**
 * The pages: the SDK as one file, the examples, and the studio, which is the files of its build and
 * its first page for every other path that a browser may open. When it is not
 * built a plain page says so.
 */
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { Readable } from "node:stream";
import { ApiError } from "@everframe/protocol";
import { type Context, Hono } from "hono";
import { contentTypeOf } from "./content-types.ts";
import type { AppContext } from "./context.ts";

const EXAMPLES = "/examples/";
/** For pages without a bundler: the SDK, and what an example needs beside it. */
const SCRIPTS = new Set(["/everframe.js", "/react.js"]);

const NOT_BUILT = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Everframe</title>
<body style="font-family: system-ui; max-width: 40rem; margin: 4rem auto">
<h1>Everframe is running</h1>
<p>The API is here, but its page is not built. Start the server with <code>npm start</code>, which builds it.</p>
</body></html>
`;

export function staticFiles(context: AppContext): Hono {
  return new Hono().get("*", async (c) => {
    const path = decodePath(c);
    const file = fileOf(path, context);
    const bytes = await fileSize(file);
    if (bytes !== undefined) return sendFile(c, file, bytes);
    if (extname(path) !== "") throw new ApiError("not_found", { path });
    return sendPage(c, join(context.studioFolder, "index.html"));
  });
}

function fileOf(path: string, { studioFolder, sdkFolder, examplesFolder }: AppContext): string {
  if (SCRIPTS.has(path)) return join(sdkFolder, path);
  return path.startsWith(EXAMPLES) ? join(examplesFolder, path.slice(EXAMPLES.length)) : join(studioFolder, path);
}

function decodePath(c: Context): string {
  try {
    const path = decodeURIComponent(c.req.path);
    if (!path.includes("\0") && !path.split(/[/\\]/).includes("..")) return path;
  } catch {
    // not decodable: no file can have that name
  }
  throw new ApiError("not_found", { path: c.req.path });
}

/** Bytes of a plain file; undefined for a folder and for what is not there. */
async function fileSize(path: string): Promise<number | undefined> {
  try {
    const info = await stat(path);
    return info.isFile() ? info.size : undefined;
  } catch {
    return undefined;
  }
}

function sendFile(c: Context, path: string, bytes: number): Response {
  // The build puts a hash into the names below assets/, so those never change.
  const isFixed = path.includes(`${sep}assets${sep}`);
  c.header("Content-Type", contentTypeOf(path));
  c.header("Content-Length", String(bytes));
  c.header("Cache-Control", isFixed ? "public, max-age=31536000, immutable" : "no-cache");
  if (c.req.method === "HEAD") return c.body(null);
  return c.body(Readable.toWeb(createReadStream(path)) as ReadableStream);
}

async function sendPage(c: Context, path: string): Promise<Response> {
  const page = await readFile(path, "utf8").catch(() => NOT_BUILT);
  c.header("Cache-Control", "no-cache, no-store, must-revalidate");
  return c.html(page);
}
