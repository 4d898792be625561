/** The small trained model through the whole server: its prompts act on the client's video. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Rig } from "./testing/rig.ts";
import { type TestClient, until } from "./testing/test-client.ts";
import type { I420Frame } from "./webrtc/media-peer.ts";

const WIDTH = 320;
const HEIGHT = 176;
const live = { input_mode: "video", denoising_step_list: [700, 500], noise_scale: 0.7, prompts: "photo" };
let rig: Rig;

beforeAll(async () => {
  rig = await Rig.start();
  expect(await rig.load("longlive")).toMatchObject({
    pipeline_id: "longlive",
    model: "longlive-tiny",
    load_params: { width: WIDTH, height: HEIGHT, vace_enabled: true },
  });
});
afterEach(() => rig.closeClients());
afterAll(() => rig.close());

/** A blue and an orange half with a bright bar that moves. */
function drawColours(data: Uint8Array, index: number): void {
  const chroma = WIDTH * HEIGHT;
  const halfWidth = WIDTH / 2;
  const plane = halfWidth * (HEIGHT / 2);
  data.fill(110, 0, chroma);
  for (let y = 0; y < HEIGHT; y++) {
    const bar = y * WIDTH + ((index * 4) % (WIDTH - 20));
    data.fill(210, bar, bar + 20);
  }
  for (let y = 0; y < HEIGHT / 2; y++) {
    const row = chroma + y * halfWidth;
    data.fill(190, row, row + halfWidth / 2).fill(80, row + halfWidth / 2, row + halfWidth);
    data
      .fill(90, plane + row, plane + row + halfWidth / 2)
      .fill(180, plane + row + halfWidth / 2, plane + row + halfWidth);
  }
}

/** Mean distance of the chroma from grey. */
function colourfulness({ width, height, data }: I420Frame): number {
  const chroma = data.subarray(width * height);
  return chroma.reduce((sum, value) => sum + Math.abs(value - 128), 0) / chroma.length;
}

function meanColour(client: TestClient): number {
  const frames = client.frames.slice(-6);
  return frames.reduce((sum, frame) => sum + colourfulness(frame), 0) / frames.length;
}

for (const [mode, vace_enabled] of [
  ["Normal", false],
  ["VACE", true],
] as const) {
  describe(`longlive-tiny in ${mode} mode`, () => {
    it("follows a prompt that is sent while it runs", async () => {
      const client = await rig.connect({
        width: WIDTH,
        height: HEIGHT,
        draw: drawColours,
        parameters: { ...live, vace_enabled },
      });
      await client.receive(60, 60_000);
      const before = meanColour(client);
      expect(client.frames.at(-1)).toMatchObject({ width: WIDTH, height: HEIGHT });
      expect(before).toBeGreaterThan(15);
      await client.send({ prompts: [{ text: "black and white", weight: 1 }] });
      await until(() => meanColour(client) < 0.4 * before, "the colours to go", 30_000);
      expect(client.told("error")).toEqual([]);
    });
  });
}

describe("longlive-tiny", () => {
  it("makes video from text alone", async () => {
    const client = await rig.connect({ direction: "recvonly", parameters: { prompts: "anime" } });
    await client.receive(20, 60_000);
    expect(client.frames.at(-1)).toMatchObject({ width: WIDTH, height: HEIGHT });
  });

  it("gives two clients each their own prompt", async () => {
    const options = { width: WIDTH, height: HEIGHT, draw: drawColours };
    const parameters = { ...live, vace_enabled: true };
    const colour = await rig.connect({ ...options, parameters });
    const grey = await rig.connect({ ...options, parameters: { ...parameters, prompts: "black and white" } });
    await Promise.all([colour.receive(30, 60_000), grey.receive(30, 60_000)]);
    expect(meanColour(grey)).toBeLessThan(0.4 * meanColour(colour));
  });
});
