/**
 * Reads a JSON body of bounded size. What goes wrong is told in FastAPI's
 * words, with status 422.
 */
import { ApiError, invalidRequest } from "@everframe/protocol";
import type { HonoRequest } from "hono";

const MAX_BYTES = 1024 * 1024;

/** The body; undefined when there is none. Throws `invalid_request` or `body_too_large`. */
export async function readJson(request: HonoRequest): Promise<unknown> {
  const text = await readText(request.raw.body);
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    const position = /position (\d+)/.exec(String(error))?.[1];
    throw invalidRequest([
      { type: "json_invalid", loc: ["body", Number(position ?? 0)], msg: "JSON decode error", input: {} },
    ]);
  }
}

async function readText(body: ReadableStream<Uint8Array> | null): Promise<string> {
  if (body === null) return "";
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.byteLength;
    if (bytes > MAX_BYTES) throw new ApiError("body_too_large", { limitKib: MAX_BYTES / 1024 });
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
