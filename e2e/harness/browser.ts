// A real headless Chromium with a fake camera, driven by Playwright.
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { findChromium } from "../../scripts/chromium.mjs";
import { ROOT } from "./server.ts";

/** Starts the installed Chromium; throws when there is none (the test set-up installs it or says how). */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error("No Chromium found: run the tests by `npm test`, which sees to it.");
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--autoplay-policy=no-user-gesture-required",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
}

/** An empty page of the server's own origin with the guide's client and the test scene loaded. */
export async function openGuidePage(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${url}/health`);
  await page.addScriptTag({ path: join(ROOT, "e2e/page/scene.js") });
  await page.addScriptTag({ path: join(ROOT, "e2e/page/guide-client.js") });
  return page;
}
