// What a machine can run, in words.
import type { HardwareInfo } from "@everframe/client";

export type Fit = { isEnough: boolean; text: string };

/** Whether a model that needs so much memory fits; undefined when nobody said what it needs, or what there is. */
export function canRun(neededGb: number | null, hardware: HardwareInfo | undefined): Fit | undefined {
  if (neededGb === null || hardware === undefined) return undefined;
  const needed = Math.ceil(neededGb);
  const { vram_gb: vram, memory_gb: memory } = hardware;
  if (vram !== null && vram >= neededGb) {
    return { isEnough: true, text: `Needs about ${needed} GB: it fits into this machine's graphics memory.` };
  }
  if (memory >= neededGb) {
    return {
      isEnough: true,
      text: `Needs about ${needed} GB: it fits into memory. On a processor it is far from live; use the small model for that.`,
    };
  }
  return {
    isEnough: false,
    text: `Needs about ${needed} GB; this machine has ${Math.round(memory)} GB. It will not run here.`,
  };
}

/** "24 GB of its own" */
export function memoryText(vramGb: number | null): string {
  return vramGb === null ? "The processor computes" : `${Math.round(vramGb)} GB of its own`;
}
