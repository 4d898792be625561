/** Probes that end badly, and one that does not. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseNvidiaSmi, parseSystemProfiler, parseVideoControllers } from "./gpu-names.ts";
import { probe, probeSpeed, probeWebrtc } from "./probe.ts";

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "everframe-"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

async function probeOf(source: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}) {
  const file = join(home, "probe.mjs");
  await writeFile(file, source);
  return probe([], { file, ...options });
}

describe("probe", () => {
  it("measures the processor, and loads the WebRTC library", async () => {
    expect(await probeSpeed("cpu")).toMatchObject({ value: { gflops: expect.any(Number) } });
    expect(await probeWebrtc()).toEqual({ value: true });
  });

  it("answers for a GPU that is there and for one that is not", async () => {
    const found = await probeSpeed("webgpu");
    if ("error" in found) expect(found.error).not.toMatch(/\.cc|^Graph/);
    else expect(found.value.gflops).toBeGreaterThan(0);
  });

  it("survives a process that crashes, says nothing, or takes for ever", async () => {
    expect(await probeOf("process.abort()")).toEqual({ error: expect.stringContaining("SIGABRT") });
    expect(await probeOf("console.error('bad luck'); process.exit(3)")).toEqual({
      error: "it ended with code 3: bad luck",
    });
    expect(await probeOf("console.log('{\"value\":'); process.exit(0)")).toEqual({ error: "it ended with code 0" });
    expect(await probeOf("setInterval(() => {}, 1000)", { timeoutMs: 300 })).toEqual({ error: "no result after 0 s" });
    const signal = AbortSignal.timeout(300);
    expect(await probeOf("setInterval(() => {}, 1000)", { signal })).toEqual({
      error: expect.stringContaining("abort"),
    });
  });

  it("believes an answer although the process died after it, and finds it among other lines", async () => {
    const source = `process.stdout.write('driver: hello\\n{"value":5}\\nbye', () => process.kill(process.pid, "SIGKILL"))`;
    expect(await probeOf(source)).toEqual({ value: 5 });
  });

  it("tells the reason without the library's places in its source", async () => {
    const error =
      'Graph "g" cannot be loaded on webgpu: /src/a/webgpu_context.cc:136 auto f()::<lambda()> status == Success was false. Failed to get an adapter\n more';
    const source = `console.error("Warning: Couldn't load Vulkan: libvulkan.so.1: not there"); console.log(${JSON.stringify(JSON.stringify({ error }))})`;
    expect(await probeOf(source)).toEqual({ error: "libvulkan.so.1: not there; Failed to get an adapter" });
  });
});

describe("names of graphics processors", () => {
  it("are read from what the systems print", () => {
    expect(parseNvidiaSmi("NVIDIA H100 80GB HBM3, 550.54.15, 81559 MiB\n")).toEqual([
      "NVIDIA H100 80GB HBM3, driver 550.54.15, 81559 MiB",
    ]);
    const mac = {
      SPDisplaysDataType: [{ sppci_model: "Apple M3 Pro", sppci_cores: "18" }, { sppci_model: "Radeon" }, {}],
    };
    expect(parseSystemProfiler(JSON.stringify(mac))).toEqual(["Apple M3 Pro, 18 cores", "Radeon"]);
    const card = { Name: "Intel(R) UHD", DriverVersion: "31.0.1" };
    expect(parseVideoControllers(JSON.stringify(card))).toEqual(["Intel(R) UHD, driver 31.0.1"]);
    expect(parseVideoControllers(JSON.stringify([card, card]))).toHaveLength(2);
  });

  it("are none where there is nothing to read", () => {
    for (const text of ["", "NVIDIA-SMI has failed because it couldn't communicate", "null", "{}", "[null]"]) {
      expect([parseNvidiaSmi(text), parseSystemProfiler(text), parseVideoControllers(text)]).toEqual([[], [], []]);
    }
  });
});
