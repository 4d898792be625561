/**
 * From facts to a verdict: what this machine can run, how fast, and what to do
 * about each "no". The speed of the 1.3B model follows from the operations that
 * a chunk takes and the measured speed of matrix products.
 */
import { byteText, durationText } from "../models/byte-text.ts";
import { CHUNK_TFLOP, FRAMES_PER_CHUNK, VIDEO_CODEC_TFLOP, wanMemoryBytes } from "../models/wan-costs.ts";
import { driverAdvice } from "./driver-advice.ts";
import type { Facts } from "./facts.ts";

/** Of the speed of large matrix products, what a whole model reaches: measured on small transformers in float32. */
const MODEL_SHARE = 0.65;
/** Fewer pictures a second do not look like video. */
const LIVE_FPS = 10;
/** A graphics processor slower than this is a processor in disguise. */
export const SOFTWARE_GFLOPS = 50;

export type Verdict = "yes" | "slow" | "no";
export type Ability = {
  what: string;
  verdict: Verdict;
  detail: string;
  /** What to do, where there is something to do. */
  advice: string[];
};
export type Entry = { name: string; text: string };
export type Report = { machine: Entry[]; models: Entry[]; abilities: Ability[] };

export function doctorReport(facts: Facts): Report {
  return {
    machine: machineEntries(facts),
    models: modelEntries(facts),
    abilities: [webrtcAbility(facts), smallAbility(facts), gpuAbility(facts), wanAbility(facts)],
  };
}

/** Pictures a second of the 1.3B model at 576x320, for a speed of matrix products in 10^9 operations a second. */
export function wanFps(gflops: number): Record<"text" | "video" | "vace" | "videoLight", number> {
  const fps = (tflop: number) => (FRAMES_PER_CHUNK * gflops * MODEL_SHARE) / (tflop * 1000);
  const { text, video, vace } = CHUNK_TFLOP;
  const videoLight = video - VIDEO_CODEC_TFLOP.wan + VIDEO_CODEC_TFLOP.lightvae;
  return { text: fps(text), video: fps(video), vace: fps(vace), videoLight: fps(videoLight) };
}

function machineEntries({ system, gpus, cache, cpuSpeed, gpuSpeed }: Facts): Entry[] {
  const speedText = (speed: Facts["cpuSpeed"]) =>
    "error" in speed ? `not measured: ${speed.error}` : `${gflopsText(speed.value.gflops)} (float32)`;
  const busy = system.load > system.cores / 2 ? "; others are using it now, so alone it is faster" : "";
  return [
    { name: "system", text: `${system.platform} ${system.release}, ${system.arch}, Node ${system.node}` },
    { name: "processor", text: `${system.processor}, ${system.cores} cores, ${speedText(cpuSpeed)}${busy}` },
    { name: "memory", text: `${byteText(system.memoryBytes)}, ${byteText(system.freeMemoryBytes)} unused` },
    { name: "GPU", text: gpus.length === 0 ? "none that the system names" : gpus.join("; ") },
    { name: "WebGPU", text: speedText(gpuSpeed) },
    {
      name: "disk",
      text: `${cache.freeBytes === undefined ? "unknown room" : `${byteText(cache.freeBytes)} free`} for downloads, in ${cache.folder}`,
    },
  ];
}

function modelEntries({ small, wan13b, modelsDir, cache }: Facts): Entry[] {
  const wan = {
    complete: "installed",
    partial: `incomplete: ${wan13b.missing.join(", ")} (about ${byteText(wan13b.missingBytes)}) missing`,
    none: "not installed",
  }[wan13b.state];
  return [
    { name: "longlive-tiny", text: small.isInstalled ? small.folder : `not in ${small.folder}` },
    { name: "LongLive 1.3B", text: `${wan} (looked into ${modelsDir} and ${cache.folder})` },
  ];
}

function webrtcAbility({ webrtc, system }: Facts): Ability {
  const what = "Video over WebRTC";
  if ("value" in webrtc) return { what, verdict: "yes", detail: "the library loads", advice: [] };
  const advice = [
    `Run "npm ci" again. If that does not help, there is no build for this system (${system.platform} ${system.arch}): ` +
      "use Linux with glibc (not Alpine), macOS, or Windows on x64.",
  ];
  return { what, verdict: "no", detail: webrtc.error, advice };
}

function smallAbility({ small, cpuSpeed }: Facts): Ability {
  const what = "longlive-tiny, live";
  if (!small.isInstalled) {
    const advice = ["Fetch the whole repository again: the model comes with it."];
    return { what, verdict: "no", detail: `there is no model in ${small.folder}`, advice };
  }
  const { speed } = small;
  if ("error" in speed) {
    return { what, verdict: "no", detail: speed.error, advice: ['Run "npm ci" again, and report this if it stays.'] };
  }
  const { width, height, framesPerSecond } = speed.value;
  const detail = `${framesPerSecond.toFixed(1)} frames per second at ${width}x${height}, measured`;
  if (framesPerSecond >= LIVE_FPS) return { what, verdict: "yes", detail, advice: [] };
  const advice = ["Close other programs, or load the pipeline with a smaller size."];
  if ("value" in cpuSpeed && cpuSpeed.value.engine === "wasm") {
    advice.unshift(
      "The native engine does not load, and its stand-in is several times slower: use a system it has a build for.",
    );
  }
  return { what, verdict: "slow", detail, advice };
}

function gpuAbility({ gpuSpeed, gpus, system }: Facts): Ability {
  const what = "Computing on the GPU (WebGPU)";
  const advice =
    gpus.length === 0 ? "Nothing to do where there is no GPU: the processor computes." : driverAdvice(system);
  if ("error" in gpuSpeed) {
    return { what, verdict: "no", detail: gpuSpeed.error, advice: [advice] };
  }
  const { gflops } = gpuSpeed.value;
  const detail = `${gflopsText(gflops)} in float32`;
  if (gflops >= SOFTWARE_GFLOPS) {
    return { what, verdict: "yes", detail: `${detail}, used by: npm start -- --device webgpu`, advice: [] };
  }
  return { what, verdict: "no", detail: `the only driver computes in software (${detail})`, advice: [advice] };
}

function wanAbility(facts: Facts): Ability {
  const { wan13b, system, cache, cpuSpeed, gpuSpeed } = facts;
  const what = "LongLive 1.3B at 576x320";
  const obstacles: string[] = [];
  const advice: string[] = [];
  if (wan13b.state !== "complete") {
    obstacles.push(wan13b.state === "none" ? "it is not installed" : "files are missing");
    advice.push(...downloadAdvice(wan13b.missingBytes, cache));
  }
  const [least, most] = [wanMemoryBytes({ vace: false }), wanMemoryBytes({ vace: true })];
  if (system.memoryBytes < least) {
    obstacles.push(`it needs ${byteText(least)} of memory, and this machine has ${byteText(system.memoryBytes)}`);
    advice.push("Use a machine with more memory.");
  } else if (system.memoryBytes < most) {
    advice.push(`Load it with vace_enabled false: with VACE it needs ${byteText(most)} of memory.`);
  }
  const speeds: string[] = [];
  let best = 0;
  for (const [device, speed] of [
    ["processor", cpuSpeed],
    ["GPU", gpuSpeed],
  ] as const) {
    if ("error" in speed || (device === "GPU" && speed.value.gflops < SOFTWARE_GFLOPS)) continue;
    const { text, video, vace, videoLight } = wanFps(speed.value.gflops);
    // The server computes on the processor, so that one decides.
    if (device === "processor") best = video;
    speeds.push(
      `${device}: text ${fpsText(text)}, video ${fpsText(video)} (${fpsText(videoLight)} with vae_type lightvae), VACE ${fpsText(vace)}`,
    );
  }
  const expected = speeds.length === 0 ? "its speed cannot be told" : `expected ${speeds.join("; ")}`;
  if (obstacles.length > 0) return { what, verdict: "no", detail: `${obstacles.join("; ")}; ${expected}`, advice };
  if (best < LIVE_FPS) advice.push("For live video use longlive-tiny (pipeline_id longlive-tiny).");
  return { what, verdict: best < LIVE_FPS ? "slow" : "yes", detail: expected, advice };
}

function downloadAdvice(missingBytes: number, cache: Facts["cache"]): string[] {
  const advice = [`Fetch it: npm start -- download longlive (about ${byteText(missingBytes)}).`];
  if (cache.offline) advice.push("Unset HF_HUB_OFFLINE for that, or put the files into the models folder.");
  if (cache.freeBytes !== undefined && cache.freeBytes < missingBytes) {
    advice.push(
      `Make room first, or set HF_HUB_CACHE to a folder on another disk: ${byteText(cache.freeBytes)} are free.`,
    );
  }
  return advice;
}

function gflopsText(gflops: number): string {
  return `${gflops < 10 ? gflops.toPrecision(2) : Math.round(gflops)} GFLOP/s`;
}

/** Frames a second, or where that is less than one the time that a chunk takes. */
function fpsText(fps: number): string {
  if (fps >= 1) return `${fps.toFixed(fps < 10 ? 1 : 0)} fps`;
  return `${durationText(FRAMES_PER_CHUNK / fps)} for ${FRAMES_PER_CHUNK} frames`;
}
