// Playing the studio: prompts and their mix, sliders, keys, knobs, the timeline, sources. The received picture tells whether
// what was asked for happened.
import { expect, test } from "vitest";
import { downloaded } from "./harness/decode.ts";
import { meanDifference, meanSaturation, type Picture, structureCorrelation } from "./harness/picture.ts";
import { useSharedProduct } from "./harness/product.ts";
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
} from "./harness/studio-page.ts";

const product = useSharedProduct();
const isColourful = (p: Picture): boolean => meanSaturation(p) > 0.22;

test("prompts, their mix, the noise, keys and knobs each change what is seen", async () => {
  await loadSmall(product.url);
  const { page, problems, context } = await openStudio(product.browser, product.url, {
    permissions: ["clipboard-read", "clipboard-write"],
  });
  await page.evaluate(() => {
    const knob = { name: "Knob", onmidimessage: null };
    Object.assign(navigator, { requestMIDIAccess: () => Promise.resolve({ inputs: new Map([["1", knob]]) }) });
    Object.assign(globalThis, { knob });
  });
  await startSource(page, "Sample clip");
  await sendPrompt(page, "black and white");
  await untilPicture(page, OUTPUT, isGrey);

  // A mix of two, from one end to the other.
  await button(page, "Mix with a second prompt").click();
  await page.getByLabel("Prompt 2", { exact: true }).fill("sepia");
  await page.keyboard.press("Enter");
  await page.getByRole("slider", { name: "Weight of black and white" }).press("Home");
  await untilPicture(page, OUTPUT, isSepia);
  await page.getByRole("slider", { name: "Weight of black and white" }).press("End");
  await page.getByRole("slider", { name: "Weight of sepia" }).press("Home");
  await untilPicture(page, OUTPUT, isGrey);
  await button(page, "Take sepia out").click();

  // Noise 0 gives the input back, whatever the prompt.
  await page.getByRole("slider", { name: "Noise" }).press("Home");
  await untilPicture(page, OUTPUT, isColourful);
  await page.getByRole("slider", { name: "Noise" }).press("End");
  await untilPicture(page, OUTPUT, isGrey);

  // A knob learns the same slider.
  const turn = (value: number) =>
    page.evaluate((position) => {
      const { knob } = globalThis as unknown as { knob: { onmidimessage: (event: { data: number[] }) => void } };
      knob.onmidimessage({ data: [0xb0, 7, position] });
    }, value);
  await button(page, "MIDI controllers").click();
  await page.getByRole("button", { name: /^Noise/ }).click();
  await turn(64);
  await page.getByText("Channel 1, knob 7").waitFor();
  await button(page, "Close").click();
  await turn(0);
  await untilPicture(page, OUTPUT, isColourful);
  await turn(90);

  // The keyboard alone: the look after, and the prompt that was sent first.
  await page.getByRole("tab", { name: "Play" }).press("Escape");
  await page.locator("body").click({ position: { x: 640, y: 30 } });
  await page.keyboard.press("ArrowRight");
  await untilPicture(page, OUTPUT, isSepia);
  await page.keyboard.press("/");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  expect(await page.getByLabel("Prompt", { exact: true }).inputValue()).toBe("black and white");
  await page.keyboard.press("Enter");
  await untilPicture(page, OUTPUT, isGrey);

  // Held, the picture stands still while the input goes on.
  await button(page, "Hold the picture").click();
  await page.waitForTimeout(2_500);
  const [heldFirst, inputFirst] = [await picture(page), await picture(page, INPUT)];
  await page.waitForTimeout(1_500);
  const [heldThen, inputThen] = [await picture(page), await picture(page, INPUT)];
  if (!heldFirst || !heldThen || !inputFirst || !inputThen) throw new Error("there was no picture");
  expect(meanDifference(heldFirst, heldThen)).toBeLessThan(0.5 * meanDifference(inputFirst, inputThen));
  await button(page, "Go on").click();
  await untilPicture(page, OUTPUT, (p) => meanDifference(p, heldThen) > 2);

  // Somebody else changes it over HTTP: the controls follow, and so does the picture; what is being written stays.
  await page.getByLabel("Prompt", { exact: true }).fill("a draft");
  const { sessions } = (await (await fetch(`${product.url}/api/v1/sessions`)).json()) as {
    sessions: { id: string }[];
  };
  const change = { prompts: "sepia", noise_scale: 0.8 };
  await fetch(`${product.url}/api/v1/sessions/${sessions[0]?.id}/parameters`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(change),
  });
  await page.getByText(/^Changed from elsewhere: .*noise/i).waitFor();
  await untilPicture(page, OUTPUT, isSepia);
  expect(await page.getByRole("slider", { name: "Noise" }).getAttribute("aria-valuenow")).toBe("0.8");
  expect(await button(page, "Sepia").getAttribute("aria-pressed")).toBe("true");
  expect(await page.getByLabel("Prompt", { exact: true }).inputValue()).toBe("a draft");
  await sendPrompt(page, "black and white");
  await untilPicture(page, OUTPUT, isGrey);

  // A link holds the look.
  await button(page, "Copy a link to this look").click();
  await page.getByText("The link is copied").waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const other = await openStudio(product.browser, link);
  await startSource(other.page, "Moving scene");
  await untilPicture(other.page, OUTPUT, isGrey);
  expect(problems).toEqual([]);
  await Promise.all([context.close(), other.context.close()]);
});

test("a timeline plays prompts one after the other, and is kept as a file", async () => {
  await loadSmall(product.url);
  const { page, problems, context } = await openStudio(product.browser, product.url);
  await startSource(page, "Sample clip");
  await button(page, "Timeline").click();
  await page.getByLabel("Length in seconds").fill("8");
  await page.keyboard.press("Enter");
  await sendPrompt(page, "sepia");
  await button(page, "Add at playhead").click();
  const playhead = page.getByRole("slider", { name: "Playhead" });
  await playhead.press("End");
  await sendPrompt(page, "black and white");
  await button(page, "Add at playhead").click();
  await button(page, "Loop").click();
  await untilPicture(page, OUTPUT, isGrey);
  await playhead.press("Home");
  await button(page, "Play the timeline").click();
  await untilPicture(page, OUTPUT, isSepia);
  await untilPicture(page, OUTPUT, isGrey);

  // The second event is moved to the middle by the mouse, saved, cleared and opened again.
  const band = page.getByRole("button", { name: "black and white, at 8 seconds" });
  const track = await page.getByRole("slider", { name: "Playhead" }).locator("..").boundingBox();
  await band.dispatchEvent("focus");
  await band.press("ArrowLeft");
  const moved = page.getByRole("button", { name: "black and white, at 7.5 seconds" });
  const box = await moved.boundingBox();
  if (track === null || box === null) throw new Error("the timeline is not to be seen");
  await page.mouse.move(box.x + 4, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(track.x + track.width / 2, box.y + box.height / 2, { steps: 5 });
  await page.mouse.up();
  await page.getByRole("button", { name: /black and white, at 4(\.\d+)? seconds/ }).waitFor();
  const { bytes } = await downloaded(page, () => button(page, "Save as a file").click());
  const text = bytes.toString("utf8");
  expect(JSON.parse(text)).toMatchObject({ everframe: "timeline", lengthS: 8, events: [{ atS: 0 }, {}] });
  await button(page, "Clear the timeline").click();
  await page.getByText("Choose a look, then add it here").waitFor();
  const file = { name: "timeline.json", mimeType: "application/json", buffer: Buffer.from(text) };
  await page.getByLabel("Timeline file", { exact: true }).setInputFiles(file);
  await page.getByRole("button", { name: /black and white, at 4/ }).waitFor();
  expect(problems).toEqual([]);
  await context.close();
});

test("the source changes under the running stream, to another and to text alone", async () => {
  await loadSmall(product.url);
  const { page, problems, context } = await openStudio(product.browser, product.url);
  await startSource(page, "Sample clip");
  await sendPrompt(page, "sepia");
  await untilPicture(page, OUTPUT, isSepia);
  const clip = await picture(page, INPUT);
  await page.getByRole("button", { name: "Source: Sample clip" }).click();
  await page.getByRole("menuitemradio", { name: "Moving scene" }).click();
  const scene = await untilPicture(page, INPUT, (p) => clip !== undefined && meanDifference(p, clip) > 25);
  await untilPicture(page, OUTPUT, async (p) => {
    const now = (await picture(page, INPUT)) ?? scene;
    return isSepia(p) && structureCorrelation(p, now) > 0.3;
  });
  await page.getByRole("button", { name: "Source: Moving scene" }).click();
  await page.getByRole("menuitemradio", { name: "Text alone" }).click();
  await page.locator(INPUT).waitFor({ state: "detached" });
  await untilPicture(page, OUTPUT, (p) => Math.abs(structureCorrelation(p, scene)) < 0.2);
  expect(problems).toEqual([]);
  await context.close();
});
