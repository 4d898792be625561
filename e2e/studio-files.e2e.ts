// Files that change what the model makes: LoRAs, whose strength is a slider, and pictures that a chunk begins with.
import { expect, test } from "vitest";
import { writeNoiseLora } from "./harness/lora.ts";
import { type Picture, structureCorrelation } from "./harness/picture.ts";
import { useSharedProduct } from "./harness/product.ts";
import {
  button,
  INPUT,
  isSepia,
  loadSmall,
  OUTPUT,
  openStudio,
  picture,
  sendPrompt,
  startSource,
  untilPicture,
  warmth,
} from "./harness/studio-page.ts";

const PATIENCE_MS = 60_000;
const product = useSharedProduct();

test("a LoRA is loaded by its name, played by its slider, and a wrong name is told", async () => {
  const name = writeNoiseLora(product.home);
  await loadSmall(product.url);
  const { page, problems, context } = await openStudio(product.browser, product.url);
  await startSource(page, "Sample clip");
  await sendPrompt(page, "sepia");
  // A LoRA of noise leaves nothing of the input's structure.
  const likeness = async (p: Picture) => structureCorrelation(p, (await picture(page, INPUT)) ?? p);
  const isPlain = async (p: Picture) => isSepia(p) && (await likeness(p)) > 0.3;
  const isSpoilt = async (p: Picture) => (await likeness(p)) < 0.15;
  await untilPicture(page, OUTPUT, isPlain);
  await page.getByRole("tab", { name: "Model" }).click();
  await page.getByLabel("Name of a LoRA file").fill(name);
  await page.keyboard.press("Enter");
  await page.getByRole("tab", { name: "Play" }).click();
  const slider = page.getByRole("slider", { name: "noise", exact: true });
  await slider.waitFor({ timeout: PATIENCE_MS });
  await untilPicture(page, OUTPUT, isSpoilt);
  // From -1 to 2 in steps of 0.05: ten large steps are ten times as many.
  await slider.press("Home");
  await slider.press("PageUp");
  await slider.press("PageUp");
  expect(await slider.getAttribute("aria-valuenow")).toBe("0");
  await untilPicture(page, OUTPUT, isPlain);
  await slider.press("End");
  await untilPicture(page, OUTPUT, isSpoilt);

  await page.getByRole("tab", { name: "Model" }).click();
  await page.getByLabel("Name of a LoRA file").fill("nowhere.safetensors");
  await page.keyboard.press("Enter");
  await page
    .getByRole("alert")
    .filter({ hasText: /nowhere/ })
    .waitFor({ timeout: PATIENCE_MS });
  await button(page, "Go on without it").click();
  await untilPicture(page, OUTPUT, isSpoilt);
  await button(page, "Take noise out").click();
  await untilPicture(page, OUTPUT, isPlain);
  expect(problems).toEqual([]);
  await context.close();
});

test("a first frame cuts to its picture, a last frame leads to its own", async () => {
  await loadSmall(product.url);
  const { page, problems, context } = await openStudio(product.browser, product.url);
  await startSource(page, "Sample clip");
  await page.getByRole("radio", { name: "VACE" }).click();
  await sendPrompt(page, "photo");
  const plain = await untilPicture(page, OUTPUT, () => true);
  const place = async (label: string, colour: string) => {
    const base64 = await page.evaluate((fill) => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 176 });
      const surface = canvas.getContext("2d");
      if (surface === null) throw new Error("no canvas");
      surface.fillStyle = fill;
      surface.fillRect(0, 0, 320, 176);
      return canvas.toDataURL("image/png").split(",")[1] ?? "";
    }, colour);
    const name = `${colour.slice(1)}.png`;
    const image = { name, mimeType: "image/png", buffer: Buffer.from(base64, "base64") };
    await page.getByLabel(`${label} file`).setInputFiles(image);
    await page.getByRole("img", { name }).waitFor();
  };
  await place("First frame", "#d04a08");
  await untilPicture(page, OUTPUT, (p) => warmth(p) > warmth(plain) + 20);
  await place("Last frame", "#0840d0");
  await untilPicture(page, OUTPUT, (p) => warmth(p) < warmth(plain) - 20);
  await button(page, "Send the first frame again").click();
  await untilPicture(page, OUTPUT, (p) => warmth(p) > warmth(plain) + 20);
  await button(page, "Remove the first frame").click();
  await page.getByRole("img", { name: "d04a08.png" }).waitFor({ state: "detached" });
  expect(problems).toEqual([]);
  await context.close();
});
