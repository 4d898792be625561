/**
 * Keeps the server running: starts it as a process of its own and starts it
 * again when it dies, because a fault in native code (WebRTC, inference, the
 * system's out-of-memory killer) ends a process without asking. This side
 * loads no native code and does nothing else, so it has no reason to die.
 */
import { type ChildProcess, fork } from "node:child_process";
import type { Logger } from "pino";
import { type Activity, RestartPolicy, type Restore } from "./restart-policy.ts";
import { childEnvironment, type LinkMessage } from "./supervisor-link.ts";

export type SupervisorOptions = {
  /** Module that runs the server, and its arguments. */
  readonly module: string;
  readonly argv: readonly string[];
  readonly execArgv?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly log: Logger;
  /** Arguments of every start after the first, from the port that the first one got. */
  readonly restartArgv: (port: number) => readonly string[];
};

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #policy = new RestartPolicy();
  #child: ChildProcess | undefined;
  #activity: Activity = { name: "starting" };
  #port: number | undefined;
  #ending = false;
  #cancelDelay: () => void = () => {};

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Where the server listens; undefined before it is ready for the first time. */
  get port(): number | undefined {
    return this.#port;
  }

  /** Runs until the server ends for good. @returns the exit code */
  async run(): Promise<number> {
    let restore: Restore = {};
    for (;;) {
      const startedMs = performance.now();
      const { code, signal } = await this.#runOnce(restore);
      if (this.#ending) return code ?? 1;
      const livedMs = performance.now() - startedMs;
      const decision = this.#policy.decide({ code, signal, livedMs, activity: this.#activity });
      if (decision.next === "end") return decision.exitCode;
      const { delayMs } = decision;
      this.#options.log.error(
        { cause: signal ?? `exit code ${code}`, delayMs },
        "the server died and is started again",
      );
      await this.#sleep(delayMs);
      if (this.#ending) return 0;
      restore = decision.restore;
    }
  }

  /** Passes a signal on to the server and does not start it again. */
  end(signal: NodeJS.Signals): void {
    this.#ending = true;
    this.#cancelDelay();
    this.#child?.kill(signal);
  }

  #runOnce(restore: Restore): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const { module, argv, execArgv = [], env, restartArgv } = this.#options;
    this.#activity = { name: "starting" };
    const child = fork(module, this.#port === undefined ? argv : restartArgv(this.#port), {
      env: childEnvironment(env, restore),
      execArgv: [...execArgv],
      // A group of its own: the terminal's Ctrl+C then reaches it once, through here.
      detached: true,
    });
    this.#child = child;
    child.on("message", (message) => this.#receive(message as LinkMessage));
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code, signal) => {
        this.#child = undefined;
        resolve({ code, signal });
      });
    });
  }

  #receive(message: LinkMessage): void {
    if (message.type === "activity") {
      this.#activity = message.activity;
      return;
    }
    this.#port = message.port;
    this.#policy.ready();
    if (this.#activity.name === "starting") this.#activity = { name: "idle" };
  }

  #sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#cancelDelay = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
