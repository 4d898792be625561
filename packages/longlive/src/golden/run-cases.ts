/** Finds recorded cases and runs each with the code that it is about. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "@everframe/protocol";
import type { EngineOptions } from "../engine.ts";
import { runAutoencoder } from "./autoencoder-case.ts";
import { type CaseResult, Comparison } from "./comparison.ts";
import { GoldenCase } from "./golden-case.ts";
import { runBlending, runPreprocessing, runScheduler, runTextEncoder, runTransformer, runVace } from "./part-cases.ts";
import { runStream } from "./stream-case.ts";

/** Cases by number, each with the tensor groups that count (undefined: all). */
export type Selection = ReadonlyMap<string, readonly string[] | undefined>;

/** Reads "01,03,05:latents+x0": numbers, each with optional groups. */
export function parseSelection(text: string): Selection {
  return new Map(
    text.split(",").map((entry) => {
      const [number, groups] = entry.trim().split(":");
      return [number!, groups?.split("+")] as const;
    }),
  );
}

/** Folders with a `case.json`: the given ones themselves, or right inside them. Sorted by name. */
export function findCases(folders: readonly string[]): string[] {
  const cases = folders.flatMap((folder) => {
    if (existsSync(join(folder, "case.json"))) return [folder];
    if (!existsSync(folder)) throw new Error(`There is no folder ${folder}.`);
    return readdirSync(folder)
      .sort()
      .map((name) => join(folder, name))
      .filter((path) => existsSync(join(path, "case.json")));
  });
  if (cases.length === 0) throw new Error(`There is no case.json in ${folders.join(", ")}.`);
  return cases;
}

type Runner = (golden: GoldenCase, comparison: Comparison, engine: EngineOptions) => Promise<void>;

const RUNNERS: readonly (readonly [RegExp, Runner])[] = [
  [/^\w+_t5$/, runTextEncoder],
  [/^\w+_vae$/, runAutoencoder],
  [/^\w+_scheduler$/, runScheduler],
  [/^\w+_dit_forward$/, runTransformer],
  [/^\w+_dit_forward_vace$/, runVace],
  [/^\w+_prompt_blend$/, runBlending],
  [/^\w+_preprocess$/, runPreprocessing],
];

/** Runs one case. Never throws for a case that fails; the result says why. */
export async function runCase(
  folder: string,
  groups?: readonly string[],
  engine: EngineOptions = {},
): Promise<CaseResult> {
  const golden = new GoldenCase(folder);
  const comparison = new Comparison(golden, groups);
  const runner = RUNNERS.find(([name]) => name.test(golden.name))?.[1] ?? (golden.json.chunks ? runStream : undefined);
  if (!runner) {
    comparison.fail("not supported yet");
    return comparison.result();
  }
  try {
    await runner(golden, comparison, engine);
  } catch (error) {
    comparison.fail(errorText(error));
  }
  return comparison.result();
}

/** Runs the selected cases of the folders, one after the other. */
export async function runCases(
  folders: readonly string[],
  selection: Selection | undefined,
  report: (result: CaseResult) => void,
  engine: EngineOptions = {},
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  const found = new Set<string>();
  for (const folder of findCases(folders)) {
    const { number } = new GoldenCase(folder);
    if (selection && !selection.has(number)) continue;
    found.add(number);
    const result = await runCase(folder, selection?.get(number), engine);
    results.push(result);
    report(result);
  }
  const absent = [...(selection?.keys() ?? [])].filter((number) => !found.has(number));
  if (absent.length > 0) throw new Error(`There is no case ${absent.join(", ")}.`);
  return results;
}
