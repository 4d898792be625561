// Makes the studio's sheet of looks with the model itself: the sample clip in every look, as the page's own tour takes
// them. `node scripts/run.mjs scripts/look-sheet.ts`; to be run again when the small model has learnt anew.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { launchBrowser } from "../e2e/harness/browser.ts";
import { ROOT, startServer } from "../e2e/harness/server.ts";
import { loadSmall, openStudio, startSource } from "../e2e/harness/studio-page.ts";

const SHEET = join(ROOT, "apps/studio/src/assets/looks.webp");
const COLUMNS = 6;
const SIZE = { width: 160, height: 90 };
const QUALITY = 0.72;
const TOUR_TIMEOUT_MS = 20 * 60_000;
const PROGRESS_MS = 10_000;

const server = await startServer();
const browser = await launchBrowser();
try {
  await loadSmall(server.url);
  const { page } = await openStudio(browser, server.url);
  await startSource(page, "Sample clip");
  await page.getByRole("radio", { name: "VACE" }).click();
  await page.getByRole("button", { name: "All looks" }).click();
  await page.getByRole("button", { name: "Make the pictures from my camera" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Stop" }).waitFor();
  const isOver = page
    .getByRole("button", { name: "Make the pictures from my camera" })
    .waitFor({ timeout: TOUR_TIMEOUT_MS });
  const timer = setInterval(() => {
    const pictures = page.locator('[role="dialog"] [data-look] img');
    pictures.count().then(
      (count) => console.log(`${count} looks`),
      () => undefined,
    );
  }, PROGRESS_MS);
  await isOver.finally(() => clearInterval(timer));
  const sheet = await page.evaluate(
    async ({ columns, size, quality }) => {
      const tiles = [...document.querySelectorAll<HTMLElement>('[role="dialog"] [data-look]')];
      const canvas = document.createElement("canvas");
      canvas.width = columns * size.width;
      canvas.height = Math.ceil(tiles.length / columns) * size.height;
      const context = canvas.getContext("2d");
      for (const [i, tile] of tiles.entries()) {
        const image = tile.querySelector("img");
        if (image === null) throw new Error(`No picture of ${tile.dataset["look"]}`);
        await image.decode();
        context?.drawImage(
          image,
          (i % columns) * size.width,
          Math.floor(i / columns) * size.height,
          size.width,
          size.height,
        );
      }
      return canvas.toDataURL("image/webp", quality);
    },
    { columns: COLUMNS, size: SIZE, quality: QUALITY },
  );
  const bytes = Buffer.from(sheet.slice(sheet.indexOf(",") + 1), "base64");
  writeFileSync(SHEET, bytes);
  console.log(`${SHEET}: ${Math.round(bytes.length / 1000)} kB`);
} finally {
  await browser.close();
  await server.stop();
}
