// Lets the WebGPU tests run where there is no GPU: finds the Vulkan driver in software (SwiftShader) that comes with Chromium.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installDebian } from "./debian.ts";

const DRIVERS = ["/usr/lib/chromium", "/opt/google/chrome", "/usr/lib64/chromium-browser"].map((folder) =>
  join(folder, "vk_swiftshader_icd.json"),
);
const DRIVER_LISTS = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];

/**
 * Environment in which a process finds a Vulkan driver: nothing where a driver is named or a GPU is there, else the
 * variables that name SwiftShader; nothing where that is missing, too.
 */
export function vulkanEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  if (process.platform !== "linux" || env["VK_ICD_FILENAMES"] || env["VK_DRIVER_FILES"] || hasGpu()) return {};
  const driver = DRIVERS.find((path) => existsSync(path));
  if (driver === undefined) return {};
  return { VK_ICD_FILENAMES: driver, ...(env["XDG_RUNTIME_DIR"] ? {} : { XDG_RUNTIME_DIR: runtimeFolder() }) };
}

/** `vulkanEnvironment` after installing the Vulkan loader where this is root on Debian and it is missing. */
export function ensureVulkan(): Record<string, string> {
  const environment = vulkanEnvironment();
  if ("VK_ICD_FILENAMES" in environment && !hasLoader()) installDebian("libvulkan1");
  return environment;
}

function hasLoader(): boolean {
  return spawnSync("ldconfig", ["-p"], { encoding: "utf8" }).stdout?.includes("libvulkan.so.1") ?? false;
}

/** Drivers of Mesa in software are listed too, so that a list alone says nothing: a GPU has a device file. */
function hasGpu(): boolean {
  const listed = DRIVER_LISTS.some((folder) => existsSync(folder) && readdirSync(folder).length > 0);
  return listed && (existsSync("/dev/dri") || existsSync("/dev/nvidiactl"));
}

function runtimeFolder(): string {
  const folder = join(tmpdir(), `everframe-runtime-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
