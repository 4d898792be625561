/**
 * A hub on this machine for tests: the same addresses and headers as the real
 * one, files from memory, and faults on demand. Large files are redirected to
 * a second server on another port, as the real hub does to its content network.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const SMALL_BYTES = 1000;

export type Repo = Record<string, Uint8Array>;

/** What is done to one answer with a file's bytes. */
export type Fault =
  /** The line is cut after so many bytes. */
  | { cutAfter: number }
  /** Nothing more comes after so many bytes. */
  | { stallAfter: number }
  /** The byte at this place of the answer arrives changed. */
  | { damageAt: number }
  | { status: number };

export class HubServer {
  readonly endpoint: string;
  /** By `owner/name`. */
  readonly repos: Record<string, Repo>;
  commit = COMMIT;
  licence: string | undefined = "apache-2.0";
  /** Taken one a request for a file's bytes; undefined is a clean answer. */
  faults: (Fault | undefined)[] = [];
  /** Without: ranges are ignored and everything is sent. */
  knowsRanges = true;
  /** Called before each answer with bytes. */
  beforeBytes: (() => void | Promise<void>) | undefined;
  readonly requests: { host: "hub" | "content"; method: string; url: string; headers: IncomingMessage["headers"] }[] =
    [];
  readonly #hub: Server;
  readonly #content: Server;
  #contentUrl = "";

  private constructor(repos: Record<string, Repo>, hub: Server, content: Server) {
    this.repos = repos;
    this.#hub = hub;
    this.#content = content;
    this.endpoint = urlOf(hub);
    this.#contentUrl = urlOf(content);
    hub.on("request", (request, response) => void this.#answerHub(request, response));
    content.on("request", (request, response) => void this.#answerContent(request, response));
  }

  static async start(repos: Record<string, Repo>): Promise<HubServer> {
    const servers = [createServer(), createServer()] as const;
    for (const server of servers) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
    return new HubServer(repos, ...servers);
  }

  async close(): Promise<void> {
    for (const server of [this.#hub, this.#content]) {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    }
  }

  /** Requests for bytes of files. */
  get downloads() {
    return this.requests.filter(({ method, url }) => method === "GET" && !url.startsWith("/api/"));
  }

  async #answerHub(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    this.requests.push({ host: "hub", method, url, headers });
    const api = /^\/api\/models\/([^/]+\/[^/]+)\/revision\/main$/.exec(url);
    if (api !== null) {
      const repo = this.repos[api[1]!];
      if (repo === undefined) return end(response, 401, "Repository not found");
      const siblings = Object.keys(repo).map((rfilename) => ({ rfilename }));
      const card = this.licence === undefined ? {} : { cardData: { license: this.licence } };
      return end(response, 200, JSON.stringify({ id: api[1], sha: this.commit, siblings, ...card }));
    }
    const file = /^\/([^/]+\/[^/]+)\/resolve\/([0-9a-f]{40})\/(.+)$/.exec(url);
    const bytes = file === null ? undefined : this.repos[file[1]!]?.[decodeURIComponent(file[3]!)];
    if (bytes === undefined || file![2] !== this.commit) return end(response, 404, "Entry not found");
    response.setHeader("x-repo-commit", this.commit);
    if (bytes.byteLength >= SMALL_BYTES) {
      response.setHeader("x-linked-etag", `"${etagOf(bytes)}"`);
      response.setHeader("x-linked-size", bytes.byteLength);
      response.setHeader("location", `${this.#contentUrl}${url}?signature=secret`);
      return end(response, 302, "");
    }
    response.setHeader("etag", `"${etagOf(bytes)}"`);
    if (method !== "HEAD") return this.#send(request, response, bytes);
    response.setHeader("content-length", bytes.byteLength);
    end(response, 200, "");
  }

  async #answerContent(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    this.requests.push({ host: "content", method, url, headers });
    const [, repo, path] = /^\/([^/]+\/[^/]+)\/resolve\/[0-9a-f]{40}\/(.+)\?/.exec(url)!;
    await this.#send(request, response, this.repos[repo!]![path!]!);
  }

  async #send(request: IncomingMessage, response: ServerResponse, file: Uint8Array): Promise<void> {
    await this.beforeBytes?.();
    const fault = this.faults.shift();
    if (fault !== undefined && "status" in fault) return end(response, fault.status, "");
    const range = this.knowsRanges ? /^bytes=(\d+)-$/.exec(request.headers.range ?? "") : null;
    const start = Number(range?.[1] ?? 0);
    if (start >= file.byteLength) return end(response, 416, "");
    if (range !== null) {
      response.setHeader("content-range", `bytes ${start}-${file.byteLength - 1}/${file.byteLength}`);
    }
    const part = Uint8Array.prototype.slice.call(file, start); // a copy, which a Buffer's own slice is not
    response.writeHead(range === null ? 200 : 206, { "content-length": part.byteLength });
    if (fault !== undefined && "damageAt" in fault) part[fault.damageAt]! ^= 1;
    if (fault !== undefined && "cutAfter" in fault) {
      response.write(part.subarray(0, fault.cutAfter), () => response.destroy());
    } else if (fault !== undefined && "stallAfter" in fault) response.write(part.subarray(0, fault.stallAfter));
    else response.end(part);
  }
}

/** As the hub names contents: SHA-256 of large ones, git's hash of small ones. */
export function etagOf(bytes: Uint8Array): string {
  if (bytes.byteLength >= SMALL_BYTES) return createHash("sha256").update(bytes).digest("hex");
  return createHash("sha1").update(`blob ${bytes.byteLength}\0`).update(bytes).digest("hex");
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `http://127.0.0.1:${address.port}`;
}

function end(response: ServerResponse, status: number, body: string): void {
  response.statusCode = status;
  response.end(body);
}
