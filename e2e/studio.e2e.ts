// The page as a person uses it, with the browser's fake camera (a green field with a turning disc): what is seen changes as asked.
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { meanHue, meanSaturation, type Picture } from "./harness/picture.ts";
import { useProduct } from "./harness/product.ts";
import { ROOT, startServer } from "./harness/server.ts";

const product = useProduct();

/** The pixels of a playing video element, or undefined while it shows nothing. */
function picture(page: Page, selector: string): Promise<Picture | undefined> {
  return page.evaluate((query) => {
    const video = document.querySelector<HTMLVideoElement>(query);
    if (!video?.videoWidth) return undefined;
    const canvas = document.createElement("canvas");
    canvas.width = 144;
    canvas.height = 80;
    const context = canvas.getContext("2d");
    context?.drawImage(video, 0, 0, 144, 80);
    return { width: 144, height: 80, data: [...(context?.getImageData(0, 0, 144, 80).data ?? [])] };
  }, selector);
}

/** Looks twice a second until the picture satisfies `wanted`; throws with its last figures after a minute. */
async function untilPicture(page: Page, selector: string, wanted: (picture: Picture) => boolean): Promise<void> {
  let last: Picture | undefined;
  for (let look = 0; look < 120; look++) {
    last = await picture(page, selector);
    if (last !== undefined && wanted(last)) return;
    await page.waitForTimeout(500);
  }
  const figures = last && `saturation ${meanSaturation(last).toFixed(2)}, hue ${meanHue(last).toFixed(0)}`;
  throw new Error(`The picture did not become as asked (${figures ?? "no picture"})`);
}

const isSepia = (p: Picture): boolean => meanSaturation(p) > 0.2 && meanHue(p) > 20 && meanHue(p) < 50;
const isGrey = (p: Picture): boolean => meanSaturation(p) < 0.15;
const isGreen = (p: Picture): boolean => meanSaturation(p) > 0.3 && meanHue(p) > 80 && meanHue(p) < 160;

test("a person starts the camera, chooses a preset, types a prompt, and stops", async () => {
  const page = await product.browser.newPage({ viewport: { width: 1280, height: 800 } });
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(product.server.url);
  const output = 'video[aria-label="Generated video"]';
  await page.getByRole("button", { name: "Start camera" }).click();
  await page.getByText("Live", { exact: true }).waitFor({ timeout: 60_000 });

  await page.getByRole("button", { name: "Sepia" }).click();
  await untilPicture(page, output, isSepia);
  await page.getByLabel("Prompt", { exact: true }).fill("black and white");
  await page.keyboard.press("Enter");
  await untilPicture(page, output, isGrey);
  await page.getByRole("radio", { name: "VACE" }).click();
  await page.getByRole("button", { name: "Sepia" }).click();
  await untilPicture(page, output, isSepia);
  await page.getByRole("button", { name: "Photo" }).click();
  await untilPicture(page, output, isGreen);

  await page.getByRole("button", { name: "Stop" }).click();
  await page
    .getByRole("button", { name: "Start again" })
    .or(page.getByRole("button", { name: "Start camera" }))
    .waitFor();
  expect(problems).toEqual([]);
  await page.close();
});

test("a refused camera and a server that goes away are told in words", async () => {
  const own = await startServer();
  const page = await product.browser.newPage();
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
  });
  await page.goto(own.url);
  await page.getByRole("button", { name: "Start camera" }).click();
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
    `${product.server.url}/examples/guide.html`,
    `${other.url}/?width=320&height=176&api=${encodeURIComponent(product.server.url)}`,
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
