import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { longliveNeeds } from "./longlive-needs.ts";

const tiny = { folder: fileURLToPath(new URL("../../../../models/longlive-tiny", import.meta.url)) };
const large = { folder: "anywhere", files: {} };
const total = (needs: { loadBytes: number; streamBytes: number } | undefined) => needs!.loadBytes + needs!.streamBytes;

describe("longliveNeeds", () => {
  it("is enough for what was measured of the small model, and not several times as much", () => {
    for (const [width, height, measuredBytes] of [
      [320, 176, 280e6],
      [576, 320, 750e6],
    ] as const) {
      const bytes = total(longliveNeeds(tiny, { width, height, vace: true }));
      expect(bytes).toBeGreaterThan(measuredBytes);
      expect(bytes).toBeLessThan(3 * measuredBytes);
    }
  });

  it("takes the model's own size where none is named, and grows with the picture", () => {
    const own = longliveNeeds(tiny, { vace: true })!;
    expect(own).toEqual(longliveNeeds(tiny, { width: 320, height: 176, vace: true }));
    const huge = longliveNeeds(tiny, { width: 2048, height: 2048, vace: true })!;
    expect(huge.loadBytes).toBeGreaterThan(10 * own.loadBytes);
    expect(huge.streamBytes).toBeGreaterThan(50 * own.streamBytes);
  });

  it("counts the 1.3B model, its condition branch and its size", () => {
    const plain = longliveNeeds(large, { vace: false })!;
    expect(total(plain)).toBeGreaterThan(10e9);
    expect(longliveNeeds(large, { vace: true })!.loadBytes).toBeGreaterThan(plain.loadBytes + 2e9);
    const bigger = longliveNeeds(large, { vace: false, width: 1152, height: 640 })!;
    expect(bigger.streamBytes).toBeCloseTo(4 * plain.streamBytes);
  });

  it("is unknown for a folder without a model", () => {
    expect(longliveNeeds({ folder: "/nowhere" }, { vace: true })).toBeUndefined();
  });
});
