// Requests to the server's API: JSON in and out, one kind of error. An answer of 400 or more becomes a ClientError with
// the server's own code and text; no answer at all becomes `unreachable`.
import type { CapacityRefusal, ErrorBody } from "@everframe/protocol";
import { ClientError, isAbort, type Queue } from "./errors.ts";

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

/** What every call takes. */
export type CallOptions = {
  /** Ends the call, which then throws `aborted`. Default: none. */
  signal?: AbortSignal | undefined;
};

type RequestOptions = CallOptions & {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  body?: BodyInit;
  /** Lets the request outlive the page. */
  keepalive?: boolean;
};

/** Speaks to one server. */
export class Api {
  readonly url: string;
  readonly #fetch: Fetch;
  readonly #token: string | undefined;

  constructor(url: string, fetch: Fetch, token?: string) {
    this.url = url.replace(/\/+$/, "");
    this.#fetch = fetch;
    this.#token = token;
  }

  /** The parsed body of an answer; undefined for an empty one (204). */
  async request<T>(path: string, options: RequestOptions = {}): Promise<T> {
    const { content: text, status } = await this.#ask(path, options, (response) => response.text());
    if (text === "") return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw ClientError.server({
        reason: "bad_response",
        message: `The server at ${this.url} answered ${path} with something that is not JSON.`,
        help: "Check that the address is the Everframe server's and no other's.",
        status,
        cause: error,
      });
    }
  }

  /** The body of an answer as it is. */
  async fetch(path: string, options: RequestOptions = {}): Promise<Blob> {
    const { content } = await this.#ask(path, options, (response) => response.blob());
    return content;
  }

  async #ask<T>(path: string, options: RequestOptions, read: (response: Response) => Promise<T>) {
    const { method = "GET", json, body, signal, keepalive = false } = options;
    const headers: Record<string, string> = {};
    if (this.#token !== undefined) headers["Authorization"] = `Bearer ${this.#token}`;
    const init: RequestInit = { method, keepalive, headers, signal: signal ?? null };
    if (json !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(json);
    } else if (body !== undefined) {
      headers["Content-Type"] = "application/octet-stream";
      init.body = body;
    }
    try {
      const response = await this.#fetch(`${this.url}${path}`, init);
      if (response.ok) return { content: await read(response), status: response.status };
      throw errorOfAnswer(response.status, await response.text(), response.headers.get("Retry-After"));
    } catch (error) {
      if (error instanceof ClientError) throw error;
      if (signal?.aborted === true || isAbort(error)) throw ClientError.aborted(error);
      throw ClientError.unreachable(this.url, error);
    }
  }
}

/** The error behind an answer of 400 or more. */
export function errorOfAnswer(status: number, text: string, retryAfter: string | null = null): ClientError {
  let body: Partial<ErrorBody> = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) body = parsed as Partial<ErrorBody>;
  } catch (cause) {
    // A proxy in between answers in HTML or with nothing; its status is all there is to say.
    return ClientError.server({
      reason: "bad_response",
      message: `The server answered with status ${status}.`,
      status,
      cause,
    });
  }
  const { detail } = body;
  const message = Array.isArray(detail)
    ? detail.map((issue) => `${issue.loc.slice(1).join(".") || "body"}: ${issue.msg}`).join("; ")
    : detail;
  return ClientError.server({
    reason: body.code ?? `http_${status}`,
    message: message || `The server answered with status ${status}.`,
    status,
    retryable: body.retryable,
    queue: queueOf(body, retryAfter),
  });
}

function queueOf(body: Partial<ErrorBody & CapacityRefusal>, retryAfter: string | null): Queue | undefined {
  if (body.code !== "too_many_sessions") return undefined;
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  return {
    position: body.queue_position ?? undefined,
    capacity: body.capacity ?? 0,
    ticket: body.ticket ?? undefined,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  };
}
