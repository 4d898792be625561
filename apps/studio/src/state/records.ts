// Reading data of unknown origin: storage, links, files.

export function recordOf(data: unknown): Partial<Record<string, unknown>> {
  return typeof data === "object" && data !== null && !Array.isArray(data) ? data : {};
}

export function listOf(data: unknown): readonly unknown[] {
  return Array.isArray(data) ? data : [];
}

export function numberIn(value: unknown, min: number, max: number): number | undefined {
  return typeof value === "number" && value >= min && value <= max ? value : undefined;
}
