/** Whether `--device webgpu` can be kept, found out before the server starts. */
import { driverAdvice } from "./driver-advice.ts";
import { probeSpeed } from "./probe.ts";
import { SOFTWARE_GFLOPS } from "./report.ts";

const INTERFACES: Partial<Record<NodeJS.Platform, string>> = { linux: "Vulkan", darwin: "Metal", win32: "Direct3D 12" };

export type WebGpuCheck = { error: string } | { notice?: string };

/** Takes seconds: the GPU multiplies matrices in a process of its own. */
export async function checkWebGpu(): Promise<WebGpuCheck> {
  const { platform, arch, env } = process;
  const speed = await probeSpeed("webgpu");
  if ("value" in speed) {
    const { gflops } = speed.value;
    if (gflops >= SOFTWARE_GFLOPS) return {};
    return {
      notice:
        `The WebGPU driver computes in software (${gflops.toFixed(1)} GFLOP/s): the processor alone is many times ` +
        "faster. It serves tests; leave out --device for all else.",
    };
  }
  const named = env["VK_ICD_FILENAMES"] ?? env["VK_DRIVER_FILES"];
  const driver = named === undefined ? "" : ` with the drivers in ${named}`;
  return {
    error:
      `No GPU can be used for --device webgpu: ${speed.error}\n` +
      `Tried: the engine's WebGPU over ${INTERFACES[platform] ?? "the system's drivers"}${driver}.\n` +
      `${driverAdvice({ platform, arch })}\nWithout --device the processor computes. More: npm start -- doctor`,
  };
}
