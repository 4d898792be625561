// LoRA files, by their names below the server's LoRA folder: which a load takes, and how strong each is while video runs.
// A scale can be played when its file was loaded "live"; merged into the weights it is faster and stays as it is.
import { listOf, numberIn, recordOf } from "./records.ts";

export const MAX_LORAS = 8;
/** What the server takes, either way. */
const MAX_SCALE = 10;
/** What a slider offers: beyond it pictures fall apart. */
export const SCALE_RANGE = { min: -1, max: 2, step: 0.05 } as const;

export type LoraScale = { path: string; scale: number };

export const MERGE_MODES = ["runtime_peft", "permanent_merge"] as const;
export type LoraFile = LoraScale & { mergeMode: (typeof MERGE_MODES)[number] };

/** A list with one more file, ready to be played; the same list when it is there already or there is no room. */
export function addLora(loras: readonly LoraFile[], name: string): readonly LoraFile[] {
  const path = name.trim();
  if (path === "" || loras.length >= MAX_LORAS || loras.some((lora) => lora.path === path)) return loras;
  return [...loras, { path, scale: 1, mergeMode: loras[0]?.mergeMode ?? "runtime_peft" }];
}

/** The scale of every file that is loaded: what was played last, else that of the load. */
export function currentScales(loaded: readonly LoraScale[], played: unknown): LoraScale[] {
  const scales = new Map(toLoraScales(played).map(({ path, scale }) => [path, scale]));
  return loaded.map(({ path, scale }) => ({ path, scale: scales.get(path) ?? scale }));
}

/** "styles/ink.safetensors" as "ink". */
export function loraName(path: string): string {
  return path.replace(/^.*[\\/]/, "").replace(/\.safetensors$/i, "");
}

/** Scales from data of unknown origin. */
export function toLoraScales(data: unknown): LoraScale[] {
  return listOf(data)
    .slice(0, MAX_LORAS)
    .map(recordOf)
    .flatMap(({ path, scale: given }) => {
      const scale = numberIn(given, -MAX_SCALE, MAX_SCALE);
      return typeof path === "string" && path !== "" && scale !== undefined ? [{ path, scale }] : [];
    });
}

/** Files of a load, from data of unknown origin. */
export function toLoraFiles(data: unknown): LoraFile[] {
  const modes = new Map(listOf(data).map((one) => [recordOf(one)["path"], recordOf(one)["mergeMode"]]));
  return toLoraScales(data).map((lora) => ({
    ...lora,
    mergeMode: MERGE_MODES.find((mode) => mode === modes.get(lora.path)) ?? "runtime_peft",
  }));
}
