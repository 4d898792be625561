// What the studio shows elsewhere and keeps: layouts, windows, recordings, stills, reference images.
import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { decode, downloaded, videoType } from "./harness/decode.ts";
import { meanSaturation } from "./harness/picture.ts";
import { useSharedProduct } from "./harness/product.ts";
import {
  button,
  isSepia,
  loadSmall,
  OUTPUT,
  openStudio,
  sendPrompt,
  startSource,
  untilPicture,
  warmth,
} from "./harness/studio-page.ts";

const product = useSharedProduct();

/** Lets a file go over an element, as the browser tells it. */
async function drop(page: Page, selector: string, name: string, base64: string): Promise<void> {
  const files = await page.evaluateHandle(
    ([text, fileName]) => {
      const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], fileName, { type: "image/png" }));
      return transfer;
    },
    [base64, name] as const,
  );
  await page.dispatchEvent(selector, "dragover", { dataTransfer: files });
  await page.getByText("Let go to add").waitFor();
  await page.dispatchEvent(selector, "drop", { dataTransfer: files });
}

/** Where an element is once the page around it has stopped moving. */
async function restingBox(element: Locator) {
  for (let last = ""; ; ) {
    const box = await element.boundingBox();
    if (JSON.stringify(box) === last) return box;
    last = JSON.stringify(box);
    await element.page().waitForTimeout(200);
  }
}

function ratioOf(box: { width: number; height: number } | null): number {
  return box === null ? 0 : box.width / box.height;
}

test("layouts, the projector's window, a still and a recording all show the picture that was asked for", async () => {
  await loadSmall(product.url);
  const { page, problems, context } = await openStudio(product.browser, product.url);
  await startSource(page, "Sample clip");
  await sendPrompt(page, "black and white");
  await untilPicture(page, OUTPUT, (p) => meanSaturation(p) < 0.15);

  const frame = page.locator(".stage-frame");
  await button(page, "Split by a line").click();
  await page.getByRole("slider", { name: "Line between input and output" }).press("ArrowRight");
  await page.mouse.move(5, 5);
  await page.waitForTimeout(600);
  const split = await frame.screenshot();
  expect(meanSaturation(await decode(page, split, "image/png", { from: 0.05, to: 0.45 }))).toBeGreaterThan(0.2);
  expect(meanSaturation(await decode(page, split, "image/png", { from: 0.6, to: 0.95 }))).toBeLessThan(0.15);
  await button(page, "Side by side").click();
  await expect.poll(async () => ratioOf(await frame.boundingBox()), { timeout: 10_000 }).toBeGreaterThan(2.5);
  await button(page, "Output with the input as an inset").click();
  const inset = page.getByRole("group", { name: "Input, movable with the arrow keys" });
  await inset.focus();
  const before = await restingBox(inset);
  await inset.press("ArrowLeft");
  await inset.press("ArrowDown");
  const after = await restingBox(inset);
  expect(after?.x).toBeLessThan(before?.x ?? 0);
  expect(after?.y).toBeGreaterThan(before?.y ?? 0);

  await sendPrompt(page, "sepia");
  await untilPicture(page, OUTPUT, isSepia);
  const [popup] = await Promise.all([page.waitForEvent("popup"), button(page, "Window for a projector").click()]);
  await untilPicture(popup, "video", isSepia);
  await popup.close();
  await button(page, "Picture in picture").click();
  await page.waitForFunction(() => document.pictureInPictureElement?.getAttribute("aria-label") === "Generated video");
  await button(page, "Picture in picture").click();
  await page.waitForFunction(() => document.pictureInPictureElement === null);

  const still = await downloaded(page, () => button(page, "Take a still").click());
  expect(still.name).toMatch(/^everframe-still-.*\.jpg$/);
  expect(isSepia(await decode(page, still.bytes, "image/jpeg"))).toBe(true);

  await button(page, "Record").click();
  await page.waitForTimeout(1_500);
  const recording = await downloaded(page, () => button(page, "Stop recording").click());
  expect(isSepia(await decode(page, recording.bytes, videoType(recording.name)))).toBe(true);

  await page.locator("h1").click();
  await page.keyboard.press("f");
  await page.waitForFunction(() => document.fullscreenElement !== null);
  expect(problems).toEqual([]);
  await context.close();
});

test("reference images come by drop, file, paste and snapshot, and give the picture their colours", async () => {
  await loadSmall(product.url);
  const { page, problems, context } = await openStudio(product.browser, product.url);
  await startSource(page, "Sample clip");
  await page.getByRole("radio", { name: "VACE" }).click();
  await sendPrompt(page, "photo");
  const plain = await untilPicture(page, OUTPUT, (p) => meanSaturation(p) > 0.22);
  const painting = (ground: string, shapes: string) =>
    page.evaluate(
      ([first, second]) => {
        const canvas = Object.assign(document.createElement("canvas"), { width: 300, height: 200 });
        const context = canvas.getContext("2d");
        if (context === null) throw new Error("no canvas");
        context.fillStyle = first;
        context.fillRect(0, 0, 300, 200);
        context.fillStyle = second;
        for (let i = 0; i < 9; i++) context.fillRect((i * 97) % 300, (i * 53) % 200, 50, 40);
        return canvas.toDataURL("image/png").split(",")[1] ?? "";
      },
      [ground, shapes] as const,
    );
  const ice = await painting("#0a2a8c", "#40b8ff");
  await drop(page, '[aria-label="Reference images"]', "ice.png", ice);
  await page.getByRole("img", { name: "ice.png" }).waitFor();
  await untilPicture(page, OUTPUT, (p) => warmth(p) < warmth(plain) - 12);
  await button(page, "Remove ice.png").click();
  await untilPicture(page, OUTPUT, (p) => warmth(p) > warmth(plain) - 6);

  const buffer = Buffer.from(ice, "base64");
  await page.getByLabel("Reference image files").setInputFiles({ name: "chosen.png", mimeType: "image/png", buffer });
  await page.getByRole("img", { name: "chosen.png" }).waitFor();
  await page.evaluate(
    (base64) => {
      const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
      const files = new DataTransfer();
      files.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
      window.dispatchEvent(new ClipboardEvent("paste", { clipboardData: files }));
    },
    await painting("#b02808", "#ffb020"),
  );
  await page.getByRole("img", { name: "pasted.png" }).waitFor();
  await button(page, "Take the input as a reference").click();
  await page.getByRole("img", { name: "Snapshot" }).waitFor();
  expect(problems).toEqual([]);
  await context.close();
});
