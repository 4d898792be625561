// The guide's own flow in a real browser, in both modes: frames keep coming, and it is the model that makes the prompts act.
import { cpSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openGuidePage } from "./harness/browser.ts";
import { GuideDriver, prompt } from "./harness/guide.ts";
import { meanDifference, meanPicture, type Picture } from "./harness/picture.ts";
import { useSharedProduct } from "./harness/product.ts";
import { ROOT, startServer } from "./harness/server.ts";
import { SMALL_LOAD } from "./harness/studio-page.ts";
import { faultsOf, figuresOf, PROMPTS, type PromptPictures } from "./harness/verdict.ts";

const product = useSharedProduct();

const common = { input_mode: "video", denoising_step_list: [700, 500] };
const modes = [
  { name: "Normal mode", vace_enabled: false, mode: { noise_scale: 0.7, vace_enabled: false } },
  {
    name: "VACE mode",
    vace_enabled: true,
    mode: { vace_enabled: true, vace_use_input_video: true, vace_context_scale: 1.0 },
  },
];

async function picturesOf(guide: GuideDriver): Promise<PromptPictures> {
  const pictures: Partial<PromptPictures> = {};
  for (const text of PROMPTS) pictures[text] = await guide.pictureOf(text);
  return pictures as PromptPictures;
}

describe.each(modes)("$name", ({ vace_enabled, mode }) => {
  test("at 576x320 frames keep coming for 30 s, prompts act as they say, and structure stays", async () => {
    const guide = new GuideDriver(await openGuidePage(product.browser, product.url));
    const status = await guide.load({ height: 320, width: 576, seed: 42, vace_enabled });
    expect(status.model).toBe("longlive-tiny");
    await guide.start({ ...common, ...prompt("photo"), ...mode });
    await guide.waitFrames(1, 60_000);
    expect(await guide.size()).toEqual({ width: 576, height: 320 });
    const end = Date.now() + 30_000;
    while (Date.now() < end) await guide.waitDistinctFrames(6, 8_000);

    await guide.setMoving(false);
    const pictures = await picturesOf(guide);
    const input = await guide.input();
    console.log(JSON.stringify(figuresOf(input, pictures)));
    expect(faultsOf(input, pictures)).toEqual([]);
    expect(await guide.messages("stream_stopped")).toEqual([]);
    await guide.stop();
    await guide.page.close();
  });
});

test("another noise_scale changes the pixels by more than time does", async () => {
  const guide = new GuideDriver(await openGuidePage(product.browser, product.url));
  await guide.load(SMALL_LOAD);
  await guide.setMoving(false);
  const settled = async (parameters: object): Promise<Picture> => {
    await guide.send(parameters);
    await guide.waitFrames(48);
    const pictures: Picture[] = [];
    for (let i = 0; i < 8; i++) {
      await guide.waitFrames(6);
      pictures.push(await guide.picture());
    }
    return meanPicture(pictures);
  };
  await guide.start({ ...common, ...prompt("oil painting"), noise_scale: 0.3, vace_enabled: false });
  await guide.waitFrames(6);
  const low = await settled({ noise_scale: 0.3 });
  const lowAgain = await settled({ noise_scale: 0.3 });
  const high = await settled({ noise_scale: 0.9 });
  const [byTime, byScale] = [meanDifference(low, lowAgain), meanDifference(low, high)];
  console.log(`difference by time ${byTime.toFixed(2)}, by noise_scale ${byScale.toFixed(2)}`);
  expect(byScale).toBeGreaterThan(2 * byTime);
  await guide.stop();
  await guide.page.close();
});

test("with zeroed weights no prompt acts: it is the model that does it", async () => {
  const modelsDir = mkdtempSync(join(tmpdir(), "everframe-zeroed-"));
  cpSync(join(ROOT, "models/longlive-tiny"), join(modelsDir, "longlive-tiny"), { recursive: true });
  zeroWeights(join(modelsDir, "longlive-tiny/transformer.safetensors"));
  const own = await startServer({ modelsDir });
  try {
    const guide = new GuideDriver(await openGuidePage(product.browser, own.url));
    await guide.load(SMALL_LOAD);
    await guide.setMoving(false);
    await guide.start({ ...common, ...prompt("photo"), noise_scale: 0.7, vace_enabled: false });
    await guide.waitFrames(6);
    const pictures = await picturesOf(guide);
    expect(faultsOf(await guide.input(), pictures)).not.toEqual([]);
    await guide.page.close();
  } finally {
    await own.stop();
    rmSync(modelsDir, { recursive: true, force: true });
  }
});

/** Overwrites all tensors of a safetensors file with zeros and leaves its header alone. */
function zeroWeights(path: string): void {
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  writeSync(openSync(path, "r+"), new Uint8Array(bytes.length - start), 0, bytes.length - start, start);
}
