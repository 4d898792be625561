/**
 * A download's progress on a terminal: one line that is drawn over, with rate
 * and time left. Where the output is no terminal (a log, a pipe), a line now
 * and then instead.
 */
import { byteText, durationText } from "./byte-text.ts";
import type { DownloadProgress } from "./download.ts";

const BAR_WIDTH = 24;
const DRAW_MS = 200;
const LINE_MS = 10_000;
/** The rate is that of the last so many ms. */
const RATE_MS = 10_000;

export type TextOutput = {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
};

export class ProgressBar {
  readonly #output: TextOutput;
  readonly #nowMs: () => number;
  #points: { ms: number; bytes: number }[] = [];
  #drawnMs = Number.NEGATIVE_INFINITY;
  #isDrawn = false;
  #note = "";

  constructor(output: TextOutput, nowMs: () => number = () => performance.now()) {
    this.#output = output;
    this.#nowMs = nowMs;
  }

  update(progress: DownloadProgress): void {
    const { note = "", doneBytes, totalBytes } = progress;
    const ms = this.#nowMs();
    if (doneBytes < (this.#points.at(-1)?.bytes ?? 0)) this.#points = []; // fetched again
    this.#points.push({ ms, bytes: doneBytes });
    this.#points = this.#points.filter((point, index, all) => ms - point.ms <= RATE_MS || index === all.length - 1);
    if (note !== "" && note !== this.#note) this.#line(`  ${note}`);
    this.#note = note;
    const isTerminal = this.#output.isTTY === true;
    const isEnd = doneBytes === totalBytes;
    if (!isEnd && ms - this.#drawnMs < (isTerminal ? DRAW_MS : LINE_MS)) return;
    this.#drawnMs = ms;
    const text = progressText(progress, this.#bytesPerSecond());
    if (!isTerminal) this.#output.write(`${text}\n`);
    else {
      this.#output.write(`\r\x1b[K${text.slice(0, (this.#output.columns ?? 80) - 1)}`);
      this.#isDrawn = true;
    }
  }

  /** Leaves the line. */
  end(): void {
    if (this.#isDrawn) this.#output.write("\n");
    this.#isDrawn = false;
  }

  #line(text: string): void {
    this.#output.write(`${this.#isDrawn ? "\r\x1b[K" : ""}${text}\n`);
    this.#isDrawn = false;
  }

  #bytesPerSecond(): number | undefined {
    const first = this.#points[0]!;
    const last = this.#points.at(-1)!;
    const seconds = (last.ms - first.ms) / 1000;
    return seconds < 0.5 ? undefined : (last.bytes - first.bytes) / seconds;
  }
}

/** One line, the most important first; without a rate at the beginning. */
export function progressText(progress: DownloadProgress, bytesPerSecond: number | undefined): string {
  const { artifact, file, doneBytes, totalBytes } = progress;
  const share = totalBytes === 0 ? 1 : doneBytes / totalBytes;
  const filled = Math.floor(share * BAR_WIDTH);
  const parts = [
    `[${"#".repeat(filled)}${".".repeat(BAR_WIDTH - filled)}] ${(Math.floor(share * 1000) / 10).toFixed(1)} %`,
    `${byteText(doneBytes)} of ${byteText(totalBytes)}`,
  ];
  if (bytesPerSecond !== undefined && bytesPerSecond > 0 && doneBytes < totalBytes) {
    const secondsLeft = (totalBytes - doneBytes) / bytesPerSecond;
    parts.push(`${byteText(bytesPerSecond)}/s`, `${durationText(secondsLeft)} left`);
  }
  return [...parts, `${artifact}/${file}`].join("  ");
}
