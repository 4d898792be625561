/** Networks of several sessions: where one of them cannot be opened, none stays open. */
import { fileURLToPath } from "node:url";
import { SafetensorsFile, Session } from "@everframe/graph";
import { afterEach, expect, it, vi } from "vitest";
import type { TinyAutoencoderConfig } from "./autoencoder-config.ts";
import { readModelConfig } from "./config.ts";
import { Generator } from "./generator.ts";
import { TinyAutoencoder } from "./tiny-autoencoder.ts";

const FOLDER = fileURLToPath(new URL("../../../models/longlive-tiny", import.meta.url));
const shipped = readModelConfig(FOLDER);
const grid = { height: 8, width: 12 };

const fileWithout = (weights: string, tensor: string) =>
  SafetensorsFile.open(`${FOLDER}/${weights}`).renamed((name) => (name === tensor ? undefined : name));

afterEach(() => {
  vi.restoreAllMocks();
});

/** Fails to open something by a tensor that is missing. @returns how many sessions it had opened and closed */
async function sessionsOf(open: () => Promise<unknown>): Promise<{ opened: number; closed: number }> {
  const create = vi.spyOn(Session, "create");
  await expect(open()).rejects.toThrow("has no tensor");
  const sessions = await Promise.all(create.mock.results.map(({ value }) => value as Promise<Session>));
  const runs = await Promise.allSettled(sessions.map((session) => session.run({})));
  const closed = runs.filter((run) => run.status === "rejected" && /is closed/.test(String(run.reason)));
  return { opened: sessions.length, closed: closed.length };
}

it("closes the sessions of a transformer whose condition branch cannot be opened", async () => {
  const { weights } = shipped.transformer;
  const main = SafetensorsFile.open(`${FOLDER}/${weights}`);
  const vace = fileWithout(weights, "vace_patch_embedding.weight");
  const counts = await sessionsOf(() => Generator.create(shipped, { main, vace }, grid));
  expect(counts).toEqual({ opened: 3, closed: 3 });
});

it("closes the encoder of an autoencoder whose decoder cannot be opened", async () => {
  const config = shipped.autoencoder as TinyAutoencoderConfig;
  const file = fileWithout(config.weights, "decoder.out.bias");
  expect(await sessionsOf(() => TinyAutoencoder.create(config, file, grid))).toEqual({ opened: 1, closed: 1 });
});
