/** Files opened to be sent: what is sent is what was measured, whatever happens to the name meanwhile. */
import { open } from "node:fs/promises";
import { Readable } from "node:stream";

export type OpenFile = {
  size: number;
  modifiedMs: number;
  /** The bytes from `start` to `end`, both included; the file closes behind the last one. Call it once. */
  stream(start: number, end: number): ReadableStream | null;
  /** For those who do not read. */
  close(): Promise<void>;
};

/** Opens a plain file, so that it stays the same while it is sent; undefined when there is none. */
export async function openFile(path: string): Promise<OpenFile | undefined> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return undefined;
  const info = await file.stat();
  if (!info.isFile()) {
    await file.close();
    return undefined;
  }
  return {
    size: info.size,
    modifiedMs: Math.floor(info.mtimeMs),
    stream(start, end) {
      if (end < start) {
        void file.close();
        return null;
      }
      return Readable.toWeb(file.createReadStream({ start, end })) as ReadableStream;
    },
    close: () => file.close(),
  };
}
