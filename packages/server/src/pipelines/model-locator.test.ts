import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findWan13b } from "@everframe/longlive";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HubCache } from "../models/hub-cache.ts";
import type { ModelPlaces } from "../models/installed-models.ts";
import { artifactsOf } from "../models/model-catalogue.ts";
import { COMMIT } from "../testing/hub-server.ts";
import { locateModel } from "./model-locator.ts";

const MEMORY_BYTES = 32e9;
let home: string;
let places: ModelPlaces;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "everframe-"));
  places = { modelsDir: join(home, "models"), cache: new HubCache(join(home, "hub")) };
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function put(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, "");
}

/** The first half of the needed files below the models folder, the others in the hub's cache. */
async function install(skip: string[] = []): Promise<string[]> {
  const needed = findWan13b(places.modelsDir).missing;
  for (const [index, file] of needed.entries()) {
    if (skip.includes(file)) continue;
    const [name = "", ...path] = file.split("/");
    const { repos } = artifactsOf("longlive").find((artifact) => artifact.name === name)!;
    if (index < 3) await put(join(places.modelsDir, ...file.split("/")));
    else await put(places.cache.snapshotPath(repos[index % 2]!, COMMIT, path.join("/")));
  }
  return [...needed];
}

describe("locateModel", () => {
  it("takes the 1.3B model where it is complete, wherever its files are", async () => {
    const needed = await install();
    const { folder, files, notice } = locateModel("longlive", places, MEMORY_BYTES);
    expect(folder).toBe(places.modelsDir);
    expect(notice).toMatch(/12 frames take minutes.*longlive-tiny/);
    expect(Object.keys(files!).sort()).toEqual(needed.sort());
    expect(files!["LongLive-1.3B/models/lora.pt"]).toContain(join("hub", "models--"));
    expect(files!["Wan2.1-T2V-1.3B/config.json"]).toContain(places.modelsDir);
  });

  it("takes the small model without a word where there is no other, and by its own name", async () => {
    const small = locateModel("longlive", places, MEMORY_BYTES);
    expect(small).toEqual({ folder: expect.stringMatching(/longlive-tiny$/) });
    expect(small.folder).not.toContain(home);
    await install();
    expect(locateModel("longlive-tiny", places, MEMORY_BYTES)).toEqual(small);
  });

  it("prefers a small model in the models folder to the one of the source", async () => {
    await put(join(places.modelsDir, "longlive-tiny", "config.json"));
    expect(locateModel("longlive", places, MEMORY_BYTES).folder).toBe(join(places.modelsDir, "longlive-tiny"));
  });

  it("takes the small model and says why when the 1.3B model cannot run", async () => {
    await install(["LongLive-1.3B/models/lora.pt"]);
    const partial = locateModel("longlive", places, MEMORY_BYTES);
    expect(partial.notice).toMatch(/lacks LongLive-1.3B\/models\/lora\.pt \(.*download longlive.*longlive-tiny runs/);
    await install();
    const cramped = locateModel("longlive", places, 8e9);
    expect(cramped.notice).toMatch(/needs \d+ GB of memory and this machine has 8 GB/);
    expect(cramped.folder).toMatch(/longlive-tiny$/);
  });
});
