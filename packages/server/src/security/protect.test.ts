/** Requests of every kind against a small application behind the protection; over a socket where the address counts. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { ApiError } from "@everframe/protocol";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { afterEach, describe, expect, it } from "vitest";
import { Access } from "./access.ts";
import { type ProtectionOptions, protect } from "./protect.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const EVIL = "https://evil.example";
const disposers: (() => void)[] = [];
afterEach(() => {
  for (const dispose of disposers.splice(0)) dispose();
});

function app(options: Partial<ProtectionOptions> & { token?: string } = {}): Hono {
  const access = new Access(options.token);
  const made = new Hono();
  made.use(...protect({ access, isLocal: true, ...options }));
  made.onError((thrown, c) => {
    const error = ApiError.from(thrown);
    for (const [name, value] of Object.entries(error.headers)) c.header(name, value);
    if (error.retryAfterS !== undefined) c.header("Retry-After", String(Math.ceil(error.retryAfterS)));
    return c.json({ code: error.code, detail: error.detail }, error.status as ContentfulStatusCode);
  });
  made.post("/api/v1/webrtc/offer", async (c) => {
    const { sessionId } = (await c.req.json()) as { sessionId: string };
    access.checkSession(c, sessionId);
    return c.json({ sessionToken: access.sessionToken(sessionId) ?? null });
  });
  made.all("/api/*", (c) => c.json({ ok: true }));
  made.get("/healthz", (c) => c.json({ ok: true }));
  made.get("/metrics", (c) => c.text("1"));
  made.get("*", (c) => c.html("<p>page</p>"));
  return made;
}

const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });
const codeOf = async (response: Response | Promise<Response>) =>
  ((await (await response).json()) as { code?: string }).code ?? "none";

describe("a server without a token", () => {
  it("[SEC1] lets any page use what the guide's clients use, and its own pages everything", async () => {
    const server = app();
    for (const path of ["pipeline/load", "pipeline/status", "webrtc/ice-servers", "assets", "sessions/1/metrics"]) {
      const answer = await server.request(`/api/v1/${path}`, { method: "POST", headers: { Origin: EVIL } });
      expect([path, answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([path, 200, "*"]);
    }
    const own = { headers: { Origin: "http://localhost:8000", Host: "localhost:8000" } };
    expect((await server.request("http://localhost:8000/api/v1/logs/current", own)).status).toBe(200);
    expect((await server.request("/api/v1/logs/current")).status).toBe(200);
  });

  it("[SEC2] keeps logs, the list of sessions, pictures and files from pages of other sites", async () => {
    const server = app();
    const foreign: Record<string, string>[] = [
      { Origin: EVIL },
      { Origin: "null" },
      { "Sec-Fetch-Site": "cross-site", Host: "localhost" },
    ];
    for (const headers of foreign) {
      for (const path of [
        "/api/v1/logs/tail",
        "/api/v1/sessions",
        "/api/v1/session/frame",
        "/api/v1/assets/a.png",
        "/metrics",
      ]) {
        const answer = await server.request(path, { headers });
        expect([path, answer.status]).toEqual([path, 403]);
        expect(await codeOf(answer)).toBe("origin_not_allowed");
      }
    }
    const removal = { method: "DELETE", headers: { Origin: EVIL } };
    expect((await server.request("/api/v1/assets/a.png", removal)).status).toBe(403);
    const machine = { headers: { Origin: "http://localhost:5173" } };
    expect((await server.request("/api/v1/sessions", machine)).status).toBe(200);
  });

  it("[SEC3] opens everything to origins that are named, and nothing to others", async () => {
    const server = app({ allowOrigins: ["https://app.example"] });
    const named = await server.request("/api/v1/sessions", { headers: { Origin: "https://app.example" } });
    expect([named.status, named.headers.get("access-control-allow-origin")]).toEqual([200, "https://app.example"]);
    const other = await server.request("/api/v1/pipeline/load", { method: "POST", headers: { Origin: EVIL } });
    expect([other.status, other.headers.get("access-control-allow-origin")]).toEqual([403, null]);
    const all = app({ allowOrigins: ["*"] });
    expect((await all.request("/api/v1/sessions", { headers: { Origin: EVIL } })).status).toBe(200);
  });

  it("[SEC3] is open to its own pages alone when it is bound to more than its machine", async () => {
    const server = app({ isLocal: false });
    for (const origin of [EVIL, "http://localhost:5173"]) {
      const answer = await server.request("/api/v1/pipeline/load", { method: "POST", headers: { Origin: origin } });
      expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([403, null]);
    }
    const own = { headers: { Origin: "http://gpu-box:8000", Host: "gpu-box:8000" } };
    expect((await server.request("http://gpu-box:8000/api/v1/sessions", own)).status).toBe(200);
  });

  it("[SEC4] refuses names that the public DNS could give it, unless they are allowed", async () => {
    const server = app({ allowHosts: ["video.example"] });
    const ask = async (host: string) =>
      (await server.request("/api/v1/pipeline/status", { headers: { Host: host } })).status;
    for (const good of [
      "localhost:8000",
      "127.0.0.1",
      "[::1]:8000",
      "192.168.1.7:80",
      "gpu-box",
      "gpu.local",
      "VIDEO.example",
    ]) {
      expect([good, await ask(good)]).toEqual([good, 200]);
    }
    for (const bad of ["evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "a b.c"]) {
      expect([bad, await ask(bad)]).toEqual([bad, 403]);
    }
    const page = await server.request("/", { headers: { Host: "evil.example", Accept: "text/html" } });
    expect(await codeOf(page)).toBe("host_not_allowed");
  });
});

describe("a server with a token", () => {
  it("[SEC5] refuses everything without it but the SDK and the question whether it lives", async () => {
    const server = app({ token: TOKEN });
    for (const path of ["/api/v1/pipeline/status", "/metrics", "/health", "/"]) {
      for (const init of [{}, bearer("wrong"), bearer(`${TOKEN}x`)]) {
        const answer = await server.request(path, init);
        expect([path, answer.status]).toEqual([path, 401]);
        expect(answer.headers.get("www-authenticate")).toContain("Bearer");
        expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      }
      expect((await server.request(path, bearer(TOKEN))).status).toBe(200);
    }
    expect((await server.request("/healthz")).status).toBe(200);
    expect((await server.request("/everframe.js", { headers: { Origin: EVIL } })).status).toBe(200);
    expect((await server.request(`/api/v1/pipeline/status?token=${TOKEN}`)).status).toBe(401);
    const foreign = { headers: { Origin: EVIL, Authorization: `Bearer ${TOKEN}`, Host: "evil.example" } };
    expect((await server.request("/api/v1/sessions", foreign)).status).toBe(200);
  });

  it("[SEC6] gives each session a token that opens that session alone", async () => {
    const server = app({ token: TOKEN });
    const offer = (sessionId: string, token: string) =>
      server.request("/api/v1/webrtc/offer", { method: "POST", body: JSON.stringify({ sessionId }), ...bearer(token) });
    const { sessionToken } = (await (await offer("one", TOKEN)).json()) as { sessionToken: string };
    for (const [method, path] of [
      ["PATCH", "/api/v1/webrtc/offer/one"],
      ["DELETE", "/api/v1/webrtc/offer/one"],
      ["GET", "/api/v1/sessions/one/metrics"],
      ["POST", "/api/v1/recordings/one/start"],
      ["GET", "/api/v1/webrtc/ice-servers"],
    ] as const) {
      expect([path, (await server.request(path, { method, ...bearer(sessionToken) })).status]).toEqual([path, 200]);
    }
    for (const path of [
      "/api/v1/webrtc/offer/two",
      "/api/v1/sessions/one-more",
      "/api/v1/sessions",
      "/api/v1/session/frame",
      "/api/v1/assets",
    ]) {
      expect([path, await codeOf(server.request(path, bearer(sessionToken)))]).toEqual([path, "session_token_limited"]);
    }
    expect((await offer("one", sessionToken)).status).toBe(200);
    expect(await codeOf(offer("two", sessionToken))).toBe("session_token_limited");
    const forged = `two.${sessionToken.split(".")[1]}`;
    expect(await codeOf(server.request("/api/v1/sessions/two", bearer(forged)))).toBe("unauthorized");
  });

  it("[SEC7] takes the token from a form or a page's address, and keeps it as a cookie that scripts cannot read", async () => {
    const server = app({ token: TOKEN, trustProxy: true });
    const page = (path: string, headers: Record<string, string> = {}) =>
      server.request(path, { headers: { Accept: "text/html", "X-Forwarded-Proto": "https", ...headers } });
    const form = await page("/studio?x=%22%3E");
    expect(form.status).toBe(401);
    expect(await form.text()).toContain('value="/studio?x=%22%3E"');
    const shown = await page(`/studio?x=1&token=${TOKEN}`);
    expect([shown.status, shown.headers.get("location")]).toEqual([303, "/studio?x=1"]);
    const cookie = shown.headers.get("set-cookie")!;
    expect(cookie).toMatch(/; HttpOnly; SameSite=Lax; Secure$/);
    expect(cookie).not.toContain(TOKEN);
    const login = (token: string, next = "/") => {
      const body = new URLSearchParams({ token, next }).toString();
      const headers = { "Content-Type": "application/x-www-form-urlencoded", "Content-Length": String(body.length) };
      return server.request("/login", { method: "POST", body, headers });
    };
    expect((await login(TOKEN, "/docs")).headers.get("location")).toBe("/docs");
    expect((await login(TOKEN, "//evil.example")).headers.get("location")).toBe("/");
    expect((await login("wrong")).status).toBe(401);

    const own = { Cookie: cookie.split(";")[0]! };
    expect((await page("/", own)).status).toBe(200);
    expect((await page("/api/v1/sessions", own)).status).toBe(200);
    expect((await page("/", { Cookie: "everframe_access=forged" })).status).toBe(401);
    // A browser sends the cookie along with what another site's page asks for.
    expect((await page("/api/v1/sessions", { ...own, Origin: EVIL })).status).toBe(401);
    expect((await page("/api/v1/sessions", { ...own, "Sec-Fetch-Site": "cross-site" })).status).toBe(401);
  });

  it("[SEC8] takes no token that can be guessed", () => {
    expect(() => new Access("short")).toThrow("16 characters");
    expect(() => new Access("has a space in the middle")).toThrow("without spaces");
  });
});

describe("over a socket", () => {
  async function listen(made: Hono): Promise<string> {
    const server = createAdaptorServer({ fetch: made.fetch });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    disposers.push(() => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it("[SEC9] bounds offers, uploads and wrong tokens of one address, and says when to come back", async () => {
    const rate = { burst: 2, perMinute: 30 };
    const url = await listen(
      app({ token: TOKEN, trustProxy: true, rates: { offers: rate, uploads: rate, wrongTokens: rate } }),
    );
    const post = (path: string, token: string, address: string) =>
      fetch(url + path, {
        method: "POST",
        body: "{}",
        headers: { Authorization: `Bearer ${token}`, "X-Forwarded-For": `1.2.3.4, ${address}` },
      });
    for (const [path, token, status] of [
      ["/api/v1/webrtc/offer", TOKEN, 200],
      ["/api/v1/assets", TOKEN, 200],
      ["/api/v1/pipeline/load", "a-wrong-token-of-enough-chars", 401],
    ] as const) {
      expect((await post(path, token, "10.0.0.1")).status).toBe(status);
      expect((await post(path, token, "10.0.0.1")).status).toBe(status);
      const refused = await post(path, token, "10.0.0.1");
      expect([path, refused.status, await codeOf(refused)]).toEqual([path, 429, "too_many_requests"]);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
      expect((await post(path, token, "10.0.0.2")).status).toBe(status);
    }
    expect((await post("/api/v1/pipeline/load", TOKEN, "10.0.0.1")).status).toBe(200);
  });
});

it("[SEC10] tells browsers to run no scripts but the server's own, and uploads none at all", async () => {
  const server = app();
  const page = await server.request("/");
  expect(page.headers.get("content-security-policy")).toContain("script-src 'self';");
  expect(page.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  const data = await server.request("/api/v1/assets/a.png");
  expect(data.headers.get("content-security-policy")).toContain("sandbox");
  for (const answer of [page, data]) expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
});
