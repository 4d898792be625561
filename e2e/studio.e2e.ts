// The page as a person uses it, with the browser's fake camera (a green field with a turning disc): what is seen changes as asked.
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { useSharedProduct } from "./harness/product.ts";
import { ROOT, startServer } from "./harness/server.ts";
import {
  isGreen,
  isGrey,
  isSepia,
  loadSmall,
  OUTPUT,
  openStudio,
  startSource,
  untilPicture,
} from "./harness/studio-page.ts";

const product = useSharedProduct();

test("a person starts the camera, chooses a preset, types a prompt, and stops", async () => {
  await loadSmall(product.url);
  const { page, problems, context } = await openStudio(product.browser, product.url);
  await startSource(page, "Start with my camera");
  const output = OUTPUT;

  await page.getByRole("button", { name: "Sepia", exact: true }).click();
  await untilPicture(page, output, isSepia);
  await page.getByLabel("Prompt", { exact: true }).fill("black and white");
  await page.keyboard.press("Enter");
  await untilPicture(page, output, isGrey);
  await page.getByRole("radio", { name: "VACE" }).click();
  await page.getByRole("button", { name: "Sepia", exact: true }).click();
  await untilPicture(page, output, isSepia);
  await page.getByRole("button", { name: "Photo", exact: true }).click();
  await untilPicture(page, output, isGreen);

  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByRole("button", { name: "Start again" }).waitFor();
  expect(problems).toEqual([]);
  await context.close();
});

test("a refused camera and a server that goes away are told in words", async () => {
  const own = await startServer();
  const page = await product.browser.newPage();
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
  });
  await page.goto(own.url);
  await page.getByRole("button", { name: "Start with my camera" }).click();
  await page
    .getByText(/camera/i)
    .and(page.getByText(/allow|permission/i))
    .first()
    .waitFor();
  await own.stop();
  await page
    .getByText(/server/i)
    .and(page.getByText(/reach|answer|down/i))
    .first()
    .waitFor({ timeout: 30_000 });
  await page.close();
});

test("the page that shows the raw flow works from the server and from another origin", async () => {
  const other = await serveFile(join(ROOT, "examples/guide.html"));
  for (const address of [
    `${product.url}/examples/guide.html?width=320&height=176`,
    `${other.url}/?width=320&height=176&api=${encodeURIComponent(product.url)}`,
  ]) {
    const page = await product.browser.newPage();
    await page.goto(address);
    await page.getByLabel("Prompt").fill("black and white");
    await page.getByRole("button", { name: "Start moving canvas" }).click();
    await untilPicture(page, "#output", isGrey);
    await page.getByLabel("Prompt").fill("sepia");
    await page.getByRole("button", { name: "Apply prompt" }).click();
    await untilPicture(page, "#output", isSepia);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.close();
  }
  other.server.close();
});

async function serveFile(path: string): Promise<{ url: string; server: Server }> {
  const own = createServer((_, response) => {
    response.setHeader("Content-Type", "text/html");
    createReadStream(path).pipe(response);
  }).listen(0, "127.0.0.1");
  await once(own, "listening");
  const address = own.address();
  if (address === null || typeof address === "string") throw new Error("internal: no port was given");
  return { url: `http://127.0.0.1:${address.port}`, server: own };
}
