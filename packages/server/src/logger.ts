/**
 * Log lines by pino, to stderr and readable: time, level, text, fields. The
 * address of the server is the only thing that goes to stdout.
 */
import { type Logger, pino } from "pino";

const LEVELS: Record<number, string> = { 10: "TRACE", 20: "DEBUG", 30: "INFO", 40: "WARN", 50: "ERROR", 60: "FATAL" };

/** `level` as pino's, default "info". */
export function createLogger(level = "info", write: (line: string) => void = writeStderr): Logger {
  return pino({ level, base: null }, { write: (json: string) => write(`${readable(json)}\n`) });
}

function writeStderr(line: string): void {
  process.stderr.write(line);
}

function readable(json: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const clock = new Date(Number(time)).toISOString().slice(11, 23);
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const stack = (err as { stack?: string } | undefined)?.stack;
  return [clock, LEVELS[Number(level)] ?? level, msg, ...rest].join(" ") + (stack === undefined ? "" : `\n${stack}`);
}
