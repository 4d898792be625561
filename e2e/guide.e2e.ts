// The guide's own flow in a real browser at the guide's size, in both modes: frames keep coming, and the prompts act.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, openGuidePage } from "./harness/browser.ts";
import { GuideDriver, prompt } from "./harness/guide.ts";
import {
  beyondRecolouring,
  meanDifference,
  meanHue,
  meanSaturation,
  type Picture,
  structureCorrelation,
} from "./harness/picture.ts";
import { type RunningServer, startServer } from "./harness/server.ts";

let server: RunningServer;
let browser: Browser;
beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

const modes = [
  { name: "Normal mode", vace_enabled: false, mode: { noise_scale: 0.7, vace_enabled: false } },
  {
    name: "VACE mode",
    vace_enabled: true,
    mode: { vace_enabled: true, vace_use_input_video: true, vace_context_scale: 1.0 },
  },
];

describe.each(modes)("$name at 576x320", ({ vace_enabled, mode }) => {
  test("frames keep coming for 30 s, prompts change the picture as they say, structure stays", async () => {
    const guide = new GuideDriver(await openGuidePage(browser, server.url));
    const status = await guide.load({ height: 320, width: 576, seed: 42, vace_enabled });
    expect(status.model).toBe("longlive-tiny");
    const common = { input_mode: "video", denoising_step_list: [700, 500] };
    await guide.start({ ...common, ...prompt("photo"), ...mode });

    await guide.waitFrames(1, 60_000);
    expect(await guide.size()).toEqual({ width: 576, height: 320 });
    const end = Date.now() + 30_000;
    while (Date.now() < end) await guide.waitFrames(6, 8_000);

    await guide.setMoving(false);
    const input = await guide.input();
    const picture: Record<string, Picture> = {};
    for (const text of ["photo", "black and white", "sepia", "pencil sketch", "thermal camera"]) {
      picture[text] = await guide.pictureOf(text);
    }
    const of = (text: string): Picture => {
      const found = picture[text];
      if (found === undefined) throw new Error(`no picture of ${text}`);
      return found;
    };
    const photo = of("photo");
    const figures = {
      saturation: Object.fromEntries(Object.entries(picture).map(([text, p]) => [text, meanSaturation(p)])),
      sepiaHue: meanHue(of("sepia")),
      structure: Object.fromEntries(Object.entries(picture).map(([text, p]) => [text, structureCorrelation(input, p)])),
      fromPhoto: Object.fromEntries(Object.entries(picture).map(([text, p]) => [text, meanDifference(photo, p)])),
      beyond: Object.fromEntries(Object.entries(picture).map(([text, p]) => [text, beyondRecolouring(photo, p)])),
      sketchToThermal: meanDifference(of("pencil sketch"), of("thermal camera")),
    };
    console.log(JSON.stringify(figures, (_, value) => (typeof value === "number" ? Number(value.toFixed(3)) : value)));

    expect(meanSaturation(of("black and white"))).toBeLessThan(0.4 * meanSaturation(photo));
    expect(figures.sepiaHue).toBeGreaterThan(20);
    expect(figures.sepiaHue).toBeLessThan(50);
    for (const text of ["photo", "black and white", "sepia"]) {
      expect(structureCorrelation(input, of(text)), `structure of ${text}`).toBeGreaterThan(0.4);
    }
    const recolouring = Math.max(meanDifference(photo, of("black and white")), meanDifference(photo, of("sepia")));
    for (const text of ["pencil sketch", "thermal camera"]) {
      expect(meanDifference(photo, of(text)), `${text} against photo`).toBeGreaterThan(recolouring);
    }
    expect(figures.sketchToThermal).toBeGreaterThan(recolouring);
    expect(await guide.messages("stream_stopped")).toEqual([]);
    await guide.stop();
    await guide.page.close();
  });
});
