// The guide's VACE example in a real browser: reference images, the condition's scale, the input video in and out of it.
import { expect, test } from "vitest";
import { openGuidePage } from "./harness/browser.ts";
import { GuideDriver, prompt } from "./harness/guide.ts";
import { meanColour, meanDifference, structureCorrelation } from "./harness/picture.ts";
import { useSharedProduct } from "./harness/product.ts";
import { SMALL_LOAD } from "./harness/studio-page.ts";

const product = useSharedProduct();

test("references, context scale and input video act while the stream runs, and nothing stops it", async () => {
  const guide = new GuideDriver(await openGuidePage(product.browser, product.url));
  const warm = await guide.uploadPainting("ember.png", "#b02808", "#ffb020");
  const cold = await guide.uploadPainting("ice.png", "#0a2a8c", "#40b8ff");
  await guide.load(SMALL_LOAD);
  await guide.start({
    input_mode: "video",
    ...prompt("photo"),
    denoising_step_list: [700, 500],
    vace_enabled: true,
    vace_use_input_video: true,
    vace_context_scale: 1,
    vace_ref_images: [warm],
  });
  await guide.waitFrames(1, 60_000);
  await guide.setMoving(false);

  const withWarm = await guide.pictureWith({});
  const withCold = await guide.pictureWith({ vace_ref_images: [cold], vace_context_scale: 1 });
  const plain = await guide.pictureWith({ vace_ref_images: [] });
  const plainAgain = await guide.pictureWith({});
  const byTime = meanDifference(plain, plainAgain);
  const warmth = (picture: typeof plain) => meanColour(picture)[0] - meanColour(picture)[2];
  console.log(
    `red minus blue: ${warmth(withWarm).toFixed(1)} with the warm reference, ${warmth(plain).toFixed(1)} with none, ` +
      `${warmth(withCold).toFixed(1)} with the cold one; by time alone ${byTime.toFixed(2)}`,
  );
  expect(warmth(withWarm)).toBeGreaterThan(warmth(plain) + 15);
  expect(warmth(withCold)).toBeLessThan(warmth(plain) - 15);

  const input = await guide.input();
  const unguided = await guide.pictureWith({ vace_context_scale: 0 });
  const half = await guide.pictureWith({ vace_context_scale: 0.5 });
  const strong = await guide.pictureWith({ vace_context_scale: 1.5 });
  const scales = { 0: unguided, 0.5: half, 1: plain, 1.5: strong };
  const structure = Object.entries(scales).map(([scale, p]) => [scale, structureCorrelation(input, p).toFixed(2)]);
  console.log(`structure by vace_context_scale: ${JSON.stringify(Object.fromEntries(structure))}`);
  expect(structureCorrelation(input, unguided)).toBeLessThan(0.3);
  expect(structureCorrelation(input, plain)).toBeGreaterThan(0.5);
  for (const other of [half, strong]) expect(meanDifference(plain, other)).toBeGreaterThan(2 * byTime);

  const noised = await guide.pictureWith({ vace_context_scale: 1, vace_use_input_video: false, noise_scale: 0.8 });
  const noisedWarm = await guide.pictureWith({ vace_ref_images: [warm] });
  expect(meanDifference(plain, noised)).toBeGreaterThan(2 * byTime);
  expect(structureCorrelation(input, noised)).toBeGreaterThan(0.3);
  console.log(
    `over noised video: ${warmth(noised).toFixed(1)}, with the warm reference ${warmth(noisedWarm).toFixed(1)}`,
  );
  expect(warmth(noisedWarm)).toBeGreaterThan(warmth(noised) + 10);

  const back = await guide.pictureWith({ vace_use_input_video: true, vace_ref_images: [] });
  expect(meanDifference(plain, back)).toBeLessThan(meanDifference(plain, noised));
  await guide.setMoving(true);
  await guide.waitDistinctFrames(12, 8_000);
  expect(await guide.messages("stream_stopped")).toEqual([]);
  expect(await guide.messages("error")).toEqual([]);
  await guide.stop();
  await guide.page.close();
});
