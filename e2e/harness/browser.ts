// A real headless Chromium with a fake camera, driven by Playwright.
import { join } from "node:path";
import { type Browser, type BrowserServer, chromium, type Page } from "playwright-core";
import { findChromium } from "../../scripts/chromium.ts";
import { ROOT } from "./server.ts";

const ARGS = [
  "--no-sandbox",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** Starts the installed Chromium; throws when there is none (the test set-up installs it or says how). */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: executablePath(), args: ARGS });
}

/** A browser that can be killed without a word, like a laptop that is shut. */
export async function launchDoomedBrowser(): Promise<{ browser: Browser; kill: () => Promise<void> }> {
  const server = await launchBrowserServer();
  return { browser: await chromium.connect(server.wsEndpoint()), kill: () => server.kill() };
}

/** A browser that several processes may drive. */
export function launchBrowserServer(): Promise<BrowserServer> {
  return chromium.launchServer({ executablePath: executablePath(), args: ARGS });
}

function executablePath(): string {
  const path = findChromium();
  if (path === undefined) throw new Error("No Chromium found: run the tests by `npm test`, which sees to it.");
  return path;
}

/** An empty page of the server's own origin with the guide's client and the test scene loaded. */
export async function openGuidePage(browser: Browser, url: string): Promise<Page> {
  // The scripts are the test's own: on pages of its own the server allows none.
  const page = await browser.newPage({ bypassCSP: true });
  await page.goto(`${url}/health`);
  await page.addScriptTag({ path: join(ROOT, "e2e/page/scene.js") });
  await page.addScriptTag({ path: join(ROOT, "e2e/page/guide-client.js") });
  return page;
}
