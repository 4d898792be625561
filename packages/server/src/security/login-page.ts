/**
 * How a person's browser shows the token: in a form, or once in the address of
 * a page. Either way it becomes a cookie at once, which scripts cannot read,
 * and leaves the address bar.
 */
import type { Context } from "hono";

export const LOGIN_PATH = "/login";
const COOKIE = "everframe_access";
const MAX_AGE_S = 30 * 24 * 3600;

/** The page that asks for the token, with status 401. */
export function loginPage(c: Context, wasWrong: boolean): Response {
  const { pathname, search } = new URL(c.req.url);
  const next =
    pathname === LOGIN_PATH ? "/" : pathname + search.replace(/([?&])token=[^&]*&?/, "$1").replace(/[?&]$/, "");
  c.header("Cache-Control", "no-store");
  const note = wasWrong ? "<p><strong>That is not the token.</strong></p>" : "";
  return c.html(
    `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Everframe</title>
<body style="font-family: system-ui; max-width: 24rem; margin: 6rem auto; padding: 0 1rem">
<h1>Everframe</h1>
<p>This server asks for its token. Whoever runs it knows it.</p>
${note}
<form method="post" action="${LOGIN_PATH}">
<input type="hidden" name="next" value="${escapeHtml(next)}">
<input type="password" name="token" autocomplete="current-password" aria-label="Token" autofocus required>
<button>Open</button>
</form>
</body></html>
`,
    401,
  );
}

/** Sends a browser with a good token on, with its cookie. `next` is a path of this server, anything else means "/". */
export function welcome(c: Context, next: string, cookie: string, isSecure: boolean): Response {
  const attributes = `Path=/; Max-Age=${MAX_AGE_S}; HttpOnly; SameSite=Lax${isSecure ? "; Secure" : ""}`;
  c.header("Set-Cookie", `${COOKIE}=${cookie}; ${attributes}`);
  c.header("Cache-Control", "no-store");
  return c.redirect(/^\/(?![/\\])/.test(next) ? next : "/", 303);
}

/** What the browser's cookie says; undefined when it has none. */
export function readCookie(c: Context): string | undefined {
  const parts = (c.req.header("cookie") ?? "").split(";").map((part) => part.trim());
  return parts.find((part) => part.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
