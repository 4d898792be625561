/**
 * Metrics in Prometheus' text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Written by
 * hand: what is needed of it is three kinds of numbers and a few lines.
 */

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export type Labels = Readonly<Record<string, string>>;

/** One number with its labels; histograms add a suffix to the family's name. */
type Sample = { suffix?: string; labels: Labels; value: number };

/** All samples of one name. */
export type Family = { name: string; help: string; type: "counter" | "gauge" | "histogram"; samples: Sample[] };

/** Counts that only grow. */
export class Counter {
  readonly #name: string;
  readonly #help: string;
  readonly #values = new Map<string, { labels: Labels; value: number }>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  /** `by` is at least 0, default 1. */
  add(labels: Labels = {}, by = 1): void {
    const key = JSON.stringify(Object.entries(labels).sort());
    const found = this.#values.get(key);
    if (found === undefined) this.#values.set(key, { labels, value: by });
    else found.value += by;
  }

  family(): Family {
    return { name: this.#name, help: this.#help, type: "counter", samples: [...this.#values.values()] };
  }
}

/** How often a value lay below each of some bounds. */
export class Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** `bounds` rise. */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    const bucket = this.#bounds.findIndex((bound) => value <= bound);
    const index = bucket === -1 ? this.#bounds.length : bucket;
    this.#counts[index] = this.#counts[index]! + 1;
    this.#sum += value;
  }

  family(): Family {
    let total = 0;
    const buckets = this.#counts.map((count, i): Sample => {
      total += count;
      return { suffix: "_bucket", labels: { le: String(this.#bounds[i] ?? "+Inf") }, value: total };
    });
    const sums: Sample[] = [
      { suffix: "_sum", labels: {}, value: this.#sum },
      { suffix: "_count", labels: {}, value: total },
    ];
    return { name: this.#name, help: this.#help, type: "histogram", samples: [...buckets, ...sums] };
  }
}

/** Numbers of the moment: one, or one for each set of labels. */
export function gauge(name: string, help: string, value: number | readonly (readonly [Labels, number])[]): Family {
  const samples =
    typeof value === "number" ? [{ labels: {}, value }] : value.map(([labels, one]) => ({ labels, value: one }));
  return { name, help, type: "gauge", samples };
}

/** The families as Prometheus reads them. */
export function formatMetrics(families: readonly Family[]): string {
  return families
    .flatMap(({ name, help, type, samples }) => {
      const lines = samples.map(
        ({ suffix = "", labels, value }) => `${name}${suffix}${formatLabels(labels)} ${formatNumber(value)}`,
      );
      return [
        `# HELP ${name} ${help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")}`,
        `# TYPE ${name} ${type}`,
        ...lines,
      ];
    })
    .concat("")
    .join("\n");
}

function formatLabels(labels: Labels): string {
  const parts = Object.entries(labels).map(([key, value]) => `${key}="${quoted(value)}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

function quoted(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
