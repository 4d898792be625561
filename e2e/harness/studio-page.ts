// The studio in a browser: opens it, waits for pictures, reads what is seen.
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { meanHue, meanSaturation, type Picture } from "./picture.ts";

export const OUTPUT = 'video[aria-label="Generated video"]';
export const INPUT = 'video[aria-label="Input video"]';

/** Loads the small model at a size that two cores can follow, and waits for it. */
export async function loadSmall(url: string): Promise<void> {
  const body = { pipeline_id: "longlive", load_params: { width: 320, height: 176, seed: 42, vace_enabled: true } };
  const headers = { "Content-Type": "application/json" };
  await fetch(`${url}/api/v1/pipeline/load`, { method: "POST", headers, body: JSON.stringify(body) });
  for (;;) {
    const { status, error } = (await (await fetch(`${url}/api/v1/pipeline/status`)).json()) as Record<string, string>;
    if (status === "loaded") return;
    if (status === "error") throw new Error(`The model did not load: ${error}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

/** A page of its own memory; what goes wrong in its scripts is collected. */
export async function openStudio(browser: Browser, url: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(url);
  return { page, problems, context };
}

/** Starts a source from the first screen and waits until pictures come. */
export async function startSource(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
  await page.locator('[data-phase="live"]').waitFor({ timeout: 90_000 });
}

/** Types a prompt and sends it. */
export async function sendPrompt(page: Page, text: string): Promise<void> {
  await page.getByLabel("Prompt", { exact: true }).fill(text);
  await page.keyboard.press("Enter");
}

/** The pixels of a playing video element, or undefined while it shows nothing. */
export function picture(page: Page, selector = OUTPUT): Promise<Picture | undefined> {
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
export async function untilPicture(
  page: Page,
  selector: string,
  wanted: (picture: Picture) => boolean | Promise<boolean>,
): Promise<Picture> {
  let last: Picture | undefined;
  for (let look = 0; look < 120; look++) {
    last = await picture(page, selector);
    if (last !== undefined && (await wanted(last))) return last;
    await page.waitForTimeout(500);
  }
  const figures = last && `saturation ${meanSaturation(last).toFixed(2)}, hue ${meanHue(last).toFixed(0)}`;
  throw new Error(`The picture did not become as asked (${figures ?? "no picture"})`);
}

export const isSepia = (p: Picture): boolean => meanSaturation(p) > 0.2 && meanHue(p) > 20 && meanHue(p) < 50;
export const isGrey = (p: Picture): boolean => meanSaturation(p) < 0.15;
export const isGreen = (p: Picture): boolean => meanSaturation(p) > 0.3 && meanHue(p) > 80 && meanHue(p) < 160;
export const isBlue = (p: Picture): boolean => meanSaturation(p) > 0.25 && meanHue(p) > 185 && meanHue(p) < 260;
