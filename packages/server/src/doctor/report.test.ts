/** The doctor's verdicts, from made-up machines. */
import { describe, expect, it } from "vitest";
import { reportText } from "./doctor-command.ts";
import type { Facts } from "./facts.ts";
import { doctorReport, wanFps } from "./report.ts";

const speed = (gflops: number, engine: "native" | "wasm" = "native") => ({ value: { engine, gflops } });
const small = (framesPerSecond: number): Facts["small"] => ({
  folder: "/models/longlive-tiny",
  isInstalled: true,
  speed: { value: { width: 320, height: 176, framesPerSecond } },
});

function facts(changes: Partial<Facts> = {}): Facts {
  return {
    system: {
      platform: "linux",
      arch: "x64",
      release: "6.1",
      node: "20.19.0",
      processor: "Test 9000",
      cores: 8,
      load: 0.1,
      memoryBytes: 32e9,
      freeMemoryBytes: 30e9,
    },
    gpus: [],
    cache: { folder: "/cache/hub", freeBytes: 100e9, offline: false },
    modelsDir: "/models",
    cpuSpeed: speed(400),
    gpuSpeed: { error: "No supported adapters" },
    webrtc: { value: true },
    small: small(30),
    wan13b: { state: "complete", missing: [], missingBytes: 0 },
    ...changes,
  };
}

function ability(what: string, changes: Partial<Facts> = {}) {
  const found = doctorReport(facts(changes)).abilities.find((one) => one.what.includes(what))!;
  return { ...found, advice: found.advice.join(" ") };
}

describe("doctorReport", () => {
  it("has advice for each no, and none for a yes", () => {
    const broken: Partial<Facts> = {
      webrtc: { error: "no build" },
      small: { ...small(1), isInstalled: false },
      gpus: ["NVIDIA H100, driver 550.54, 81559 MiB"],
      wan13b: { state: "none", missing: ["a"], missingBytes: 16e9 },
    };
    const verdicts = doctorReport(facts(broken)).abilities;
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(["no", "no", "no", "no"]);
    for (const { what, advice } of verdicts) expect(advice, what).not.toEqual([]);
    const good = doctorReport(facts({ cpuSpeed: speed(1e6), gpuSpeed: speed(1e4) })).abilities;
    expect(good.map(({ verdict, advice }) => [verdict, advice])).toEqual(Array(4).fill(["yes", []]));
  });

  it("tells the small model's measured speed, and why it is slow", () => {
    expect(ability("longlive-tiny")).toMatchObject({
      verdict: "yes",
      detail: "30.0 frames per second at 320x176, measured",
    });
    expect(ability("longlive-tiny", { small: small(4) })).toMatchObject({ verdict: "slow" });
    const wasm = ability("longlive-tiny", { small: small(4), cpuSpeed: speed(40, "wasm") });
    expect(wasm.advice).toContain("native engine does not load");
    const failed = ability("longlive-tiny", { small: { ...small(0), speed: { error: "it ended with SIGSEGV" } } });
    expect(failed).toMatchObject({ verdict: "no", detail: "it ended with SIGSEGV" });
  });

  it("expects of the 1.3B model what its operations take", () => {
    // 57 TFLOP for 12 frames: 4750 GFLOP a frame, of which a model reaches 65 %.
    expect(wanFps(4750 / 0.65).video).toBeCloseTo(1, 5);
    expect(wanFps(4750 / 0.65).vace).toBeCloseTo(57 / 75, 5);
    const { verdict, detail, advice } = ability("1.3B");
    expect(verdict).toBe("slow");
    expect(detail).toMatch(/processor: text 4 min for 12 frames, video 4 min .*\(2 min .* lightvae\), VACE 5 min/);
    expect(advice).toContain("longlive-tiny");
    const withGpu = ability("1.3B", { gpuSpeed: speed(60_000) });
    expect(withGpu.detail).toMatch(
      /GPU: text 7\.3 fps, video 8\.2 fps \(16 fps with vae_type lightvae\), VACE 6\.2 fps/,
    );
  });

  it("names every obstacle of the 1.3B model", () => {
    const system = { ...facts().system, memoryBytes: 8e9 };
    const cache = { folder: "/cache", freeBytes: 5e9, offline: true };
    const missing = ["LongLive-1.3B/models/lora.pt"];
    const { detail, advice } = ability("1.3B", {
      system,
      cache,
      wan13b: { state: "partial", missing, missingBytes: 14e9 },
    });
    expect(detail).toMatch(/files are missing; it needs 14\.\d GB of memory, and this machine has 8\.0 GB/);
    expect(advice).toMatch(
      /download longlive \(about 14\.0 GB\).*HF_HUB_OFFLINE.*HF_HUB_CACHE.*5\.0 GB are free.*more memory/,
    );
    expect(ability("1.3B", { system: { ...system, memoryBytes: 16e9 } }).advice).toContain("vace_enabled false");
  });

  it("knows a driver that computes in software by its speed, and does not count on it", () => {
    expect(ability("GPU", { gpuSpeed: speed(0.5) })).toMatchObject({
      verdict: "no",
      detail: "the only driver computes in software (0.50 GFLOP/s in float32)",
      advice: expect.stringContaining("there is no GPU"),
    });
    expect(ability("GPU", { gpuSpeed: speed(0.5), gpus: ["some card"] }).advice).toContain("libvulkan1");
    expect(ability("1.3B", { gpuSpeed: speed(0.5) }).detail).not.toContain("GPU:");
  });

  it("gives the advice that fits the system", () => {
    const on = (platform: string, arch = "x64") =>
      ability("GPU", { gpus: ["some card"], system: { ...facts().system, platform, arch } }).advice;
    expect(on("linux")).toContain("libvulkan1");
    expect(on("linux", "arm64")).toContain("no GPU support");
    expect(on("darwin")).toContain("Apple silicon");
    expect(on("win32")).toContain("newest driver");
    expect(ability("GPU").advice).toContain("no GPU");
  });

  it("reads as text", () => {
    const busy = facts({ system: { ...facts().system, load: 7.5 } });
    const text = reportText(doctorReport(busy));
    expect(text).toContain("  processor      Test 9000, 8 cores, 400 GFLOP/s (float32); others are using it now");
    expect(text).toContain("  disk           100 GB free for downloads, in /cache/hub\n");
    expect(text).toContain("  LongLive 1.3B  installed (looked into /models and /cache/hub)\n");
    expect(text).toMatch(/ {2}\[no\] {3}Computing on the GPU \(WebGPU\): No supported adapters\n {9}-> /);
  });
});
