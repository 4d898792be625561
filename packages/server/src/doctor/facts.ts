/** What this machine has and how fast it is, collected for `doctorReport`. */
import { existsSync } from "node:fs";
import { availableParallelism, cpus, freemem, loadavg, release } from "node:os";
import { join } from "node:path";
import type { Speed } from "@everframe/longlive";
import { freeBytes } from "../models/disk-space.ts";
import { HubCache } from "../models/hub-cache.ts";
import { readHubSettings } from "../models/hub-settings.ts";
import { modelsDirOf } from "../models/installed-models.ts";
import { memoryBytes } from "../models/machine-memory.ts";
import { artifactsOf, modelPath } from "../models/model-catalogue.ts";
import { findInstalledWan13b, locateModel, type Wan13b } from "../pipelines/model-locator.ts";
import { listGpus } from "./gpu-names.ts";
import { type ModelSpeed, type Probed, probeModel, probeSpeed, probeWebrtc } from "./probe.ts";

export type Facts = {
  system: {
    platform: string;
    arch: string;
    release: string;
    node: string;
    processor: string;
    cores: number;
    /** Mean number of busy processors in the last minute; 0 where the system does not tell. */
    load: number;
    memoryBytes: number;
    freeMemoryBytes: number;
  };
  /** As the system names them. */
  gpus: string[];
  /** Folder that downloads go to, and the room there. */
  cache: { folder: string; freeBytes: number | undefined; offline: boolean };
  modelsDir: string;
  cpuSpeed: Probed<Speed>;
  gpuSpeed: Probed<Speed>;
  webrtc: Probed<true>;
  small: { folder: string; isInstalled: boolean; speed: Probed<ModelSpeed> };
  wan13b: Pick<Wan13b, "state" | "missing"> & {
    /** Roughly the size of what is missing. */
    missingBytes: number;
  };
};

/** Takes some seconds: one probe after the other, so that none slows another down. */
export async function collectFacts(
  env: NodeJS.ProcessEnv,
  options: { modelsDir?: string; signal?: AbortSignal; onStep?: (step: string) => void } = {},
): Promise<Facts> {
  const { signal, onStep = () => {} } = options;
  const probing = signal === undefined ? {} : { signal };
  const step = <T>(name: string, work: () => Promise<T>): Promise<T> => {
    signal?.throwIfAborted();
    onStep(name);
    return work();
  };
  const { cacheDir, offline } = readHubSettings(env);
  const modelsDir = modelsDirOf(env, options.modelsDir);
  const places = { modelsDir, cache: new HubCache(cacheDir) };
  const { state, missing } = findInstalledWan13b(places);
  const { folder } = locateModel("longlive-tiny", places);
  const isInstalled = existsSync(join(folder, "config.json"));
  const absent = { error: `there is no model in ${folder}` };
  return {
    system: {
      platform: process.platform,
      arch: process.arch,
      release: release(),
      node: process.versions.node,
      processor: cpus()[0]?.model.trim() || "unknown processor",
      cores: availableParallelism(),
      load: loadavg()[0] ?? 0,
      memoryBytes: memoryBytes(),
      freeMemoryBytes: freemem(),
    },
    gpus: await step("graphics processors", () => listGpus()),
    cache: { folder: cacheDir, freeBytes: await freeBytes(cacheDir), offline },
    modelsDir,
    cpuSpeed: await step("speed of the processor", () => probeSpeed("cpu", probing)),
    gpuSpeed: await step("speed of the graphics processor", () => probeSpeed("webgpu", probing)),
    webrtc: await step("WebRTC library", () => probeWebrtc(probing)),
    small: {
      folder,
      isInstalled,
      speed: isInstalled ? await step("longlive-tiny", () => probeModel(folder, probing)) : absent,
    },
    wan13b: { state, missing, missingBytes: aboutBytes(missing) },
  };
}

function aboutBytes(missing: readonly string[]): number {
  return artifactsOf("longlive")
    .flatMap((artifact) => artifact.files.map((file) => ({ path: modelPath(artifact, file), bytes: file.aboutBytes })))
    .filter(({ path }) => missing.includes(path))
    .reduce((sum, { bytes }) => sum + bytes, 0);
}
