/**
 * The one place that decides which weights a pipeline id stands for.
 * "longlive" is the 1.3B model where all its files are here (below the models
 * folder or in the hub's cache) and the memory holds it; else the small model: the one in the models folder, else the one that
 * comes with the source.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findWan13b } from "@everframe/longlive";
import { installedFiles, type ModelPlaces } from "../models/installed-models.ts";
import { memoryBytes } from "../models/machine-memory.ts";
import { wanMemoryBytes } from "../models/wan-costs.ts";

const BUILT_IN_MODELS = fileURLToPath(new URL("../../../../models/", import.meta.url));

export type LocatedModel = {
  /** What to load; it may not exist, which loading then says. */
  folder: string;
  /** Of the 1.3B model: where each file is, by `<repository name>/<file>`. */
  files?: Record<string, string>;
  /** What a person should know: why it is not the 1.3B model although one could think so, or what to expect of it. */
  notice?: string;
};

export type Wan13b = {
  state: "none" | "partial" | "complete";
  /** All files that are here, also those of other autoencoders. */
  files: Record<string, string>;
  /** Of the files that the model cannot do without. */
  missing: string[];
};

/** Which files of the 1.3B model are here. */
export function findInstalledWan13b(places: ModelPlaces): Wan13b {
  const { found } = installedFiles("longlive", places);
  // Below the models folder the model code finds its files itself.
  const missing = findWan13b(places.modelsDir).missing.filter((file) => found[file] === undefined);
  const state = missing.length === 0 ? "complete" : Object.keys(found).length === 0 ? "none" : "partial";
  return { state, files: found, missing };
}

export function locateModel(
  pipelineId: "longlive" | "longlive-tiny",
  places: ModelPlaces,
  availableBytes = memoryBytes(),
): LocatedModel {
  const own = join(places.modelsDir, "longlive-tiny");
  const folder = existsSync(join(own, "config.json")) ? own : join(BUILT_IN_MODELS, "longlive-tiny");
  if (pipelineId === "longlive-tiny") return { folder };
  const { state, files, missing } = findInstalledWan13b(places);
  const small = (reason: string): LocatedModel => ({ folder, notice: `${reason}; longlive-tiny runs in its place` });
  if (state === "none") return { folder };
  if (state === "partial") {
    return small(`LongLive 1.3B lacks ${missing.join(", ")} ("npm start -- download longlive" fetches them)`);
  }
  const neededBytes = wanMemoryBytes({ vace: false });
  if (availableBytes < neededBytes) {
    const gb = (bytes: number) => `${(bytes / 1e9).toFixed(0)} GB`;
    return small(`LongLive 1.3B needs ${gb(neededBytes)} of memory and this machine has ${gb(availableBytes)}`);
  }
  const notice =
    'LongLive 1.3B runs on the processor: 12 frames take minutes ("npm start -- doctor" says how many); ' +
    "load the pipeline longlive-tiny for live video";
  return { folder: places.modelsDir, files, notice };
}
