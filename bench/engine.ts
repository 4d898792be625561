// The model alone, in this process: milliseconds a chunk by stage, with no network and no browser.
import { readFileSync } from "node:fs";
import { type Chunk, type Frame, LongLiveModel } from "@everframe/longlive";
import { defaultParameters, type Parameters } from "@everframe/protocol";
import { median, type Row } from "./table.ts";

export type EngineCase = { name: string; width: number; height: number; vace: boolean };

/** Median figures of `chunks` chunks after `warmUp` ones, for one size and mode, at the steps [700, 500]. */
export async function benchEngine(folder: string, item: EngineCase, chunks: number, warmUp = 5): Promise<Row> {
  const model = await LongLiveModel.load(folder, { width: item.width, height: item.height, vace: true });
  const stream = model.openStream({ seed: 42 });
  const parameters: Parameters = {
    ...defaultParameters(),
    inputMode: "video",
    prompts: [{ text: "pencil sketch", weight: 1 }],
    denoisingStepList: [700, 500],
    vaceEnabled: item.vace,
  };
  const results: Chunk[] = [];
  for (let index = 0; index < warmUp + chunks; index++) {
    const frames = Array.from({ length: 12 }, (_, f) => movingFrame(576, 320, index * 12 + f));
    const chunk = await stream.generate({ parameters, frames });
    if (index >= warmUp) results.push(chunk);
  }
  stream.close();
  await model.close();
  const stage = (pick: (t: Chunk["timingsMs"]) => number): number => median(results.map((c) => pick(c.timingsMs)));
  const total = stage((t) => t.total);
  return {
    case: item.name,
    resize: stage((t) => t.resize),
    encode: stage((t) => t.encode),
    vace: stage((t) => t.vace),
    "denoise 1": stage((t) => t.denoise[0] ?? 0),
    "denoise 2": stage((t) => t.denoise[1] ?? 0),
    cache: stage((t) => t.cache),
    decode: stage((t) => t.decode),
    "chunk ms": total,
    "frames/s": 12_000 / total,
    "peak MB": peakMemoryMb(process.pid),
  };
}

/** Largest resident size that a process ever had, in MB; NaN where the system does not tell. */
export function peakMemoryMb(pid: number): number {
  return memoryMb(pid, "VmHWM");
}

/** Resident size of a process now, in MB; NaN where the system does not tell. */
export function residentMemoryMb(pid: number): number {
  return memoryMb(pid, "VmRSS");
}

function memoryMb(pid: number, field: string): number {
  if (process.platform !== "linux") return Number.NaN;
  const line = readFileSync(`/proc/${pid}/status`, "utf8").match(new RegExp(`${field}:\\s+(\\d+) kB`));
  return Number(line?.[1] ?? Number.NaN) / 1024;
}

function movingFrame(width: number, height: number, index: number): Frame {
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 4;
      const disc = (x - 200 - 3 * (index % 60)) ** 2 + (y - 150) ** 2 < 3600;
      data[at] = disc ? 220 : (x / 3 + index) & 255;
      data[at + 1] = disc ? 60 : (y / 2) & 255;
      data[at + 2] = disc ? 40 : ((x + y) / 4) & 255;
      data[at + 3] = 255;
    }
  }
  return { width, height, data };
}
