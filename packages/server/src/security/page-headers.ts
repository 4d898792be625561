/**
 * Headers that tell browsers what answers may do (CSP level 3, Fetch, W3C
 * Permissions Policy). The studio is files of its own alone; the examples are
 * whole pages with their scripts inside, written to be read.
 */
import type { MiddlewareHandler } from "hono";

/** The studio may be pointed at another server, and shows pictures that it made itself. */
const POLICY = {
  "default-src": "'self'",
  "script-src": "'self'",
  // React and the plain pages set styles on elements.
  "style-src": "'self' 'unsafe-inline'",
  "img-src": "'self' data: blob: http: https:",
  "media-src": "'self' data: blob:",
  "connect-src": "'self' http: https:",
  "object-src": "'none'",
  "base-uri": "'none'",
  "form-action": "'self'",
  "frame-ancestors": "'none'",
};

const STRICT = policyText(POLICY);
const WITH_INLINE_SCRIPTS = policyText({ ...POLICY, "script-src": "'self' 'unsafe-inline'" });

/** Pages whose scripts are inside. */
const INLINE = /^\/(examples\/|docs$)/;

export const pageHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  const { headers } = c.res;
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("Referrer-Policy", "no-referrer");
  headers.set("X-Frame-Options", "DENY");
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Permissions-Policy", "camera=(self), display-capture=(self), microphone=(), geolocation=()");
  const isPage = headers.get("Content-Type")?.startsWith("text/html") === true;
  if (isPage) headers.set("Content-Security-Policy", INLINE.test(c.req.path) ? WITH_INLINE_SCRIPTS : STRICT);
  // An uploaded file that is opened by its address is no page of this server, whatever is in it.
  else headers.set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'");
};

function policyText(policy: Record<string, string>): string {
  return Object.entries(policy)
    .map(([name, value]) => `${name} ${value}`)
    .join("; ");
}
