// The running product of one test file: a server and a browser, its own or shared with other files.
import { type Browser, chromium } from "playwright-core";
import { afterAll, afterEach, beforeAll, inject } from "vitest";
import { launchBrowser } from "./browser.ts";
import { type RunningServer, startServer, untilServed } from "./server.ts";

export type Product = { readonly server: RunningServer; readonly browser: Browser };

export type SharedProduct = {
  readonly url: string;
  /** Folder of what the server keeps. */
  readonly home: string;
  readonly browser: Browser;
};

/**
 * The server of this worker, and the browser of them all: for files to which it is the same who was there before. Call at
 * the top of a test file.
 */
export function useSharedProduct(): SharedProduct {
  let browser: Browser | undefined;
  const servers = inject("sharedServers");
  const server = servers[Number(process.env["VITEST_POOL_ID"] ?? 1) - 1] ?? servers[0];
  beforeAll(async () => {
    browser = await chromium.connect(inject("sharedBrowser"));
  });
  // What a test that failed has left open would keep the server busy.
  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
    if (server !== undefined) await untilServed(server.url);
  });
  afterAll(() => browser?.close());
  return {
    url: server?.url ?? "",
    home: server?.home ?? "",
    get browser() {
      if (browser === undefined) throw new Error("internal: the browser was used before the tests began");
      return browser;
    },
  };
}

/** A server and a browser of the file's own, ended after it. Call at its top; the parts are there once its tests run. */
export function useProduct(): Product {
  let server: RunningServer | undefined;
  let browser: Browser | undefined;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startServer(), launchBrowser()]);
  });
  let told = 0;
  // The media library can die of a goodbye (docs/SECURITY.md): a test that fails of that is tried again once the service
  // is back, and the log says what happened.
  afterEach(async () => {
    if (server === undefined || server.process.exitCode !== null) return;
    const deaths = server
      .log()
      .split("\n")
      .filter((line) => line.includes("the server died"));
    for (const line of deaths.slice(told)) console.log(line);
    told = deaths.length;
    await untilServed(server.url);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });
  const started = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error("internal: the product was used before the tests began");
    return part;
  };
  return {
    get server() {
      return started(server);
    },
    get browser() {
      return started(browser);
    },
  };
}
