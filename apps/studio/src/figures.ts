// The line of live figures, as text.
import type { PipelineStatus, SessionStats } from "@everframe/client";

export type Figure = { label: string; value: string; unit: string; hint: string };

/** Shape of the picture as long as nobody has said another. */
export const DEFAULT_SIZE = { width: 576, height: 320 };

/** Stands for a figure that is not known. */
export const UNKNOWN = "–";

/** Figures in the order of the video's way; a figure that is not known is a dash. */
export function figuresOf(stats: SessionStats | undefined, pipeline: PipelineStatus | undefined): Figure[] {
  const server = stats?.server;
  return [
    {
      label: "In",
      value: rounded(server?.fpsIn ?? stats?.sentFps),
      unit: "fps",
      hint: "Frames a second that reach the server",
    },
    {
      label: "Out",
      value: rounded(server?.fpsOut ?? stats?.receivedFps),
      unit: "fps",
      hint: "New frames a second that come back",
    },
    { label: "Chunk", value: rounded(server?.chunkMs), unit: "ms", hint: "Time to make the last twelve frames" },
    {
      label: "Round trip",
      value: rounded(stats?.roundTripMs),
      unit: "ms",
      hint: "Network time to the server and back",
    },
    {
      label: "Model",
      value: server?.model ?? pipeline?.model ?? UNKNOWN,
      unit: sizeText(server ?? pipeline?.size),
      hint: "The weights that run, and the size of their picture",
    },
  ];
}

/** "384 × 224", or nothing. */
export function sizeText(size: { width: number; height: number } | undefined): string {
  return size === undefined ? "" : `${size.width} × ${size.height}`;
}

/** The part of the model that is being loaded, as it stands on the stage; undefined when nobody said. */
export function stageText(pipeline: PipelineStatus | undefined): string | undefined {
  const stage = pipeline?.loadingStage;
  return stage === undefined ? undefined : stage.charAt(0).toUpperCase() + stage.slice(1);
}

function rounded(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  return value > 0 && value < 1 ? "<1" : String(Math.round(value));
}
