// The SDK as a developer meets it: the quick start in an empty page of another origin, and every example page.
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, expect, test } from "vitest";
import { useSharedProduct } from "./harness/product.ts";
import { ROOT } from "./harness/server.ts";
import { SMALL_LOAD } from "./harness/studio-page.ts";
import { isGrey, isSepia, pictureOf, untilPicture, warmth } from "./harness/watch.ts";

const product = useSharedProduct();
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

/** A page, and what went wrong on it. What it loads is made smaller, for two cores to be quick. */
async function open(address: string): Promise<{ page: Page; problems: string[] }> {
  const page = await product.browser.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.route("**/api/v1/pipeline/load", (route, request) => {
    const body = request.postDataJSON();
    if (request.method() !== "POST") return route.continue();
    return route.continue({ postData: { ...body, load_params: { ...body.load_params, ...SMALL_LOAD } } });
  });
  await page.goto(address);
  return { page, problems };
}

test("the quick start of the documents, pasted into an empty page, shows the video it promises", async () => {
  const snippet = quickStart("README.md");
  expect(quickStart("docs/sdk.md")).toBe(snippet);
  expect(snippet.trim().split("\n").length).toBeLessThanOrEqual(10);
  const page = snippet.replaceAll("http://localhost:8000", product.url);
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
    const { page, problems } = await open(`${product.url}/examples/${name}`);
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

type SdkWindow = { Sdk: typeof import("../packages/client/src/index.ts") };

test("beside the stream: schemas, models, assets, stills, recordings, pauses, and refusals in words", async () => {
  const page = await product.browser.newPage({ bypassCSP: true });
  await page.goto(`${product.url}/health`);
  await page.addScriptTag({ type: "module", content: 'import * as sdk from "/everframe.js"; window.Sdk = sdk;' });
  await page.waitForFunction(() => "Sdk" in window);
  const seen = await page.evaluate(async () => {
    const { Sdk } = window as unknown as SdkWindow;
    const client = Sdk.createClient();
    const { longlive } = await client.schemas();
    const models = await client.models.status("passthrough");
    const hardware = await client.hardware();
    const input = Sdk.scene({ width: 320, height: 176 });
    const canvas = document.createElement("canvas");
    canvas.getContext("2d")?.fillRect(0, 0, 9, 9);
    const image = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
    const asset = await client.assets.upload(image ?? new Blob(), { name: "sdk/nine.png" });
    const listed = (await client.assets.list({ type: "image" })).map(({ path }) => path);
    const fetched = await client.assets.fetch(asset);
    await client.assets.remove(asset);
    const gone = await client.assets.fetch(asset).catch((error) => error.reason);

    const { size } = await client.load({ pipeline: "passthrough", width: 320, height: 176 });
    const session = await client.connect({ stream: input });
    const frame = await new Promise<{ width: number; height: number }>((resolve) => session.on("frame", resolve));
    const still = await createImageBitmap(await session.snapshot());
    const recording = await session.recording.start({ format: "webm" }).catch((error) => error.reason);
    await session.pause();
    const refused = await session.set({ noiseScale: 9 }).catch((error) => error);
    await session.resume();
    const whole = recording === "encoder_missing" ? undefined : await session.recording.stop();
    const file = whole && (await session.recording.download());
    session.close();
    const [track] = input.stream.getVideoTracks();
    const afterClose = track?.readyState;
    input.release();
    return {
      key: longlive?.parameters.find(({ name }) => name === "noise_scale")?.key,
      loadKey: longlive?.load_parameters.find(({ name }) => name === "vace_enabled")?.key,
      downloaded: models.downloaded,
      cores: hardware.cores,
      isListed: listed.includes(asset.path),
      sizes: [image?.size, fetched.size],
      gone,
      size,
      frame: [frame.width, frame.height],
      still: [still.width, still.height],
      refused: { code: refused.code, rejections: refused.rejections, help: refused.help },
      recorded: file === undefined ? undefined : [file.size, whole?.bytes],
      tracks: [afterClose, track?.readyState],
    };
  });
  expect(seen).toMatchObject({
    key: "noiseScale",
    loadKey: "vaceEnabled",
    downloaded: true,
    isListed: true,
    gone: "asset_not_found",
    size: { width: 320, height: 176 },
    frame: [320, 176],
    still: [320, 176],
    refused: {
      code: "rejected",
      rejections: [{ name: "noiseScale" }],
      help: "noiseScale must be a number from 0 to 1.",
    },
    tracks: ["live", "ended"],
  });
  expect(seen.cores).toBeGreaterThan(0);
  expect(seen.sizes[0]).toBe(seen.sizes[1]);
  if (seen.recorded !== undefined) expect(seen.recorded[0]).toBe(seen.recorded[1]);
  await page.close();
});

test("a camera that cannot be opened says why, by the browser's own word", async () => {
  const page = await product.browser.newPage({ bypassCSP: true });
  await page.goto(`${product.url}/health`);
  await page.addScriptTag({ type: "module", content: 'import * as sdk from "/everframe.js"; window.Sdk = sdk;' });
  await page.waitForFunction(() => "Sdk" in window);
  const told = await page.evaluate(async () => {
    const { Sdk } = window as unknown as SdkWindow;
    const missing = await Sdk.camera({ deviceId: "of another machine" }).catch((error) => [error.reason, error.help]);
    const others = [];
    for (const name of ["NotAllowedError", "NotReadableError"]) {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", name));
      others.push(await Sdk.camera().catch((error) => error.reason));
    }
    return [missing, ...others];
  });
  expect(told).toEqual([["not_found", "Connect one, or use another source."], "permission_denied", "in_use"]);
  await page.close();
});

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
