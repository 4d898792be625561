// The last two minutes of live figures, for the graph.
import type { SessionStats } from "@everframe/client";

/** One second. Undefined is "not known". */
export type Sample = {
  roundTripMs: number | undefined;
  fpsIn: number | undefined;
  fpsOut: number | undefined;
  chunkMs: number | undefined;
  stagesMs: Readonly<Record<string, number>>;
  receivedKbps: number | undefined;
  sentKbps: number | undefined;
  /** Input frames that wait for a chunk. */
  queued: number | undefined;
  /** From the camera to the screen. */
  latencyMs: number | undefined;
  /** Share of packets, 0..1. */
  lost: number | undefined;
};

export const MAX_SAMPLES = 120;

/** The history with a second more; the oldest goes. */
export function addSample(history: readonly Sample[], stats: SessionStats): readonly Sample[] {
  return [...history, toSample(stats)].slice(-MAX_SAMPLES);
}

function toSample(stats: SessionStats): Sample {
  const { server } = stats;
  const kbps = (bps: number | undefined) => (bps === undefined ? undefined : bps / 1000);
  return {
    roundTripMs: stats.roundTripMs,
    fpsIn: server?.fpsIn ?? stats.sentFps,
    fpsOut: server?.fpsOut ?? stats.receivedFps,
    chunkMs: server?.chunkMs,
    stagesMs: server?.stagesMs ?? {},
    receivedKbps: kbps(stats.receivedBitrateBps),
    sentKbps: kbps(stats.sentBitrateBps),
    queued: server?.queuedFrames,
    latencyMs: stats.latencyMs,
    lost: stats.packetsLost,
  };
}

/** Points of a line in a box, as an SVG path: the newest at the right edge, a gap where nothing is known. */
export function linePath(values: readonly (number | undefined)[], width: number, height: number, top: number): string {
  const stepX = width / (MAX_SAMPLES - 1);
  const startX = width - (values.length - 1) * stepX;
  let isDown = false;
  return values
    .map((value, i) => {
      if (value === undefined) {
        isDown = false;
        return "";
      }
      const command = isDown ? "L" : "M";
      isDown = true;
      const y = height - (Math.min(value, top) / top) * height;
      return `${command}${(startX + i * stepX).toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("");
}

/** A round number that no value goes above. */
export function niceTop(values: readonly (number | undefined)[], least: number): number {
  const highest = Math.max(least, ...values.map((value) => value ?? 0));
  const power = 10 ** Math.floor(Math.log10(highest));
  return ([1, 2, 5, 10].find((factor) => factor * power >= highest) ?? 10) * power;
}
