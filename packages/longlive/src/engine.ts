/** How graphs are run, decided once when a model is loaded. */
import { type Device, type Model, Session } from "@everframe/graph";

export type EngineOptions = {
  /** Default "cpu". */
  readonly device?: Device;
  /** CPU threads. Default: the number of cores, at most 4. */
  readonly threads?: number;
  /** Receives rare notices, one line each, such as that a slower engine stands in. Default: dropped. */
  readonly log?: (line: string) => void;
};

/** A session for a graph that was written for the engine's device. @param arena as of `SessionOptions` */
export function openSession(model: Model, { threads, log }: EngineOptions, arena = true): Promise<Session> {
  return Session.create(model, { arena, ...(threads ? { threads } : {}), ...(log ? { log } : {}) });
}
