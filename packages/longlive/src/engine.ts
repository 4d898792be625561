/** How graphs are run, decided once when a model is loaded. */
import { type Device, type GraphOptions, isFusedAttentionRight, type Model, Session } from "@everframe/graph";

export type EngineOptions = {
  /** Default "cpu". */
  readonly device?: Device;
  /** CPU threads. Default: the number of cores, at most 4. */
  readonly threads?: number;
  /** Receives rare notices, one line each, such as that a slower engine stands in. Default: dropped. */
  readonly log?: (line: string) => void;
};

/** @param keep outputs that stay on the GPU, when there is one @param arena as of `SessionOptions` */
export type OpenOptions = { readonly keep?: readonly string[]; readonly arena?: boolean };

/** A session for a graph that was written for the engine's device. */
export function openSession(
  model: Model,
  { threads, log }: EngineOptions,
  { keep = [], arena = true }: OpenOptions = {},
): Promise<Session> {
  const kept = model.device === "webgpu" ? keep : [];
  return Session.create(model, { arena, keep: kept, ...(threads ? { threads } : {}), ...(log ? { log } : {}) });
}

type Closable = { close(): Promise<void> };

/**
 * Opens parts that belong together, one after the other: should a later one fail, those before it are closed.
 * @param open is given what takes note of each part
 */
export async function openTogether<Whole>(
  open: (noted: <Part extends Closable>(part: Promise<Part>) => Promise<Part>) => Promise<Whole>,
): Promise<Whole> {
  const parts: Closable[] = [];
  try {
    return await open(async (opening) => {
      const part = await opening;
      parts.push(part);
      return part;
    });
  } catch (cause) {
    for (const part of parts.reverse()) await part.close();
    throw cause;
  }
}

/** How graphs with attention are written for the device: on a GPU fused only where its kernel is right. */
export async function graphOptions({ device = "cpu" }: EngineOptions): Promise<GraphOptions> {
  const fused = device === "cpu" || (await isFusedAttentionRight());
  return { device, attention: fused ? "fused" : "plain" };
}
