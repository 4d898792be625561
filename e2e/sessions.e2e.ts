// Several viewers at once, viewers that leave, and the end of the server: what only a real browser can show.
import { expect, test } from "vitest";
import { launchDoomedBrowser, openGuidePage } from "./harness/browser.ts";
import { GuideDriver, prompt } from "./harness/guide.ts";
import { meanHue, meanSaturation } from "./harness/picture.ts";
import { useProduct } from "./harness/product.ts";
import { startServer } from "./harness/server.ts";

const live = { input_mode: "video", denoising_step_list: [700, 500], noise_scale: 0.7, vace_enabled: false };
const product = useProduct();

async function open(): Promise<GuideDriver> {
  return new GuideDriver(await openGuidePage(product.browser, product.server.url));
}

/** Sessions that are connecting or live, and apart from them those whose viewer may come back. */
async function health(): Promise<{ sessions: number; interrupted: number }> {
  return (await (await fetch(`${product.server.url}/health`)).json()) as { sessions: number; interrupted: number };
}

async function sessionCount(): Promise<number> {
  return (await health()).sessions;
}

/** Milliseconds until the server counts `count` sessions; throws after `limitMs`. */
async function untilSessions(count: number, limitMs: number): Promise<number> {
  const start = Date.now();
  while ((await sessionCount()) !== count) {
    if (Date.now() - start > limitMs) throw new Error(`still ${await sessionCount()} sessions after ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return Date.now() - start;
}

test("two viewers each get their own prompt, and neither sees the other's", async () => {
  const [left, right] = [await open(), await open()];
  await left.load({ seed: 42, vace_enabled: true });
  await left.start({ ...live, ...prompt("black and white") });
  await right.start({ ...live, ...prompt("sepia") });
  await Promise.all([left.waitFrames(24), right.waitFrames(24)]);
  const [grey, brown] = await Promise.all([left.pictureOf("black and white", 12), right.pictureOf("sepia", 12)]);
  console.log(
    `saturation ${meanSaturation(grey).toFixed(3)} and ${meanSaturation(brown).toFixed(3)}, hue ${meanHue(brown).toFixed(0)}`,
  );
  expect(meanSaturation(grey)).toBeLessThan(0.4 * meanSaturation(brown));
  expect(meanHue(brown)).toBeGreaterThan(20);
  expect(meanHue(brown)).toBeLessThan(50);
  await left.stop();
  await right.stop();
  await untilSessions(0, 3_000);
  await Promise.all([left.page.close(), right.page.close()]);
});

test("a message that is no JSON and a wrong value are answered on the channel, and the stream goes on", async () => {
  const guide = await open();
  await guide.load({ seed: 42, vace_enabled: true });
  await guide.start({ ...live, ...prompt("photo") });
  await guide.waitFrames(6);
  await guide.sendText("make it blue");
  await guide.send({ noise_scale: "much", ...prompt("black and white") });
  await guide.waitFrames(48);
  expect(await guide.messages("error")).toEqual([expect.objectContaining({ code: "invalid_request" })]);
  expect(await guide.messages("parameters_rejected")).toEqual([
    expect.objectContaining({ rejected: [expect.objectContaining({ field: "noise_scale" })] }),
  ]);
  await guide.stop();
  await guide.page.close();
});

test("a viewer who says goodbye is gone at once, one who vanishes is gone soon, and the server serves the next", async () => {
  const polite = await open();
  await polite.load({ seed: 42, vace_enabled: true });
  await polite.start({ ...live, ...prompt("photo") });
  await polite.waitFrames(6);
  await polite.stop();
  console.log(`a goodbye was noticed after ${await untilSessions(0, 3_000)} ms`);

  const doomed = await launchDoomedBrowser();
  const vanishing = new GuideDriver(await openGuidePage(doomed.browser, product.server.url));
  await vanishing.start({ ...live, ...prompt("photo") });
  await vanishing.waitFrames(6);
  await doomed.kill();
  const noticedMs = await untilSessions(0, 20_000);
  console.log(`a vanished browser was noticed after ${noticedMs} ms`);
  expect(await health()).toMatchObject({ sessions: 0, interrupted: 1 });

  await polite.start({ ...live, ...prompt("photo") });
  await polite.waitFrames(6);
  await polite.stop();
  await polite.page.close();
});

test("the server ends with exit code 0 in the middle of a chunk, on SIGINT and on SIGTERM", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const own = await startServer();
    const guide = new GuideDriver(await openGuidePage(product.browser, own.url));
    await guide.load({ height: 320, width: 576, seed: 42, vace_enabled: true });
    await guide.start({ ...live, ...prompt("photo") });
    await guide.waitFrames(6);
    expect(await own.stop(signal), own.log()).toBe(0);
    await guide.page.close();
  }
});
