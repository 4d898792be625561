/**
 * What follows the end of the server process: pure decisions, so that they can
 * be read and tested without one. A process that dies is started again, at
 * once at first and then less and less eagerly, with the pipeline that it had.
 * A pipeline that killed it while loading, or twice soon after, is not loaded
 * again: the next start would only die of it too.
 */
import type { LoadRequest } from "@everframe/protocol";
import type { PipelineActivity } from "../pipelines/pipeline-manager.ts";

/** What the server process was doing, as it last said. */
export type Activity = { readonly name: "starting" } | PipelineActivity;

/** How a process ended. */
export type Death = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** How long it had lived. */
  readonly livedMs: number;
  readonly activity: Activity;
};

/** What a new process is told about the one before it. */
export type Restore = {
  /** To be loaded again. */
  readonly load?: LoadRequest;
  /** What must not be loaded again, and why the last process ended. */
  readonly failed?: { readonly request: LoadRequest; readonly cause: string; readonly outOfMemory: boolean };
};

export type Decision =
  | { readonly next: "end"; readonly exitCode: number }
  | { readonly next: "restart"; readonly delayMs: number; readonly restore: Restore };

const FIRST_DELAY_MS = 0;
const MAX_DELAY_MS = 30_000;
/** A process that lived as long as this was healthy. */
const HEALTHY_MS = 60_000;

export class RestartPolicy {
  #quickDeaths = 0;
  #everReady = false;

  /** The process answers requests now. */
  ready(): void {
    this.#everReady = true;
  }

  /** What to do after a death that nobody asked for. */
  decide({ code, signal, livedMs, activity }: Death): Decision {
    // A first start that fails, such as by a port in use, has told the reason itself.
    if (!this.#everReady) return { next: "end", exitCode: code === null || code === 0 ? 1 : code };
    this.#quickDeaths = livedMs < HEALTHY_MS ? this.#quickDeaths + 1 : 0;
    const delayMs = this.#quickDeaths < 2 ? FIRST_DELAY_MS : Math.min(MAX_DELAY_MS, 250 * 2 ** this.#quickDeaths);
    return { next: "restart", delayMs, restore: this.#restore(code, signal, activity) };
  }

  #restore(code: number | null, signal: NodeJS.Signals | null, activity: Activity): Restore {
    if (activity.name === "starting" || activity.name === "idle") return {};
    const { request } = activity;
    if (activity.name === "loaded" && this.#quickDeaths < 2) return { load: request };
    const cause = signal ?? `exit code ${code}`;
    // The system's out-of-memory killer sends SIGKILL; an allocation that fails in native code aborts.
    const outOfMemory = signal === "SIGKILL" || signal === "SIGABRT";
    return { failed: { request, cause, outOfMemory } };
  }
}
