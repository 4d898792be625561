// Looking at what a page shows: the pixels of its video elements, until they are as asked.
import type { Page } from "playwright-core";
import { meanColour, meanHue, meanSaturation, type Picture } from "./picture.ts";

const LOOK_MS = 200;
const SIZE = { width: 144, height: 80 };

/** The pixels of a playing video element, small; undefined while it shows nothing. */
export function pictureOf(page: Page, selector: string): Promise<Picture | undefined> {
  return page.evaluate(
    ([query, { width, height }]) => {
      const video = document.querySelector<HTMLVideoElement>(query);
      if (!video?.videoWidth) return undefined;
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      const context = canvas.getContext("2d");
      context?.drawImage(video, 0, 0, width, height);
      return { width, height, data: [...(context?.getImageData(0, 0, width, height).data ?? [])] };
    },
    [selector, SIZE] as const,
  );
}

/** Looks again and again until the picture satisfies `wanted`, and gives it; throws with its figures after a minute. */
export async function untilPicture(
  page: Page,
  selector: string,
  wanted: (picture: Picture) => boolean | Promise<boolean>,
): Promise<Picture> {
  const endMs = Date.now() + 60_000;
  let last: Picture | undefined;
  while (Date.now() < endMs) {
    last = await pictureOf(page, selector);
    if (last !== undefined && (await wanted(last))) return last;
    await page.waitForTimeout(LOOK_MS);
  }
  const told = last && `saturation ${meanSaturation(last).toFixed(2)}, hue ${meanHue(last).toFixed(0)}`;
  throw new Error(`The picture did not become as asked (${told ?? "no picture"})`);
}

export const isSepia = (p: Picture): boolean => meanSaturation(p) > 0.2 && meanHue(p) > 20 && meanHue(p) < 50;
export const isGrey = (p: Picture): boolean => meanSaturation(p) < 0.15;
/** Mean red minus mean blue, -255 to 255. */
export const warmth = (p: Picture): number => meanColour(p)[0] - meanColour(p)[2];
