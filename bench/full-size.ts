// `npm run full-size -- DIR`: loads the 1.3B checkpoint in DIR (Daydream Scope's layout), makes chunks with it, and prints
// what each part took and the memory it held. `npm run random-checkpoint` writes one of random numbers, for which times
// and memory are the same. `--mode text|video|vace` (default vace), `--chunks N` (1), `--vae wan|lightvae|tae|lighttae`,
// `--width`, `--height` (576x320). Linux only: it reads /proc.
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { type Frame, LongLiveModel } from "@everframe/longlive";
import { defaultParameters, type Parameters } from "@everframe/protocol";
import { formatTable, type Row } from "./table.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mode: { type: "string", default: "vace" },
    chunks: { type: "string", default: "1" },
    vae: { type: "string", default: "wan" },
    width: { type: "string", default: "576" },
    height: { type: "string", default: "320" },
  },
});
const [folder] = positionals;
const mode = (["text", "video", "vace"] as const).find((name) => name === values.mode);
const vaeType = (["wan", "lightvae", "tae", "lighttae"] as const).find((type) => type === values.vae);
if (folder === undefined || mode === undefined || vaeType === undefined) {
  throw new Error("usage: npm run full-size -- DIR [--mode text|video|vace] [--vae wan|lightvae|tae|lighttae]");
}
const size = { width: Number(values.width), height: Number(values.height) };

const rows: Row[] = [];
let part = "start";
let startedMs = performance.now();
let startedCpu = process.cpuUsage();

/** Ends one part of the work and begins another. */
function next(name: string): void {
  const status = readFileSync("/proc/self/status", "utf8");
  const gb = (field: string) => Number(status.match(new RegExp(`${field}:\\s+(\\d+) kB`))?.[1]) / 1e6;
  const { user, system } = process.cpuUsage(startedCpu);
  rows.push({
    part,
    seconds: (performance.now() - startedMs) / 1000,
    "of processors": (user + system) / 1e6,
    "GB after": gb("VmRSS"),
    "GB at most": gb("VmHWM"),
  });
  console.error(JSON.stringify(rows.at(-1)));
  // Starts the count of the most memory anew.
  writeFileSync("/proc/self/clear_refs", "5");
  part = name;
  startedMs = performance.now();
  startedCpu = process.cpuUsage();
}

function picture(index: number): Frame {
  const { width, height } = size;
  const data = new Uint8Array(4 * width * height).map((_, at) => ((at >> 2) % width) + 3 * index);
  return { width, height, data };
}

const model = await LongLiveModel.load(folder, {
  ...size,
  vace: mode === "vace",
  vaeType,
  onStage: (stage) => next(`load ${stage}`),
  log: (line) => console.error(line),
});
const stream = model.openStream({ seed: 1 });
const stages: Row[] = [];
for (let chunk = 1; chunk <= Number(values.chunks); chunk++) {
  next(`chunk ${chunk}`);
  const frames = Array.from({ length: 12 }, (_, i) => picture(12 * chunk + i));
  const parameters: Parameters = {
    ...defaultParameters(),
    inputMode: mode === "text" ? "text" : "video",
    prompts: [{ text: "a red cat on a blue roof, pencil sketch", weight: 1 }],
    vaceEnabled: mode === "vace",
  };
  const { timingsMs, frames: made } = await stream.generate({ parameters, frames });
  const { denoise, ...others } = timingsMs;
  const passes = Object.fromEntries(denoise.map((ms, i) => [`denoise ${i + 1}`, ms]));
  const seconds = Object.entries({ ...passes, ...others }).map(([name, ms]) => [name, ms / 1000] as const);
  stages.push({ chunk, frames: made.length, ...Object.fromEntries(seconds) });
}
next("end");
stream.close();
await model.close();
const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}`;
console.log(`${machine}; ${mode}, ${size.width}x${size.height}, ${vaeType}\n\n${formatTable(rows)}`);
console.log(`\nSeconds by stage:\n\n${formatTable(stages)}`);
process.exit(0);
