// The prompts that were sent, newest first, as a shell remembers commands: the arrow keys walk through them.
import { listOf } from "./records.ts";

const MAX_ENTRIES = 50;

/** The history with a prompt on top; one that was there moves up. */
export function remember(history: readonly string[], prompt: string): readonly string[] {
  const text = prompt.trim();
  if (text === "" || history[0] === text) return history;
  return [text, ...history.filter((entry) => entry !== text)].slice(0, MAX_ENTRIES);
}

/**
 * A step through the history.
 * @param position -1 for the draft, 0 for the newest entry
 * @param step 1 for older, -1 for newer
 * @returns the new position, within what there is
 */
export function walk(history: readonly string[], position: number, step: 1 | -1): number {
  return Math.min(history.length - 1, Math.max(-1, position + step));
}

/** A history from data of unknown origin. */
export function toHistory(data: unknown): readonly string[] {
  return listOf(data)
    .filter((entry) => typeof entry === "string" && entry !== "")
    .slice(0, MAX_ENTRIES) as string[];
}
