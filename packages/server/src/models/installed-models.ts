/**
 * Which files of the catalogue are on this machine. Looked for in this order:
 * the models folder as Daydream Scope lays it out, then the hub's cache.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { HubCache } from "./hub-cache.ts";
import { type Artifact, artifactsOf, type CatalogueFile, modelPath } from "./model-catalogue.ts";

export type ModelPlaces = {
  /** In Scope's layout: `<modelsDir>/<repository name>/<file>`. */
  modelsDir: string;
  cache: HubCache;
};

/** The models folder: as asked for, else as the environment says, else Scope's own. */
export function modelsDirOf(env: NodeJS.ProcessEnv, asked?: string): string {
  const scopes = join(homedir(), ".daydream-scope", "models");
  return resolve(asked || env["DAYDREAM_SCOPE_MODELS_DIR"] || scopes);
}

/** Where a file is; undefined when it is in none of the places. */
export function findFile(artifact: Artifact, file: CatalogueFile, places: ModelPlaces): string | undefined {
  const own = join(places.modelsDir, artifact.name, ...file.path.split("/"));
  if (existsSync(own)) return own;
  for (const repo of artifact.repos) {
    const cached = places.cache.find(repo, file.path);
    if (cached !== undefined) return cached;
  }
  return undefined;
}

export type InstalledFiles = {
  /** By `<repository name>/<file>`: the path on this machine. */
  found: Record<string, string>;
  /** `<repository name>/<file>` of the others. */
  missing: string[];
};

/** The files of a pipeline or group; both lists are empty for one that is not in the catalogue. */
export function installedFiles(id: string, places: ModelPlaces): InstalledFiles {
  const installed: InstalledFiles = { found: {}, missing: [] };
  for (const artifact of artifactsOf(id)) {
    for (const file of artifact.files) {
      const path = findFile(artifact, file, places);
      if (path === undefined) installed.missing.push(modelPath(artifact, file));
      else installed.found[modelPath(artifact, file)] = path;
    }
  }
  return installed;
}
