/**
 * Who may do what: the operator's token opens everything, a session's token
 * that session, and without a token configured everyone may do everything.
 */
import { ApiError } from "@everframe/protocol";
import type { Context } from "hono";
import { AccessKeys } from "./access-keys.ts";
import { readCookie } from "./login-page.ts";
import { senderOf } from "./request-source.ts";

/** What a request has shown. */
export type Grant =
  /** No token is configured. */
  | "open"
  /** The operator's token, or the cookie that stands for it. */
  | "full"
  /** The token of one session. */
  | { readonly sessionId: string }
  /** Nothing, or something wrong. */
  | "none"
  | "wrong";

/** Paths that a session's own token opens; `{id}` is the session. */
const SESSION_PATHS = ["/api/v1/webrtc/offer/{id}", "/api/v1/sessions/{id}", "/api/v1/recordings/{id}"];
/** To come back the client asks these; the offer then names its session. */
const SESSION_ENTRANCES = ["POST /api/v1/webrtc/offer", "GET /api/v1/webrtc/ice-servers"];

export class Access {
  readonly #keys: AccessKeys | undefined;
  /** Requests with a session's token, for the one route that finds the session in the body. */
  readonly #bound = new WeakMap<Request, string>();

  /** Without a token access is open. Throws for one that is too short. */
  constructor(token: string | undefined) {
    this.#keys = token === undefined ? undefined : new AccessKeys(token);
  }

  get isOpen(): boolean {
    return this.#keys === undefined;
  }

  /** What a browser with the token gets; undefined when the token is wrong or none is configured. */
  cookieFor(token: string): string | undefined {
    return this.#keys?.isToken(token) === true ? this.#keys.cookie : undefined;
  }

  /** The token of a session; undefined when access is open. */
  sessionToken(sessionId: string): string | undefined {
    return this.#keys?.sessionToken(sessionId);
  }

  read(c: Context): Grant {
    const keys = this.#keys;
    if (keys === undefined) return "open";
    const bearer = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (bearer !== undefined) {
      if (keys.isToken(bearer)) return "full";
      const sessionId = keys.sessionOf(bearer);
      return sessionId === undefined ? "wrong" : { sessionId };
    }
    const cookie = readCookie(c);
    // A browser sends cookies along with what other pages make it send; those must not act in the person's name.
    if (cookie === undefined || senderOf(c).sender !== "own") return "none";
    return keys.isCookie(cookie) ? "full" : "none";
  }

  /** Throws `session_token_limited` where a session's token does not open the path. */
  limit(c: Context, sessionId: string): void {
    const { method, path } = c.req;
    const isOwn = SESSION_PATHS.map((one) => one.replace("{id}", sessionId)).some(
      (one) => path === one || path.startsWith(`${one}/`),
    );
    if (!isOwn && !SESSION_ENTRANCES.includes(`${method} ${path}`)) throw new ApiError("session_token_limited", {});
    this.#bound.set(c.req.raw, sessionId);
  }

  /** Throws `session_token_limited` when the request has the token of another session than the one it is about. */
  checkSession(c: Context, sessionId: string | null | undefined): void {
    const bound = this.#bound.get(c.req.raw);
    if (bound !== undefined && bound !== sessionId) throw new ApiError("session_token_limited", {});
  }
}
