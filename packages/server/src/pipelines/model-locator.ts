/**
 * Which folder of weights a pipeline id stands for. "longlive" is the 1.3B
 * model where it is installed and this machine can run it, else the small
 * model: the one in the models folder, else the one that comes with the
 * source.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BUILT_IN_MODELS = fileURLToPath(new URL("../../../../models/", import.meta.url));

/** The folder to load; it may not exist, which loading then says. */
export function locateModel(pipelineId: "longlive" | "longlive-tiny", modelsDir: string): string {
  if (pipelineId === "longlive") {
    const full = join(modelsDir, "longlive-1.3b");
    if (canRun(full)) return full;
  }
  const own = join(modelsDir, "longlive-tiny");
  return existsSync(join(own, "config.json")) ? own : join(BUILT_IN_MODELS, "longlive-tiny");
}

/** Whether the weights are complete and of a kind that can be run here. */
function canRun(folder: string): boolean {
  const config = readConfig(join(folder, "config.json"));
  if (config === undefined) return false;
  // The autoencoder classes that exist: the full-size one is not among them yet.
  if (config["vae"]?.type !== "tiny") return false;
  return Object.values(config).every((part) => {
    const weights = typeof part === "object" && part !== null ? part.weights : undefined;
    return weights === undefined || existsSync(join(folder, weights));
  });
}

function readConfig(path: string): Record<string, { type?: string; weights?: string } | null> | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Record<string, { type?: string; weights?: string } | null>;
  } catch {
    return undefined; // not installed, or unreadable: the small model runs instead
  }
}
