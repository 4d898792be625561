/**
 * The hub's HTTP interface, as far as downloads need it: a repository's commit
 * and files (https://huggingface.co/docs/hub/api), a file's hash and size from
 * the headers of its `resolve` address, and its bytes from any position on.
 * Redirects are followed here, because the token must not follow them to
 * another host.
 */
import { ApiError, errorText } from "@everframe/protocol";
import { z } from "zod";
import type { HubSettings } from "./hub-settings.ts";

const MAX_REDIRECTS = 10;

/** A request that failed; `retryable` when the same request may work later. */
export class HubError extends Error {
  override readonly name = "HubError";
  readonly retryable: boolean;
  /** HTTP status; undefined when no answer came. */
  readonly status: number | undefined;
  /** What the server asks to wait. */
  readonly waitMs: number | undefined;

  constructor(message: string, options: { retryable: boolean; status?: number; waitMs?: number; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.retryable = options.retryable;
    this.status = options.status;
    this.waitMs = options.waitMs;
  }
}

export type RepoInfo = {
  /** 40 hexadecimal digits. */
  commit: string;
  /** As the repository's card states it. */
  licence: string | undefined;
  /** Paths of all files. */
  files: ReadonlySet<string>;
};

export type FileInfo = {
  /** Hash of the contents: SHA-256 of large files, git's SHA-1 of small ones. */
  etag: string;
  bytes: number;
};

const repoAnswer = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  siblings: z.array(z.object({ rfilename: z.string() })),
  cardData: z.object({ license: z.union([z.string(), z.array(z.string())]).optional() }).nullish(),
  tags: z.array(z.string()).nullish(),
});

export class HubClient {
  readonly #endpoint: string;
  readonly #token: string | undefined;
  readonly #stallMs: number;

  /**
   * `stallMs`: an answer, or a part of it, that takes longer counts as lost. Default 30 s.
   * Throws an error that names the variable when HF_ENDPOINT is no address.
   */
  constructor(settings: Pick<HubSettings, "endpoint" | "token">, stallMs = 30_000) {
    if (!/^https?:\/\//.test(settings.endpoint) || !URL.canParse(settings.endpoint)) {
      const example = "Unset it, or give one such as https://huggingface.co.";
      throw new Error(`HF_ENDPOINT is no web address: "${settings.endpoint}". ${example}`);
    }
    this.#endpoint = settings.endpoint;
    this.#token = settings.token;
    this.#stallMs = stallMs;
  }

  /** The page of a repository, for people. */
  pageOf(repo: string): string {
    return `${this.#endpoint}/${repo}`;
  }

  /** Throws `HubError` or `download_refused`. */
  async repoInfo(repo: string, revision: string, signal: AbortSignal): Promise<RepoInfo> {
    const { response } = await this.#follow(`/api/models/${repo}/revision/${revision}`, { what: repo, repo, signal });
    const text = await response.text().catch((cause: unknown) => {
      throw lost(cause, signal);
    });
    const answer = repoAnswer.safeParse(parseJson(text));
    if (!answer.success) throw new HubError(`${this.#endpoint} does not answer as a hub does`, { retryable: false });
    const { sha, siblings, cardData, tags } = answer.data;
    const licence = cardData?.license ?? tags?.find((tag) => tag.startsWith("license:"))?.slice("license:".length);
    return {
      commit: sha,
      licence: Array.isArray(licence) ? licence.join(", ") : licence,
      files: new Set(siblings.map((one) => one.rfilename)),
    };
  }

  /** Throws `HubError` or `download_refused`. */
  async fileInfo(repo: string, commit: string, path: string, signal: AbortSignal): Promise<FileInfo> {
    const { headers } = await this.#follow(resolvePath(repo, commit, path), {
      what: path,
      repo,
      signal,
      method: "HEAD",
      isEnough: (seen) => seen.has("x-linked-etag") && seen.has("x-linked-size"),
    });
    const etag = (headers.get("x-linked-etag") ?? headers.get("etag") ?? "").replace(/^W\//, "").replaceAll('"', "");
    const size = headers.get("x-linked-size") ?? headers.get("content-length") ?? "";
    // The hash becomes a file name.
    if (!/^[0-9A-Za-z_-]{1,128}$/.test(etag) || !/^\d{1,15}$/.test(size)) {
      throw new HubError(`the hub does not tell the hash and size of ${path}`, { retryable: false });
    }
    return { etag, bytes: Number(size) };
  }

  /**
   * The bytes of a file from `start` on, or all of them where the server
   * cannot continue: `from` says which.
   * Throws `HubError` (also while it is read) or `download_refused`.
   */
  async open(
    repo: string,
    commit: string,
    path: string,
    start: number,
    signal: AbortSignal,
  ): Promise<{ from: number; body: AsyncIterable<Uint8Array> }> {
    const stall = new StallTimer(this.#stallMs);
    const either = AbortSignal.any([signal, stall.signal]);
    const range = start > 0 ? { range: `bytes=${start}-` } : undefined;
    try {
      const request = { what: path, repo, signal: either, ...(range === undefined ? {} : { headers: range }) };
      const { response } = await this.#follow(resolvePath(repo, commit, path), request);
      const from =
        response.status === 206 ? Number(/^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1]) : 0;
      if (from !== 0 && from !== start) {
        await response.body?.cancel();
        throw new HubError("the server continues at another place than asked", { retryable: false });
      }
      return { from, body: readBody(response, stall, signal) };
    } catch (error) {
      stall.stop();
      throw error;
    }
  }

  /** Follows redirects; `headers` are those of all hops, the first of a name wins, but for the last hop's own. */
  async #follow(path: string, request: HubRequest): Promise<{ response: Response; headers: Headers }> {
    const home = new URL(this.#endpoint).origin;
    let url = new URL(this.#endpoint + path);
    const seen = new Headers();
    for (let hop = 0; hop < MAX_REDIRECTS; hop++) {
      const response = await this.#ask(url, url.origin === home, request);
      for (const [name, value] of response.headers) {
        if (name.startsWith("x-") && !seen.has(name)) seen.set(name, value);
      }
      const location = response.status >= 300 && response.status < 400 ? response.headers.get("location") : null;
      if (location === null) {
        for (const [name, value] of response.headers) if (!seen.has(name)) seen.set(name, value);
        await this.#check(response, request);
        return { response, headers: seen };
      }
      await response.body?.cancel();
      if (!URL.canParse(location, url.href)) break;
      if (request.isEnough?.(seen) === true) return { response, headers: seen };
      url = new URL(location, url);
    }
    throw new HubError(`the redirects of ${request.what} lead nowhere`, { retryable: false });
  }

  async #ask(url: URL, isHome: boolean, request: HubRequest): Promise<Response> {
    const timeout = AbortSignal.timeout(this.#stallMs);
    // The body of an answer has a timer of its own, so this one must not outlive the headers.
    const headersOnly = new AbortController();
    const onTimeout = () => headersOnly.abort(timeout.reason);
    timeout.addEventListener("abort", onTimeout, { once: true });
    try {
      return await fetch(url, {
        method: request.method ?? "GET",
        redirect: "manual",
        signal: AbortSignal.any([request.signal, headersOnly.signal]),
        headers: {
          "user-agent": "everframe",
          // A compressed answer could not be continued, and its length would not be the file's. With a range fetch adds this.
          ...(request.headers ?? { "accept-encoding": "identity" }),
          ...(isHome && this.#token !== undefined ? { authorization: `Bearer ${this.#token}` } : {}),
        },
      });
    } catch (cause) {
      throw lost(cause, request.signal);
    } finally {
      timeout.removeEventListener("abort", onTimeout);
    }
  }

  async #check(response: Response, { what, repo }: HubRequest): Promise<void> {
    const { status } = response;
    if (response.ok) return;
    await response.body?.cancel();
    const isGated = status === 403 || response.headers.get("x-error-code") === "GatedRepo";
    // Without a token the hub answers 401 for what does not exist, so 401 alone is not yet a refusal of this repository.
    if (isGated) throw new ApiError("download_refused", { what: repo, page: this.pageOf(repo) });
    const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
    throw new HubError(`the hub answers ${status} for ${what}`, {
      status,
      retryable: status === 408 || status === 416 || status === 429 || status >= 500,
      ...(Number.isFinite(seconds) ? { waitMs: seconds * 1000 } : {}),
    });
  }
}

type HubRequest = {
  /** For messages. */
  what: string;
  repo: string;
  signal: AbortSignal;
  method?: "HEAD";
  headers?: Record<string, string>;
  /** Whether the headers seen so far make the next redirect needless. */
  isEnough?: (seen: Headers) => boolean;
};

/** Aborts when it was not restarted for a while. */
class StallTimer {
  readonly #controller = new AbortController();
  readonly #limitMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  restart(): void {
    this.stop();
    this.#timer = setTimeout(() => this.#controller.abort(new Error("nothing came for too long")), this.#limitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

async function* readBody(response: Response, stall: StallTimer, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  try {
    stall.restart();
    for await (const part of response.body) {
      stall.stop(); // the reader may take its time
      yield part;
      stall.restart();
    }
  } catch (cause) {
    throw lost(cause, signal);
  } finally {
    stall.stop();
  }
}

/** What a broken connection is thrown as; the signal's own reason when it was the caller who ended it. */
function lost(cause: unknown, signal: AbortSignal): unknown {
  if (cause instanceof HubError || cause instanceof ApiError) return cause;
  if (signal.aborted) return signal.reason;
  // fetch says "fetch failed" and hides the reason below.
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return new HubError(`the connection was lost (${errorText(inner)})`, { retryable: true, cause });
}

function resolvePath(repo: string, commit: string, path: string): string {
  return `/${repo}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // judged by the schema
  }
}
