/** How much room a disk has. */
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { hasCode } from "../system-error.ts";

/** Bytes free on the disk that a folder is, or would be, on; undefined where the system does not tell. */
export type FreeBytes = (folder: string) => Promise<number | undefined>;

export const freeBytes: FreeBytes = async (folder) => {
  for (let path = folder; ; path = dirname(path)) {
    try {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    } catch (error) {
      if (!hasCode(error, "ENOENT") || path === dirname(path)) return undefined;
    }
  }
};
