// What the test files share: a server for each worker, and one browser, started once for the whole run. Files whose statement
// is about a server's life start their own.
import type { TestProject } from "vitest/node";
import { launchBrowserServer } from "./browser.ts";
import { startServer } from "./server.ts";

declare module "vitest" {
  export interface ProvidedContext {
    sharedServers: readonly { url: string; home: string }[];
    sharedBrowser: string;
  }
}

let parts: { close(): Promise<unknown> }[] = [];

export async function setup(project: TestProject): Promise<void> {
  const count = project.config.maxWorkers ?? 1;
  const [browser, ...servers] = await Promise.all([
    launchBrowserServer(),
    ...Array.from({ length: count }, () => startServer()),
  ]);
  parts = [browser, ...servers.map((server) => ({ close: () => server.stop() }))];
  project.provide("sharedBrowser", browser.wsEndpoint());
  project.provide(
    "sharedServers",
    servers.map(({ url, home }) => ({ url, home })),
  );
}

export async function teardown(): Promise<void> {
  await Promise.all(parts.map((part) => part.close()));
}
