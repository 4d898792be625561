/** A session's figures: counts since its start and the rates of the moment. */
import type { StatsMessage } from "@everframe/protocol";

export type SessionFigures = {
  /** Pictures received. */
  framesIn: number;
  /** Newly made pictures sent; a repeated one is not counted. */
  framesOut: number;
  chunks: number;
  chunksFailed: number;
  fpsIn: number;
  fpsOut: number;
  /** Time that the last chunk took, milliseconds; null before the first of the stream. */
  chunkMs: number | null;
  /** The same by stage. */
  stagesMs: Record<string, number>;
  /** Which weights run; empty while a pipeline is being loaded. */
  model: string;
  /** Size of the picture sent, pixels; 0 before the first where it follows the client's. */
  width: number;
  height: number;
  /** Frames of the client that wait for a chunk. */
  queuedIn: number;
  /** Made frames that wait to be sent. */
  queuedOut: number;
};

/** The figures as the client is told them, to one decimal. */
export function statsMessage(figures: SessionFigures): StatsMessage {
  const { fpsIn, fpsOut, chunkMs, stagesMs, model, width, height, queuedIn, queuedOut } = figures;
  return {
    type: "stats",
    fps_in: round(fpsIn),
    fps_out: round(fpsOut),
    chunk_ms: chunkMs === null ? null : round(chunkMs),
    stages_ms: Object.fromEntries(Object.entries(stagesMs).map(([stage, ms]) => [stage, round(ms)])),
    model,
    width,
    height,
    queued_in: queuedIn,
    queued_out: queuedOut,
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
