/** What the machine has, for clients. The list of graphics processors is asked for once: it takes a while. */
import { availableParallelism, cpus, freemem } from "node:os";
import type { HardwareInfo } from "@everframe/protocol";
import { memoryBytes } from "../models/machine-memory.ts";
import { listGpus } from "./gpu-names.ts";

const GIB = 1024 ** 3;
const NOT_HERE = {
  available: false,
  reason: "This server sends and receives video over WebRTC only.",
  install_hint: null,
};

let gpus: Promise<string[]> | undefined;

export async function readHardware(): Promise<HardwareInfo> {
  gpus ??= listGpus();
  const names = await gpus;
  return {
    vram_gb: largestVram(names),
    gpus: names,
    processor: cpus()[0]?.model.trim() || "unknown processor",
    cores: availableParallelism(),
    memory_gb: round(memoryBytes() / GIB),
    free_memory_gb: round(freemem() / GIB),
    platform: process.platform,
    arch: process.arch,
    node: process.versions.node,
    spout_available: false,
    spout: NOT_HERE,
    ndi: NOT_HERE,
    syphon: NOT_HERE,
  };
}

/** GiB of the card with the most memory, from names such as "NVIDIA H100, driver 550.54, 81559 MiB"; null without any. */
export function largestVram(names: readonly string[]): number | null {
  const sizes = names.flatMap((name) => [/ (\d+) MiB$/.exec(name)?.[1] ?? []].flat().map(Number));
  return sizes.length === 0 ? null : round(Math.max(...sizes) / 1024);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
