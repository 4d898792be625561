/**
 * LoRA files that a load may name: those below one folder, so that a client
 * on the network cannot have any file of the machine opened.
 */
import { realpathSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { ApiError } from "@everframe/protocol";
import { isInside } from "../assets/asset-store.ts";

/**
 * The absolute path of a LoRA file, from that path or from its name below the folder.
 * Throws `lora_unusable` for what lies elsewhere or does not exist.
 */
export function resolveLora(folder: string, path: string): string {
  const refuse = (reason: string, cause?: unknown) => new ApiError("lora_unusable", { path, reason }, { cause });
  const full = isAbsolute(path) ? resolve(path) : join(folder, path);
  if (!isInside(folder, full)) throw refuse(`it is not in the LoRA folder, ${folder}; put it there`);
  let real: string;
  let realFolder: string;
  try {
    real = realpathSync(full);
    realFolder = realpathSync(folder);
  } catch (error) {
    throw refuse(`there is no such file in the LoRA folder, ${folder}; put it there`, error);
  }
  if (!isInside(realFolder, real)) throw refuse("it leads out of the LoRA folder; put the file itself there");
  return real;
}
