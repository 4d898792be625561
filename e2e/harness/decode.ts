// Pictures that left the page as files or screenshots, decoded by the browser itself.
import { buffer } from "node:stream/consumers";
import type { Page } from "playwright-core";
import type { Picture } from "./picture.ts";

type Part = {
  /** Of the width, 0 to 1. */
  from?: number;
  to?: number;
  /** Of a video. Default: the first picture. */
  moment?: "start" | "end";
};

/** An encoded picture's pixels, or those of a video's first or last picture; all of it, or a part of its width. */
export function decode(page: Page, bytes: Buffer, type: string, part: Part = {}): Promise<Picture> {
  return page.evaluate(
    async ([base64, mime, { from, to, moment }]) => {
      const blob = new Blob([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))], { type: mime });
      let source: ImageBitmap | HTMLVideoElement;
      let width: number;
      let height: number;
      if (mime.startsWith("video")) {
        const video = document.createElement("video");
        video.muted = true;
        video.src = URL.createObjectURL(blob);
        const shown = (name: string) => new Promise((resolve) => video.addEventListener(name, resolve, { once: true }));
        const first = new Promise((resolve) => video.requestVideoFrameCallback(resolve));
        await video.play();
        await first;
        if (moment === "end") {
          // A recording's length is found by going beyond it.
          video.currentTime = 1e9;
          await shown("seeked");
        }
        [source, width, height] = [video, video.videoWidth, video.videoHeight];
      } else {
        const bitmap = await createImageBitmap(blob);
        [source, width, height] = [bitmap, bitmap.width, bitmap.height];
      }
      const canvas = Object.assign(document.createElement("canvas"), { width: 144, height: 80 });
      const context = canvas.getContext("2d");
      context?.drawImage(source, from * width, 0, (to - from) * width, height, 0, 0, 144, 80);
      return { width: 144, height: 80, data: [...(context?.getImageData(0, 0, 144, 80).data ?? [])] };
    },
    [bytes.toString("base64"), type, { from: 0, to: 1, moment: "start", ...part }] as const,
  );
}

/** The file that a page hands over while `act` runs. */
export async function downloaded(page: Page, act: () => Promise<void>): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([page.waitForEvent("download"), act()]);
  return { name: download.suggestedFilename(), bytes: await buffer(await download.createReadStream()) };
}

/** The video type of a recording's file name. */
export function videoType(name: string): string {
  return name.endsWith(".mp4") ? "video/mp4" : "video/webm";
}
