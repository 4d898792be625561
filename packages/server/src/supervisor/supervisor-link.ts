/**
 * The line between the supervisor and the server process: the process says
 * what it does, and learns at its start what the one before it did. Without a
 * supervisor it says nothing to nobody.
 */
import type { Activity, Restore } from "./restart-policy.ts";

/** From the server process. */
export type LinkMessage =
  | { readonly type: "ready"; readonly port: number }
  | { readonly type: "activity"; readonly activity: Activity };

const RESTORE = "EVERFRAME_RESTORE";
const SUPERVISED = "EVERFRAME_SUPERVISED";

/**
 * For glibc's malloc (mallopt(3)), which reads it at a process's start. By itself it learns from large pictures to keep
 * their memory, in many arenas of threads, and a server that has seen some holds hundreds of megabytes for nothing. The
 * threshold is the one that it starts with: a named one stays. Pictures are above it, and so are the buffers of the
 * WebRTC library after a client's long message, of which it has one for each message that waits.
 */
const MALLOC = { MALLOC_ARENA_MAX: "2", MALLOC_MMAP_THRESHOLD_: String(128 * 1024) };

/** Environment of a server process under a supervisor. What the operator says of malloc goes first. */
export function childEnvironment(env: NodeJS.ProcessEnv, restore: Restore): NodeJS.ProcessEnv {
  return { ...MALLOC, ...env, [SUPERVISED]: "1", [RESTORE]: JSON.stringify(restore) };
}

export type SupervisorLink = {
  readonly restore: Restore;
  tell(message: LinkMessage): void;
};

/**
 * The server process's end.
 * @param onOrphaned called once when the supervisor is gone: nobody would end this process otherwise
 */
export function openSupervisorLink(onOrphaned: () => void): SupervisorLink {
  if (!isSupervised()) return { restore: {}, tell: () => {} };
  process.once("disconnect", onOrphaned);
  const restore = JSON.parse(process.env[RESTORE] ?? "{}") as Restore;
  return {
    restore,
    tell: (message) => {
      if (process.connected) process.send?.(message);
    },
  };
}

/** Whether this process was started by a supervisor. */
export function isSupervised(): boolean {
  return process.env[SUPERVISED] === "1" && process.send !== undefined;
}
