// The studio in a browser: opens it, waits for pictures, reads what is seen.
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { meanHue, meanSaturation, type Picture } from "./picture.ts";
import { pictureOf } from "./watch.ts";

export { isGrey, isSepia, untilPicture, warmth } from "./watch.ts";

export const OUTPUT = 'video[aria-label="Generated video"]';
export const INPUT = 'video[aria-label="Input video"]';

/** A size that two cores can follow easily. */
export const SMALL_LOAD = { width: 320, height: 176, seed: 42, vace_enabled: true };

/** Loads the small model at that size, and waits for it. */
export async function loadSmall(url: string): Promise<void> {
  const body = { pipeline_id: "longlive", load_params: SMALL_LOAD };
  const headers = { "Content-Type": "application/json" };
  await fetch(`${url}/api/v1/pipeline/load`, { method: "POST", headers, body: JSON.stringify(body) });
  for (;;) {
    const { status, error } = (await (await fetch(`${url}/api/v1/pipeline/status`)).json()) as Record<string, string>;
    if (status === "loaded") return;
    if (status === "error") throw new Error(`The model did not load: ${error}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

type StudioOptions = BrowserContextOptions & {
  /** Done to the page before it is opened. */
  prepare?: (page: Page) => Promise<void>;
};

/**
 * A page of its own memory; what goes wrong in its scripts is collected. Its decoration is still: without a graphics
 * processor the light that the video throws on the wall costs more than the model.
 */
export async function openStudio(browser: Browser, url: string, { prepare, ...options }: StudioOptions = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await prepare?.(page);
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

/** A button by its whole name. */
export const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

/** The pixels of a playing video element, or undefined while it shows nothing. */
export const picture = (page: Page, selector = OUTPUT) => pictureOf(page, selector);

export const isGreen = (p: Picture): boolean => meanSaturation(p) > 0.3 && meanHue(p) > 80 && meanHue(p) < 160;
export const isBlue = (p: Picture): boolean => meanSaturation(p) > 0.25 && meanHue(p) > 185 && meanHue(p) < 260;
