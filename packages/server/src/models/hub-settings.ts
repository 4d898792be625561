/**
 * How the Hugging Face hub is used, from the environment variables that its
 * other clients know:
 * https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
 */
import { homedir } from "node:os";
import { join } from "node:path";

export type HubSettings = {
  /** Folder of the cache that all clients of the hub share. */
  readonly cacheDir: string;
  /** Without a slash at the end. */
  readonly endpoint: string;
  /** Sent to the endpoint's own host only, and never written to a log. */
  readonly token: string | undefined;
  /** Ask nobody; use what is there. */
  readonly offline: boolean;
};

/** Names the folder of the cache, and goes before the others that do. */
export const CACHE_VARIABLE = "HF_HUB_CACHE";
const TRUE = new Set(["1", "on", "yes", "true"]);

export function readHubSettings(env: NodeJS.ProcessEnv): HubSettings {
  const home = env["HF_HOME"] || join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "huggingface");
  const endpoint = (env["HF_ENDPOINT"] || "https://huggingface.co").replace(/\/+$/, "");
  return {
    cacheDir: env[CACHE_VARIABLE] || env["HUGGINGFACE_HUB_CACHE"] || join(home, "hub"),
    endpoint,
    token: env["HF_TOKEN"]?.trim() || undefined,
    offline: TRUE.has((env["HF_HUB_OFFLINE"] || env["TRANSFORMERS_OFFLINE"] || "").toLowerCase()),
  };
}
