// Figures as text.
import type { PipelineStatus } from "@everframe/client";

/** Shape of the picture as long as nobody has said another. */
export const DEFAULT_SIZE = { width: 576, height: 320 };

/** Stands for a figure that is not known. */
export const UNKNOWN = "–";

/** "384 × 224", or nothing. */
export function sizeText(size: { width: number; height: number } | undefined): string {
  return size === undefined ? "" : `${size.width} × ${size.height}`;
}

/** The part of the model that is being loaded, as it stands on the stage; undefined when nobody said. */
export function stageText(pipeline: PipelineStatus | undefined): string | undefined {
  const stage = pipeline?.loadingStage;
  return stage === undefined ? undefined : stage.charAt(0).toUpperCase() + stage.slice(1);
}

/** A rounded figure; small ones keep one decimal. */
export function rounded(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  return value !== 0 && Math.abs(value) < 10 ? String(Math.round(value * 10) / 10) : String(Math.round(value));
}

/** "850 ms" or "1.9 s". */
export function durationText(ms: number | undefined): string {
  if (ms === undefined) return UNKNOWN;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** "640 MB" or "16.2 GB". */
export function bytesText(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.round(bytes / 1e3)} kB`;
}

/** "1:05" */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
