// What breaks between the page and its server, or its camera: the page says what happens and goes on by itself. The network is
// cut with packets lost without a word, the whole server is ended and started anew, the camera's plug is pulled.
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeCuttable } from "./harness/cuttable-network.ts";
import { decode, downloaded, videoType } from "./harness/decode.ts";
import { meanDifference } from "./harness/picture.ts";
import { useSharedProduct } from "./harness/product.ts";
import { Relay } from "./harness/relay.ts";
import { startServer } from "./harness/server.ts";
import {
  button,
  INPUT,
  isGrey,
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
import { plugCamera, useTestCamera } from "./harness/test-camera.ts";

const PATIENCE_MS = 60_000;
const product = useSharedProduct();
let relay: Relay;
beforeEach(() => {
  relay = new Relay();
});
afterEach(() => relay.close());

/** Ids of the server's sessions. */
async function sessionIds(): Promise<string[]> {
  const answer = await fetch(`${product.url}/api/v1/sessions`);
  const { sessions } = (await answer.json()) as { sessions: { id: string }[] };
  return sessions.map(({ id }) => id);
}

test("a network that is cut for 3 s and for 20 s is told in words, the same session goes on, and so does the recording", async () => {
  await loadSmall(product.url);
  const { page, problems, context } = await openStudio(product.browser, product.url, {
    prepare: (fresh) => makeCuttable(fresh, relay),
  });
  await startSource(page, "Sample clip");
  await sendPrompt(page, "black and white");
  await untilPicture(page, OUTPUT, isGrey);
  const ids = await sessionIds();
  expect(ids).toHaveLength(1);
  await button(page, "Record").click();
  const alert = page.getByRole("alert");
  const status = page.locator(".stage-frame").getByRole("status");

  for (const seconds of [3, 20]) {
    relay.isCut = true;
    const cutMs = Date.now();
    await alert.filter({ hasText: "The network holds its breath" }).waitFor({ timeout: PATIENCE_MS });
    if (seconds > 10) {
      await alert.filter({ hasText: /The connection was lost.*for [1-9]\d* s/ }).waitFor({ timeout: PATIENCE_MS });
      await status.filter({ hasText: "Connecting again" }).waitFor();
      // What is asked for meanwhile is kept.
      await sendPrompt(page, "sepia");
    }
    await page.waitForTimeout(Math.max(0, cutMs + seconds * 1000 - Date.now()));
    const held = await picture(page);
    relay.isCut = false;
    const backMs = Date.now();
    await untilPicture(page, OUTPUT, (p) => held !== undefined && meanDifference(p, held) > 2);
    console.log(`a cut of ${seconds} s: video again ${Date.now() - backMs} ms after it`);
    await alert.waitFor({ state: "detached", timeout: PATIENCE_MS });
    await status.filter({ hasText: "Live" }).waitFor();
  }
  await untilPicture(page, OUTPUT, isSepia);
  expect(await sessionIds()).toEqual(ids);

  const { name, bytes } = await downloaded(page, () => button(page, "Stop recording").click());
  expect(isGrey(await decode(page, bytes, videoType(name)))).toBe(true);
  expect(isSepia(await decode(page, bytes, videoType(name), { moment: "end" }))).toBe(true);
  expect(problems).toEqual([]);
  await context.close();
});

test("a server that is killed and started anew under a stream is told, and the same look comes back", async () => {
  const first = await startServer();
  await loadSmall(first.url);
  const { page, problems, context } = await openStudio(product.browser, first.url);
  await startSource(page, "Sample clip");
  await sendPrompt(page, "sepia");
  await untilPicture(page, OUTPUT, isSepia);
  await first.stop("SIGKILL");
  await page.getByRole("alert").filter({ hasText: "The connection was lost" }).waitFor({ timeout: PATIENCE_MS });
  const second = await startServer({ port: Number(new URL(first.url).port) });
  await page.getByRole("alert").waitFor({ state: "detached", timeout: PATIENCE_MS });
  const held = await picture(page);
  await untilPicture(page, OUTPUT, (p) => isSepia(p) && held !== undefined && meanDifference(p, held) > 2);
  expect(problems).toEqual([]);
  await context.close();
  await second.stop();
});

test("a camera is mirrored on the page alone; unplugged it is told, and goes on when it is back", async () => {
  await loadSmall(product.url);
  const { page, problems, context } = await openStudio(product.browser, product.url, { prepare: useTestCamera });
  await startSource(page, "Start with my camera");
  await page.getByRole("slider", { name: "Noise" }).press("Home");
  await page.locator("h1").click();
  await page.keyboard.press("i");

  // The camera shows warm colours on its left: on the page a mirror's left is the camera's right.
  const halves = async () => {
    const seen = await page.locator(".stage-frame").screenshot();
    const [left, right] = [{ to: 0.4 }, { from: 0.6 }].map((part) => decode(page, seen, "image/png", part));
    return warmth(await left!) - warmth(await right!);
  };
  await expect.poll(halves, { timeout: PATIENCE_MS }).toBeLessThan(-40);
  await button(page, "Mirror").click();
  await expect.poll(halves, { timeout: PATIENCE_MS }).toBeGreaterThan(40);

  await plugCamera(page, false);
  await page
    .getByRole("alert")
    .filter({ hasText: /unplugged|disconnected/ })
    .waitFor({ timeout: PATIENCE_MS });
  await plugCamera(page, true);
  await page.getByRole("alert").waitFor({ state: "detached", timeout: PATIENCE_MS });
  const [input, output] = [await picture(page, INPUT), await picture(page)];
  if (input === undefined || output === undefined) throw new Error("there was no picture");
  await untilPicture(page, INPUT, (p) => meanDifference(p, input) > 2);
  await untilPicture(page, OUTPUT, (p) => meanDifference(p, output) > 2);
  expect(problems).toEqual([]);
  await context.close();
});
