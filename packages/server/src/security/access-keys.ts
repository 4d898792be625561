/**
 * The operator's token and what is made from it: the cookie of a browser that
 * has shown it, and a token for each session. All of them are keyed hashes
 * (HMAC, RFC 2104), so none has to be stored, none tells the token, and all
 * end when the token changes. Comparisons take the same time wherever two
 * values differ.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** Shorter ones can be guessed. */
const MIN_TOKEN_CHARS = 16;

export class AccessKeys {
  readonly #token: string;
  /** What the cookie holds. */
  readonly cookie: string;

  /** Throws when the token is too short or has characters that no header can carry. */
  constructor(token: string) {
    if (token.length < MIN_TOKEN_CHARS || !/^[\x21-\x7e]+$/.test(token)) {
      throw new Error(
        `The token must have ${MIN_TOKEN_CHARS} characters or more, without spaces. Make one with: openssl rand -hex 32`,
      );
    }
    this.#token = token;
    this.cookie = this.#sign("cookie");
  }

  isToken(text: string): boolean {
    return isSame(text, this.#token);
  }

  isCookie(text: string): boolean {
    return isSame(text, this.cookie);
  }

  /** A token that is good for one session alone. */
  sessionToken(sessionId: string): string {
    return `${sessionId}.${this.#sign(`session ${sessionId}`)}`;
  }

  /** The session that a token is good for; undefined for any other text. */
  sessionOf(text: string): string | undefined {
    const dot = text.lastIndexOf(".");
    if (dot < 1) return undefined;
    const sessionId = text.slice(0, dot);
    return isSame(text, this.sessionToken(sessionId)) ? sessionId : undefined;
  }

  #sign(what: string): string {
    return createHmac("sha256", this.#token).update(`everframe ${what}`).digest("base64url");
  }
}

/** Hashes first, because the comparison itself wants equal lengths. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
