/**
 * Sends a file as HTTP wants it (RFC 9110 sections 13 and 14): an entity tag
 * and a date to ask again by, and a part of it to those who ask for one range.
 */
import { ApiError } from "@everframe/protocol";
import type { HonoRequest } from "hono";
import type { OpenFile } from "../open-file.ts";

/** The answer to a GET or HEAD of an open file, which it closes. Throws `range_not_satisfiable`. */
export async function fileAnswer(request: HonoRequest, file: OpenFile, contentType: string): Promise<Response> {
  const etag = `"${file.size.toString(16)}-${file.modifiedMs.toString(16)}"`;
  const headers = new Headers({
    ETag: etag,
    "Last-Modified": new Date(file.modifiedMs).toUTCString(),
    "Accept-Ranges": "bytes",
    "Cache-Control": "no-cache",
  });
  if (isUnchanged(request, etag, file.modifiedMs)) {
    await file.close();
    return new Response(null, { status: 304, headers });
  }
  headers.set("Content-Type", contentType);
  // A range of what has changed since is of no use to the client: it gets the whole.
  const range = isSame(request.header("If-Range"), etag, file.modifiedMs) ? request.header("Range") : undefined;
  const part = range === undefined ? undefined : parseRange(range, file.size);
  if (part === "unsatisfiable") {
    await file.close();
    const headers = { "Content-Range": `bytes */${file.size}` };
    throw new ApiError("range_not_satisfiable", { bytes: file.size }, { headers });
  }
  const { start, end } = part ?? { start: 0, end: file.size - 1 };
  headers.set("Content-Length", String(end - start + 1));
  if (part !== undefined) headers.set("Content-Range", `bytes ${start}-${end}/${file.size}`);
  const status = part === undefined ? 200 : 206;
  if (request.method === "HEAD") {
    await file.close();
    return new Response(null, { status, headers });
  }
  return new Response(file.stream(start, end), { status, headers });
}

/** One range of bytes, both ends included; undefined for what is to be ignored: other units, several ranges, nonsense. */
function parseRange(header: string, size: number): { start: number; end: number } | "unsatisfiable" | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header.trim()) ?? [];
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== "" && Number(last) < start) return undefined;
  return start >= size ? "unsatisfiable" : { start, end };
}

function isUnchanged(request: HonoRequest, etag: string, modifiedMs: number): boolean {
  const tags = request.header("If-None-Match");
  if (tags !== undefined)
    return tags.trim() === "*" || tags.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
  const since = request.header("If-Modified-Since");
  return since !== undefined && isNotAfter(modifiedMs, since);
}

/** Whether what the client has is what is here; a client that says nothing takes it as it is. */
function isSame(condition: string | undefined, etag: string, modifiedMs: number): boolean {
  if (condition === undefined) return true;
  return condition.includes('"') ? condition.trim() === etag : isNotAfter(modifiedMs, condition);
}

/** Dates in headers have whole seconds. */
function isNotAfter(modifiedMs: number, date: string): boolean {
  return Math.floor(modifiedMs / 1000) * 1000 <= Date.parse(date);
}
