import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ImageDecoder } from "./image-decoder.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "everframe-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A picture of one colour. */
function plain(width: number, height: number, background: string) {
  return sharp({ create: { width, height, channels: 3, background } });
}

async function save(name: string, content: Buffer | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe("ImageDecoder", () => {
  it("reads PNG, JPEG and WebP as RGBA", async () => {
    for (const format of ["png", "jpeg", "webp"] as const) {
      const path = await save(`red.${format}`, await plain(6, 4, "#ff0000").toFormat(format).toBuffer());
      const { width, height, data } = (await new ImageDecoder().decode(path)).copy();
      expect([width, height, data.length]).toEqual([6, 4, 6 * 4 * 4]);
      const [red, green, blue, alpha] = data;
      expect(red).toBeGreaterThan(245);
      expect(green).toBeLessThan(10);
      expect(blue).toBeLessThan(10);
      expect(alpha).toBe(255);
    }
  });

  it("reads grey and 16-bit pictures, and keeps transparency", async () => {
    const decoder = new ImageDecoder();
    const grey = await save("grey.png", await plain(2, 2, "#808080").toColourspace("b-w").png().toBuffer());
    expect([...(await decoder.decode(grey)).copy().data.subarray(0, 4)]).toEqual([128, 128, 128, 255]);
    const deep = await save("deep.png", await plain(2, 2, "#0000ff").toColourspace("rgb16").png().toBuffer());
    expect([...(await decoder.decode(deep)).copy().data.subarray(0, 4)]).toEqual([0, 0, 255, 255]);
    const clear = await save("clear.png", await plain(2, 2, "#00ff00").ensureAlpha(0).png().toBuffer());
    expect([...(await decoder.decode(clear)).copy().data.subarray(0, 4)]).toEqual([0, 255, 0, 0]);
  });

  it("turns a picture as its EXIF orientation says, and shrinks what no model can use", async () => {
    const turned = await plain(8, 4, "#123456").withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect((await new ImageDecoder().decode(await save("turned.jpg", turned))).copy()).toMatchObject({
      width: 4,
      height: 8,
    });
    const wide = await plain(4096, 64, "#123456").png().toBuffer();
    expect((await new ImageDecoder().decode(await save("wide.png", wide))).copy()).toMatchObject({
      width: 2048,
      height: 32,
    });
  });

  it("knows a file again, and one that was replaced as another", async () => {
    const decoder = new ImageDecoder();
    const path = await save("again.png", await plain(2, 2, "#ff0000").png().toBuffer());
    const first = await decoder.decode(path);
    expect(await decoder.decode(path)).toBe(first);
    first.copy().data.fill(0);
    expect(first.copy().data[0]).toBe(255);
    await save("again.png", await plain(3, 3, "#0000ff").png().toBuffer());
    const second = await decoder.decode(path);
    expect(second.key).not.toBe(first.key);
    expect(second.copy()).toMatchObject({ width: 3, height: 3 });
  });

  it("says what is wrong with a file that it cannot use", async () => {
    const png = await plain(64, 64, "#ff0000").png().toBuffer();
    const large = Buffer.from(await plain(1, 1, "#fff").png().toBuffer());
    const cases: [string, Buffer | string, RegExp][] = [
      ["text.png", "no image at all", /no image of a format/],
      ["empty.png", "", /empty/i],
      ["cut.png", png.subarray(0, png.length - 40), /cut\.png cannot be used/],
      ["old.bmp", Buffer.from(`BM${"\0".repeat(60)}`, "latin1"), /PNG, JPEG or WebP/],
      ["drawing.png", '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', /svg/],
      ["large.png", withSize(large, 9000, 8000), /more than 64 megapixels/],
    ];
    for (const [name, content, message] of cases) {
      const path = await save(name, content);
      const expected = { code: "asset_unreadable", message: expect.stringMatching(message) };
      await expect(new ImageDecoder().decode(path), name).rejects.toMatchObject(expected);
    }
    await expect(new ImageDecoder().decode(join(folder, "gone.png"))).rejects.toMatchObject({
      code: "asset_unreadable",
    });
  });
});

/** A PNG whose header claims another size (IHDR, PNG specification section 11.2.1). */
function withSize(png: Buffer, width: number, height: number): Buffer {
  const changed = Buffer.from(png);
  changed.writeUInt32BE(width, 16);
  changed.writeUInt32BE(height, 20);
  changed.writeUInt32BE(crc32(changed.subarray(12, 29)), 29);
  return changed;
}
