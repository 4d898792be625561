/**
 * What every request passes before its route: headers for browsers, the rules
 * for other sites' pages (CORS, Fetch; DNS rebinding), the token, and the
 * bounds on how often one address may ask. docs/SECURITY.md says why each is
 * as it is.
 */
import { ApiError } from "@everframe/protocol";
import type { Context, MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { Access } from "./access.ts";
import { LOGIN_PATH, loginPage, welcome } from "./login-page.ts";
import { pageHeaders } from "./page-headers.ts";
import { type Rate, RateLimiter } from "./rate-limiter.ts";
import { clientAddress, hostName, isEncrypted, isLocalName, senderOf } from "./request-source.ts";

export type ProtectionOptions = {
  access: Access;
  /** Whether the server is bound to its own machine. */
  isLocal: boolean;
  /** Sites whose pages may use everything, as "https://host"; "*" means all. Undefined: see `isOpenTo`. */
  allowOrigins?: readonly string[];
  /** Names in the Host header that are right beside the local ones. */
  allowHosts?: readonly string[];
  /** Whether to believe the last entry of X-Forwarded-For, and X-Forwarded-Proto. */
  trustProxy?: boolean;
  rates?: Partial<Rates>;
};

export type Rates = { offers: Rate; uploads: Rate; wrongTokens: Rate };

const RATES: Rates = {
  offers: { burst: 60, perMinute: 120 },
  uploads: { burst: 60, perMinute: 60 },
  wrongTokens: { burst: 10, perMinute: 10 },
};

/** What the guide's clients use, and sessions by an id that only their own clients know. */
const GUIDE_PATHS =
  /^\/(healthz?|api\/v1\/(pipeline\/(load|status)|pipelines\/schemas|webrtc\/.+|assets|models\/.+|(sessions|recordings)\/[^/]+.*))$/;
/** For what watches the process, and for pages elsewhere that import the SDK: neither says anything of this server. */
const FREE_PATHS = new Set(["/healthz", "/everframe.js", LOGIN_PATH]);
const EXPOSED_HEADERS = ["Retry-After", "Content-Disposition", "Content-Range", "ETag", "WWW-Authenticate"];
const MAX_FORM_BYTES = 8192;

/** In the order in which requests pass them. */
export function protect(options: ProtectionOptions): MiddlewareHandler[] {
  const { access, allowOrigins, trustProxy = false } = options;
  const rates = { ...RATES, ...options.rates };
  const limiters = {
    offers: new RateLimiter(rates.offers),
    uploads: new RateLimiter(rates.uploads),
    wrongTokens: new RateLimiter(rates.wrongTokens),
  };
  const take = (c: Context, what: keyof Rates) => {
    const address = clientAddress(c, trustProxy);
    const waitS = address === undefined ? undefined : limiters[what].take(address);
    if (waitS !== undefined) throw new ApiError("too_many_requests", {}, { retryAfterS: waitS });
  };

  const guard: MiddlewareHandler = async (c, next) => {
    const { path } = c.req;
    if (access.isOpen) checkHost(c, options.allowHosts ?? []);
    else if (path === LOGIN_PATH) return login(c);
    const grant = access.read(c);
    if (grant === "none" || grant === "wrong") {
      if (isPageRequest(c)) return showToken(c);
      if (!FREE_PATHS.has(path)) {
        if (grant === "wrong") take(c, "wrongTokens");
        throw new ApiError("unauthorized", {}, { headers: { "WWW-Authenticate": 'Bearer realm="everframe"' } });
      }
    }
    if (typeof grant === "object") access.limit(c, grant.sessionId);
    if (grant === "open" && !isOpenTo(c, options)) {
      throw new ApiError("origin_not_allowed", { origin: senderOf(c).origin ?? "another site" });
    }
    if (c.req.method === "POST" && path === "/api/v1/webrtc/offer") take(c, "offers");
    if (c.req.method === "POST" && path === "/api/v1/assets") take(c, "uploads");
    return next();
  };

  /** The token in the address of a page, once; else the form. */
  function showToken(c: Context): Response {
    const token = c.req.query("token");
    const cookie = token === undefined ? undefined : tryToken(c, token);
    if (cookie === undefined) return loginPage(c, token !== undefined);
    const url = new URL(c.req.url);
    url.searchParams.delete("token");
    return welcome(c, url.pathname + url.search, cookie, isEncrypted(c, trustProxy));
  }

  async function login(c: Context): Promise<Response> {
    if (c.req.method !== "POST") return loginPage(c, false);
    const form = new URLSearchParams(await readForm(c));
    const cookie = tryToken(c, form.get("token") ?? "");
    if (cookie === undefined) return loginPage(c, true);
    return welcome(c, form.get("next") ?? "/", cookie, isEncrypted(c, trustProxy));
  }

  function tryToken(c: Context, token: string): string | undefined {
    const cookie = access.cookieFor(token);
    if (cookie === undefined) take(c, "wrongTokens");
    return cookie;
  }

  // A token travels in a header that only its owner's code sets, so with one any origin is as good as another.
  const isAnyOrigin = allowOrigins === undefined ? options.isLocal || !access.isOpen : allowOrigins.includes("*");
  const isNamed = (c: Context, origin: string) =>
    allowOrigins?.includes(origin) === true || (options.isLocal && senderOf(c).sender === "machine");
  return [
    pageHeaders,
    cors({
      origin: (origin, c) => (isAnyOrigin ? "*" : isNamed(c, origin) ? origin : ""),
      exposeHeaders: EXPOSED_HEADERS,
      maxAge: 600,
    }),
    guard,
  ];
}

/**
 * Whether the page that a request comes from may use the path. Without a token
 * and without named origins, a server of this machine alone is open to any
 * page in what the guide's clients use, and a server for others to its own
 * pages alone.
 */
function isOpenTo(c: Context, { isLocal, allowOrigins }: ProtectionOptions): boolean {
  const { sender, origin } = senderOf(c);
  if (sender === "own" || (sender === "machine" && isLocal)) return true;
  if (allowOrigins !== undefined) {
    return allowOrigins.includes("*") || (origin !== undefined && allowOrigins.includes(origin));
  }
  const isData = /^\/(api\/|metrics$|health|readyz$)/.test(c.req.path);
  return !isData || (isLocal && GUIDE_PATHS.test(c.req.path) && !isRemoval(c));
}

/** The guide's clients remove nothing but their own sessions. */
function isRemoval(c: Context): boolean {
  return c.req.method === "DELETE" && !c.req.path.startsWith("/api/v1/webrtc/");
}

/** A page of a stranger's site that points its name at this machine would pass for one of the server's own. */
function checkHost(c: Context, allowHosts: readonly string[]): void {
  const header = c.req.header("host");
  const name = hostName(header);
  if (header === undefined || isLocalName(name) || allowHosts.includes(name)) return;
  throw new ApiError("host_not_allowed", { host: name });
}

/** A browser that opens a page, which can show a form. */
function isPageRequest(c: Context): boolean {
  const { method, path } = c.req;
  if (method !== "GET" || path.startsWith("/api/") || FREE_PATHS.has(path)) return false;
  return c.req.header("accept")?.includes("text/html") === true;
}

async function readForm(c: Context): Promise<string> {
  const declared = Number(c.req.header("content-length") ?? Number.NaN);
  if (!(declared <= MAX_FORM_BYTES)) throw new ApiError("body_too_large", { limitKib: MAX_FORM_BYTES / 1024 });
  return c.req.text();
}
