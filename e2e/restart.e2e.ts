// The server's process dies under its supervisor, and a page that streams by the SDK goes on without anybody's doing.
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { launchBrowser, openGuidePage } from "./harness/browser.ts";
import { type RunningServer, startServer } from "./harness/server.ts";

type SdkWindow = {
  Sdk: typeof import("../packages/client/src/index.ts");
  Scene: { stream(): MediaStream };
  seen: { frames: number; states: string[]; id: () => string };
};

/** The promise is 10 s; a machine with other work takes its time. */
const PATIENCE_MS = 60_000;

let browser: Browser;
let server: RunningServer;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
// Each has its own: a server that dies twice within a minute gives its pipeline up.
beforeEach(async () => {
  server = await startServer();
}, 120_000);
afterEach(() => server.stop());

/** Streams the test scene by the SDK as the server gives it out, and counts the pictures that a person would see. */
async function startSdk(page: Page): Promise<void> {
  await page.addScriptTag({ type: "module", content: 'import * as sdk from "/everframe.js"; window.Sdk = sdk;' });
  await page.waitForFunction(() => "Sdk" in window);
  await page.evaluate(async () => {
    const own = window as unknown as SdkWindow;
    const client = own.Sdk.createClient();
    await client.load({ pipeline: "passthrough" });
    const session = await client.connect({ stream: own.Scene.stream(), parameters: { prompts: "first" } });
    own.seen = { frames: 0, states: [], id: () => session.id };
    session.on("state", (state) => {
      own.seen.states.push(state.name === "live" && state.interrupted ? "interrupted" : state.name);
    });
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = session.output;
    document.body.append(video);
    const count = () => {
      own.seen.frames += 1;
      video.requestVideoFrameCallback(count);
    };
    video.requestVideoFrameCallback(count);
    await video.play();
  });
}

const frames = (page: Page) => page.evaluate(() => (window as unknown as SdkWindow).seen.frames);
const sessionId = (page: Page) => page.evaluate(() => (window as unknown as SdkWindow).seen.id());

/** Milliseconds from `sinceMs` until `holds`. */
async function until(what: string, sinceMs: number, holds: () => Promise<boolean>): Promise<number> {
  while (!(await holds())) {
    if (performance.now() - sinceMs > PATIENCE_MS) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return Math.round(performance.now() - sinceMs);
}

const isHealthy = async (url: string) => {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    return false; // not there
  }
};

for (const signal of ["SIGKILL", "SIGABRT"] as const) {
  test.skipIf(process.platform !== "linux")(
    `[SUP3] a page has its picture again after ${signal} ends the server's process`,
    async () => {
      const page = await openGuidePage(browser, server.url);
      await startSdk(page);
      await until("pictures", performance.now(), async () => (await frames(page)) > 30);
      const [pid, id] = [server.serverPid(), await sessionId(page)];
      const killedMs = performance.now();
      process.kill(pid, signal);
      // The dead one answers no more, and the new one has another id.
      const isBack = async () => server.serverPid() !== pid && (await isHealthy(server.url));
      const serviceMs = await until("the service", killedMs, isBack);
      await until("another session", killedMs, async () => (await sessionId(page)) !== id);
      const before = await frames(page);
      const videoMs = await until("the picture", killedMs, async () => (await frames(page)) > before);
      await until("a stream", killedMs, async () => (await frames(page)) > before + 30);
      console.log(`after ${signal}: service back in ${serviceMs} ms, picture back in ${videoMs} ms`);
      const states = await page.evaluate(() => (window as unknown as SdkWindow).seen.states);
      expect(states).toContain("interrupted");
      expect(states.at(-1)).toBe("live");
      await page.close();
    },
  );
}
