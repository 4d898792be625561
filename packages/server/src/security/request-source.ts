/**
 * Where a request comes from, as far as that can be known: the address of the
 * client, whether its way was encrypted, and whether a page of another site
 * made a browser send it (the Origin header, RFC 6454; Fetch Metadata, W3C).
 */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { Context } from "hono";

/** The client's address; undefined for a request that came over no socket. Behind a trusted proxy, what that says. */
export function clientAddress(c: Context, trustProxy: boolean): string | undefined {
  const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage };
  const direct = incoming?.socket.remoteAddress;
  if (!trustProxy) return direct;
  // The last entry is the one that the nearest proxy wrote; those before it are the client's own claims.
  const forwarded = c.req.header("x-forwarded-for")?.split(",").at(-1)?.trim();
  return forwarded !== undefined && isIP(forwarded) !== 0 ? forwarded : direct;
}

/** Whether the browser's side of the connection is encrypted. */
export function isEncrypted(c: Context, trustProxy: boolean): boolean {
  return trustProxy && c.req.header("x-forwarded-proto")?.split(",").at(-1)?.trim() === "https";
}

/** Name or address in the Host header, lower case and without port and brackets; "" when there is none. */
export function hostName(header: string | undefined): string {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]*))(?::\d*)?$/i.exec(header?.trim() ?? "");
  return (match?.[1] ?? match?.[2] ?? "").toLowerCase().replace(/\.$/, "");
}

export function isLoopbackName(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || /^127(\.\d+){3}$/.test(name);
}

/**
 * A name that no stranger's page can have: to reach a server by DNS rebinding
 * it needs a name in the public DNS that its author controls.
 */
export function isLocalName(name: string): boolean {
  return isIP(name) !== 0 || !name.includes(".") || name.endsWith(".local") || isLoopbackName(name);
}

export type Sender =
  /** One of the server's own pages, or no page at all: a program, or a person who typed the address. */
  | "own"
  /** A page on this very machine, of another server. */
  | "machine"
  /** A page of another site. */
  | "foreign";

/** Who made the browser send it. Programs may claim what they like; they have other ways in than a browser. */
export function senderOf(c: Context): { sender: Sender; origin: string | undefined } {
  const origin = c.req.header("origin");
  const host = c.req.header("host");
  if (origin !== undefined) {
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (url === undefined) return { sender: "foreign", origin };
    // A request without a socket has no Host header, and no rebinding either.
    if (url.host === (host ?? new URL(c.req.url).host).toLowerCase()) return { sender: "own", origin };
    return { sender: isLoopbackName(hostName(url.host)) ? "machine" : "foreign", origin };
  }
  const site = c.req.header("sec-fetch-site");
  const isForeign = site === "cross-site" || (site === "same-site" && !isLoopbackName(hostName(host)));
  return { sender: isForeign ? "foreign" : "own", origin };
}
