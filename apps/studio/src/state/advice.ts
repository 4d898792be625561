// One plain sentence when the stream is not what it could be, and what to do about it. Pure: figures in, words out; the
// worst is told first.
import type { Sample } from "./history.ts";
import { SIZES } from "./settings.ts";

export type AdviceInput = {
  /** Newest last. */
  history: readonly Sample[];
  /** Of the picture made, pixels. */
  size: { width: number; height: number } | undefined;
  steps: number;
  isPaused: boolean;
  hasInput: boolean;
};

const CHUNK_FRAMES = 12;
/** A chunk that takes longer than this gives less than eight pictures a second: motion is seen to stutter. */
const SLOW_CHUNK_MS = 1500;
const WINDOW = 5;

export function adviceOf({ history, size, steps, isPaused, hasInput }: AdviceInput): string | undefined {
  const recent = history.slice(-WINDOW);
  if (recent.length < 3 || isPaused) return undefined;
  const lost = mean(recent.map((sample) => sample.lost));
  if (lost !== undefined && lost > 0.05) {
    return `The network loses ${Math.round(lost * 100)} % of the video's packets; move closer to the router, or use a cable.`;
  }
  const fpsIn = mean(recent.map((sample) => sample.fpsIn));
  if (hasInput && fpsIn !== undefined && fpsIn < 5) {
    return fpsIn < 0.5
      ? "No pictures reach the server; look whether the camera is covered or in use elsewhere."
      : `Only ${fpsIn.toFixed(fpsIn < 2 ? 1 : 0)} pictures a second reach the server; close other programs that use the camera or this computer.`;
  }
  const roundTripMs = mean(recent.map((sample) => sample.roundTripMs));
  if (roundTripMs !== undefined && roundTripMs > 400) {
    return `The network takes ${seconds(roundTripMs)} to the server and back; a server nearer to you would feel faster.`;
  }
  const chunkMs = mean(recent.map((sample) => sample.chunkMs));
  if (chunkMs !== undefined && chunkMs > SLOW_CHUNK_MS) {
    const remedy = remedyOf(size, steps);
    return `The model needs ${seconds(chunkMs)} for ${CHUNK_FRAMES} frames${remedy === "" ? "; this is as fast as this machine goes." : `; try ${remedy}.`}`;
  }
  return undefined;
}

function remedyOf(size: AdviceInput["size"], steps: number): string {
  const area = size === undefined ? 0 : size.width * size.height;
  const smaller = SIZES.filter(({ width, height }) => width * height < area * 0.85).at(-1);
  const remedies = [
    ...(smaller === undefined ? [] : [`${smaller.width}×${smaller.height}`]),
    ...(steps > 2 ? ["two steps"] : steps === 2 ? ["one step"] : []),
  ];
  return remedies.join(" or ");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function mean(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}
