import { describe, expect, it } from "vitest";
import { Counter, formatMetrics, gauge, Histogram } from "./prometheus.ts";

describe("formatMetrics", () => {
  it("writes counters and gauges with their labels, whatever is in them", () => {
    const requests = new Counter("requests_total", "Requests\nanswered");
    requests.add({ route: 'a"b\\c\nd', code: "200" });
    requests.add({ code: "200", route: 'a"b\\c\nd' }, 2);
    requests.add({ route: "other", code: "404" }, 0.5);
    expect(formatMetrics([requests.family(), gauge("memory_bytes", "Memory", 1.5), gauge("none", "Nothing", [])])).toBe(
      [
        "# HELP requests_total Requests\\nanswered",
        "# TYPE requests_total counter",
        'requests_total{route="a\\"b\\\\c\\nd",code="200"} 3',
        'requests_total{route="other",code="404"} 0.5',
        "# HELP memory_bytes Memory",
        "# TYPE memory_bytes gauge",
        "memory_bytes 1.5",
        "# HELP none Nothing",
        "# TYPE none gauge",
        "",
      ].join("\n"),
    );
  });

  it("adds the buckets of a histogram up", () => {
    const seconds = new Histogram("chunk_seconds", "Time", [0.1, 1]);
    for (const value of [0.05, 0.1, 0.5, 7]) seconds.observe(value);
    expect(formatMetrics([seconds.family()]).split("\n").slice(2)).toEqual([
      'chunk_seconds_bucket{le="0.1"} 2',
      'chunk_seconds_bucket{le="1"} 3',
      'chunk_seconds_bucket{le="+Inf"} 4',
      "chunk_seconds_sum 7.65",
      "chunk_seconds_count 4",
      "",
    ]);
  });
});
