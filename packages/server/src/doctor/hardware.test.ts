import { describe, expect, it } from "vitest";
import { largestVram } from "./hardware.ts";

describe("largestVram", () => {
  it("takes the largest card whose memory is known", () => {
    expect(largestVram(["NVIDIA T4, driver 550.54, 15360 MiB", "NVIDIA H100, driver 550.54, 81559 MiB"])).toBe(79.6);
    expect(largestVram(["Intel 0x9a49, driver i915"])).toBeNull();
    expect(largestVram([])).toBeNull();
  });
});
