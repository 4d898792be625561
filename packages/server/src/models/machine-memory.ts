/** How much memory this process may use. */
import { totalmem } from "node:os";

/** Bytes; a container's limit counts where there is one. */
export function memoryBytes(): number {
  const limit = process.constrainedMemory();
  // Without a limit systems tell 0, nothing, or more than there is.
  return limit !== undefined && limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Bytes that this process can still get without pushing others out. */
export function availableBytes(): number {
  return process.availableMemory();
}
