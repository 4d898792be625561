/** Sessions that name images, over real WebRTC; the stand-in for the model says what it got. */
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { HubCache } from "../models/hub-cache.ts";
import { longlive } from "../pipelines/longlive.ts";
import { Rig } from "../testing/rig.ts";
import { type TestClient, until } from "../testing/test-client.ts";

const modelModule = new URL("../testing/stand-in-model.ts", import.meta.url).href;
let rig: Rig;

beforeAll(async () => {
  const places = { modelsDir: "unused", cache: new HubCache("unused") };
  rig = await Rig.start({ pipelines: [longlive("longlive", { places, loraDir: "unused", modelModule })] });
  await rig.load("longlive", { seed: 90, width: 64, height: 48 });
  await upload("red.png", await png(4, 3, "#ff0000"));
  await upload("blue.png", await png(5, 2, "#0000ff"));
  await upload("broken.png", Buffer.from("\x89PNG\r\n\x1a\nno image at all", "latin1"));
});
afterEach(() => rig.closeClients());
afterAll(() => rig.close());

function png(width: number, height: number, background: string): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer();
}

async function upload(filename: string, content: Buffer): Promise<void> {
  const response = await rig.ask(`/api/v1/assets?filename=${filename}`, {
    method: "POST",
    body: new Uint8Array(content),
  });
  if (!response.ok) throw new Error(await response.text());
}

/** What the model got, chunk by chunk, of the chunks that got images. */
function got(client: TestClient): string[] {
  return client
    .told("error")
    .filter((one) => one.code === "left_out")
    .map((one) => one.message.replace(/^Chunk \d+ got |\.$/g, ""));
}

describe("a session with images", () => {
  it("[PAR12] gives the model references when they change, and an empty list to clear them", async () => {
    const client = await rig.connect({ parameters: { prompts: "grey", vace_ref_images: ["red.png"] } });
    const expected = ["references [4x3:255/0/0/255]"];
    await until(() => got(client).length === 1, "the references");
    await client.receive(30);
    // Named again with another parameter, as a page with sliders does.
    await client.send({ noise_scale: 0.4, vace_ref_images: ["red.png"] });
    await client.receive(30);
    expect(got(client)).toEqual(expected);
    await client.send({ vace_ref_images: ["red.png", "blue.png"] });
    expected.push("references [4x3:255/0/0/255 5x2:0/0/255/255]");
    await until(() => got(client).length === 2, "the new references");
    await upload("red.png", await png(4, 3, "#00ff00"));
    await client.send({ vace_ref_images: ["red.png", "blue.png"] });
    expected.push("references [4x3:0/255/0/255 5x2:0/0/255/255]");
    await until(() => got(client).length === 3, "the file that was replaced");
    await client.send({ vace_ref_images: [] });
    expected.push("references []");
    await until(() => got(client).length === 4, "no references");
    await client.receive(30);
    expect(got(client)).toEqual(expected);
  });

  it("gives one chunk its first and last image", async () => {
    const client = await rig.connect({ parameters: { prompts: "grey" } });
    await client.receive(5);
    await client.send({ first_frame_image: "blue.png", last_frame_image: "blue.png" });
    await until(() => got(client).length === 1, "the images");
    await client.receive(30);
    expect(got(client)).toEqual(["first 5x2:0/0/255/255, last 5x2:0/0/255/255"]);
  });

  it("[PAR12] leaves out what it cannot read, says so once, and goes on", async () => {
    const client = await rig.connect({ parameters: { prompts: "grey", vace_ref_images: ["broken.png", "blue.png"] } });
    await until(() => got(client).length === 1, "the other reference");
    await client.receive(15);
    await client.send({ vace_ref_images: ["broken.png", "blue.png"] });
    await client.receive(30);
    expect(got(client)).toEqual(["references [5x2:0/0/255/255]"]);
    const problems = () => client.told("error").filter((one) => one.code === "asset_unreadable");
    expect(problems()).toEqual([
      {
        type: "error",
        code: "asset_unreadable",
        message: expect.stringMatching(/broken\.png cannot be used: .*Upload it again as PNG, JPEG or WebP\.$/),
        retryable: false,
      },
    ]);
    await client.send({ first_frame_image: "broken.png" });
    await until(() => problems().length === 2, "the second message");
    await client.receive(30);
    expect(got(client)).toHaveLength(1);
    expect(client.told("stream_stopped")).toEqual([]);
  });

  it("passes on what the model leaves out, once while it goes on", async () => {
    const since = rig.logLines.length;
    const client = await rig.connect({ parameters: { prompts: "grey warn" } });
    await client.receive(45);
    expect(got(client)).toEqual(["A stand-in warning"]);
    await client.send({ prompts: "grey" });
    await client.receive(45);
    await client.send({ prompts: "grey warn" });
    await until(() => got(client).length === 2, "the warning anew");
    expect(rig.logLines.slice(since).filter((line) => line.includes("A stand-in warning"))).toHaveLength(1);
  });
});
