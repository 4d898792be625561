import type { HardwareInfo } from "@everframe/client";
import { expect, test } from "vitest";
import { canRun, memoryText } from "./machine.ts";

const machine = (memory: number, vram: number | null = null) => ({ memory_gb: memory, vram_gb: vram }) as HardwareInfo;

test("a model fits into graphics memory, into memory, or not at all", () => {
  expect(canRun(15, machine(64, 24))).toMatchObject({
    isEnough: true,
    text: expect.stringContaining("graphics memory"),
  });
  expect(canRun(15, machine(64))).toMatchObject({ isEnough: true, text: expect.stringContaining("far from live") });
  expect(canRun(15.2, machine(8))).toEqual({
    isEnough: false,
    text: "Needs about 16 GB; this machine has 8 GB. It will not run here.",
  });
});

test("nothing is said where nothing is known", () => {
  expect(canRun(null, machine(64))).toBeUndefined();
  expect(canRun(15, undefined)).toBeUndefined();
  expect(memoryText(null)).not.toContain("GB");
});
