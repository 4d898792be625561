// Medians and plain text tables, the form in which every figure of the benchmark is printed.

/** Middle value of a list (mean of the two middle ones); NaN for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

export type Row = Record<string, string | number>;

/** Rows as a Markdown table; numbers get at most one decimal. */
export function formatTable(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (value: string | number | undefined): string =>
    typeof value === "number" ? String(Math.round(value * 10) / 10) : (value ?? "-");
  const lines = [columns, columns.map(() => "---"), ...rows.map((row) => columns.map((name) => cell(row[name])))];
  return lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
}
