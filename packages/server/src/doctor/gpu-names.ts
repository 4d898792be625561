/**
 * The graphics processors that the system knows, with their drivers, whether
 * they can be used or not. Each source is asked with a time limit, and one
 * that is not there or answers nonsense has nothing to say.
 */
import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";

const TIMEOUT_MS = 10_000;
const VENDORS: Record<string, string> = { "0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel", "0x106b": "Apple" };

/** Such as "NVIDIA H100, driver 550.54, 81559 MiB". */
export async function listGpus(platform: NodeJS.Platform = process.platform): Promise<string[]> {
  const nvidia = parseNvidiaSmi(
    await ask("nvidia-smi", ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]),
  );
  switch (platform) {
    case "linux":
      // nvidia-smi tells more of the cards that it knows.
      return [...nvidia, ...(await listDrm()).filter((name) => nvidia.length === 0 || !name.startsWith("NVIDIA"))];
    case "darwin":
      return parseSystemProfiler(await ask("system_profiler", ["SPDisplaysDataType", "-json"]));
    case "win32": {
      const query = "Get-CimInstance Win32_VideoController | Select-Object Name,DriverVersion | ConvertTo-Json";
      return parseVideoControllers(await ask("powershell", ["-NoProfile", "-Command", query]));
    }
    default:
      return nvidia;
  }
}

export function parseNvidiaSmi(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.split(",").map((part) => part.trim()))
    .filter((parts) => parts.length === 3 && parts[0] !== "")
    .map(([name, driver, memory]) => `${name}, driver ${driver}, ${memory}`);
}

export function parseSystemProfiler(text: string): string[] {
  const { SPDisplaysDataType: cards } = (parseJson(text) ?? {}) as { SPDisplaysDataType?: unknown };
  if (!Array.isArray(cards)) return [];
  return cards.flatMap((card: { sppci_model?: unknown; sppci_cores?: unknown }) => {
    if (typeof card.sppci_model !== "string") return [];
    return [typeof card.sppci_cores === "string" ? `${card.sppci_model}, ${card.sppci_cores} cores` : card.sppci_model];
  });
}

export function parseVideoControllers(text: string): string[] {
  const answer = parseJson(text);
  const cards = Array.isArray(answer) ? answer : [answer];
  return cards.flatMap((card: { Name?: unknown; DriverVersion?: unknown } | null | undefined) =>
    typeof card?.Name === "string" ? [`${card.Name}, driver ${card.DriverVersion}`] : [],
  );
}

/** From the kernel; it tells vendor, number and driver. */
async function listDrm(folder = "/sys/class/drm"): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const cards = await Promise.all(
    names
      .filter((name) => /^card\d+$/.test(name))
      .map(async (name) => {
        const device = join(folder, name, "device");
        const read = (file: string) => readFile(join(device, file), "utf8").then((text) => text.trim());
        const vendor = await read("vendor").catch(() => undefined);
        if (vendor === undefined) return [];
        const number = await read("device").catch(() => "?");
        const driver = await readlink(join(device, "driver")).then(basename, () => "none");
        return [`${VENDORS[vendor] ?? vendor} ${number}, driver ${driver}`];
      }),
  );
  return cards.flat();
}

async function ask(command: string, args: string[]): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { timeout: TIMEOUT_MS, windowsHide: true })).stdout;
  } catch {
    return ""; // not there, or it has nothing to say
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
