// The SDK as a developer meets it: the quick start in an empty page of another origin, and every example page.
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, expect, test } from "vitest";
import { useProduct } from "./harness/product.ts";
import { ROOT } from "./harness/server.ts";
import { isGrey, isSepia, pictureOf, untilPicture, warmth } from "./harness/watch.ts";

const product = useProduct();
const OUTPUT = "#output";
const elsewhere: Server[] = [];
afterAll(() => {
  for (const server of elsewhere) server.close();
});

/** Gives a page out at an origin of its own. */
async function serve(html: string): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader("Content-Type", "text/html; charset=utf-8").end(html);
  }).listen(0, "127.0.0.1");
  elsewhere.push(server);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("internal: no port was given");
  return `http://127.0.0.1:${address.port}/`;
}

/** The first block of HTML after the heading "Quick start" of a document. */
function quickStart(path: string): string {
  const text = readFileSync(join(ROOT, path), "utf8");
  const snippet = /##+ Quick start[\s\S]*?```html\n([\s\S]*?)```/.exec(text)?.[1];
  if (snippet === undefined) throw new Error(`${path} has no quick start`);
  return snippet;
}

/** A page, and what went wrong on it. */
async function open(address: string): Promise<{ page: Page; problems: string[] }> {
  const page = await product.browser.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(address);
  return { page, problems };
}

test("the quick start of the documents, pasted into an empty page, shows the video it promises", async () => {
  const snippet = quickStart("README.md");
  expect(quickStart("docs/sdk.md")).toBe(snippet);
  expect(snippet.trim().split("\n").length).toBeLessThanOrEqual(10);
  const page = snippet.replaceAll("http://localhost:8000", product.server.url);
  expect(page).not.toBe(snippet);
  const { page: empty, problems } = await open(await serve(page));
  // Its first prompt makes a coloured picture of the green test camera, its last one a grey one.
  await untilPicture(empty, "video", (picture) => isGrey(picture));
  expect(problems).toEqual([]);
  await empty.close();
});

type Visit = { page: Page; apply: (prompt: string) => Promise<void> };

/** What is done on each page, and seen. */
const VISITS: Record<string, (visit: Visit) => Promise<void>> = {
  "normal.html": async ({ page, apply }) => {
    await page.locator("#start").click();
    await untilPicture(page, OUTPUT, () => true);
    await apply("sepia");
    await untilPicture(page, OUTPUT, isSepia);
    await page.getByText(/in use since chunk \d/).waitFor();
  },
  "vace-references.html": async ({ page }) => {
    await page.locator("#start").click();
    const plain = warmth(await untilPicture(page, OUTPUT, () => true));
    const name = "ember.png";
    await page.locator("[name=images]").setInputFiles({ name, mimeType: "image/png", buffer: await painting(page) });
    await untilPicture(page, OUTPUT, (picture) => warmth(picture) > plain + 15);
    await page.locator("#still").click();
    await page.getByText("1 reference images in use").waitFor();
  },
  "screen.html": async ({ page, apply }) => {
    await page.locator("#start").click();
    await untilPicture(page, OUTPUT, () => true);
    await apply("sepia");
    await untilPicture(page, OUTPUT, isSepia);
  },
  "file.html": async ({ page, apply }) => {
    const buffer = await clip(page);
    await page.locator("[name=file]").setInputFiles({ name: "clip.webm", mimeType: "video/webm", buffer });
    await untilPicture(page, OUTPUT, () => true);
    await apply("black and white");
    await untilPicture(page, OUTPUT, isGrey);
  },
  "control-video.html": async ({ page, apply }) => {
    await page.locator("#start").click();
    await untilPicture(page, OUTPUT, (picture) => warmth(picture) > 15);
    await apply("icy blue");
    await untilPicture(page, OUTPUT, (picture) => warmth(picture) < -15);
  },
  "text.html": async ({ page, apply }) => {
    await page.locator("#start").click();
    await untilPicture(page, OUTPUT, (picture) => warmth(picture) > 15);
    await apply("icy blue");
    await untilPicture(page, OUTPUT, (picture) => warmth(picture) < -15);
  },
  "react.html": async ({ page }) => {
    await page.locator("#start").click();
    await untilPicture(page, OUTPUT, () => true);
    await page.getByLabel("Prompt").fill("sepia");
    await untilPicture(page, OUTPUT, isSepia);
  },
};

test("every page of the SDK's examples is visited", () => {
  const pages = readdirSync(join(ROOT, "examples")).filter((name) => name.endsWith(".html") && name !== "guide.html");
  expect(Object.keys(VISITS).sort()).toEqual(pages.sort());
});

for (const [name, visit] of Object.entries(VISITS)) {
  test(`${name} shows what it says`, async () => {
    const { page, problems } = await open(`${product.server.url}/examples/${name}`);
    const apply = async (prompt: string) => {
      await page.getByLabel("Prompt").fill(prompt);
      await page.getByRole("button", { name: "Apply" }).click();
    };
    await visit({ page, apply });
    expect(await pictureOf(page, OUTPUT)).toBeDefined();
    expect(problems).toEqual([]);
    await page.close();
  });
}

/** An image in reds and yellows, as PNG. */
async function painting(page: Page): Promise<Buffer> {
  const address = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 176 });
    const context = canvas.getContext("2d");
    if (context === null) return "";
    context.fillStyle = "#b02808";
    context.fillRect(0, 0, 320, 176);
    context.fillStyle = "#ffb020";
    for (let x = 20; x < 320; x += 60) context.fillRect(x, 30, 36, 110);
    return canvas.toDataURL("image/png");
  });
  return Buffer.from(address.split(",")[1] ?? "", "base64");
}

/** A second of coloured bars that move, as WebM. */
async function clip(page: Page): Promise<Buffer> {
  const bytes = await page.evaluate(async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 176 });
    const context = canvas.getContext("2d");
    const colours = ["#d62828", "#1f9d55", "#2f7fd6", "#f0d020"];
    let step = 0;
    const timer = setInterval(() => {
      step += 4;
      for (let i = -1; i < 5; i++) {
        if (context === null) return;
        context.fillStyle = colours[(i + 4) % 4] ?? "";
        context.fillRect(i * 80 + (step % 80), 0, 80, 176);
      }
    }, 33);
    const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: "video/webm" });
    const parts: Blob[] = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const ended = new Promise((resolve) => {
      recorder.onstop = resolve;
    });
    recorder.start();
    await new Promise((resolve) => setTimeout(resolve, 1200));
    recorder.stop();
    await ended;
    clearInterval(timer);
    return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
  });
  return Buffer.from(bytes);
}
