/** Whether the process answers, whether it can serve, and its figures for Prometheus. */
import { type Health, health, readiness } from "@everframe/protocol";
import { PROMETHEUS_TYPE } from "../metrics/prometheus.ts";
import type { AppContext } from "./context.ts";
import type { Endpoints } from "./endpoints.ts";

/** The largest model takes minutes for a chunk on a processor. */
const SILENCE_LIMIT_MS = 10 * 60_000;

export function addHealthRoutes(endpoints: Endpoints, { sessions, pipelines, metrics, version }: AppContext): void {
  const tag = "Operation";
  endpoints.add(
    {
      method: "get",
      path: "/health",
      tag,
      summary: "Says that the process answers, with its version and the number of sessions.",
      answers: { 200: { text: "It answers.", body: { schema: health } } },
    },
    (): Health => ({
      status: "healthy",
      timestamp: new Date().toISOString(),
      server_start_time: Math.round(performance.timeOrigin) / 1000,
      version,
      git_commit: null,
      sessions: sessions.count,
      interrupted: sessions.interrupted,
    }),
  );
  endpoints.add(
    {
      method: "get",
      path: "/healthz",
      tag,
      summary: "Says that the process lives, for a supervisor.",
      answers: { 200: { text: "It lives.", body: { schema: readiness } } },
    },
    () => ({ status: "ok", reason: null }),
  );
  endpoints.add(
    {
      method: "get",
      path: "/readyz",
      tag,
      summary: "Says whether a session could start now: a pipeline is loaded and its engine answers.",
      answers: {
        200: { text: "It could.", body: { schema: readiness } },
        503: { text: "It could not; `reason` says what is missing.", body: { schema: readiness } },
      },
    },
    ({ c }) => {
      const { status, error, loading_stage: stage } = pipelines.status();
      if (status === "loaded") {
        const silentMs = pipelines.pipeline.silentMs?.() ?? 0;
        if (silentMs < SILENCE_LIMIT_MS) return { status: "ok", reason: null };
        const minutes = Math.floor(silentMs / 60_000);
        return c.json({ status: "not_ready", reason: `The engine has not answered for ${minutes} minutes.` }, 503);
      }
      const reason =
        error ?? (status === "loading" ? `A pipeline is being loaded: ${stage}.` : "No pipeline is loaded.");
      c.header("Retry-After", "1");
      return c.json({ status: "not_ready", reason }, 503);
    },
  );
  endpoints.add(
    {
      method: "get",
      path: "/metrics",
      tag,
      summary: "Tells the server's figures in Prometheus' text format.",
      answers: { 200: { text: "The figures.", body: { type: PROMETHEUS_TYPE } } },
    },
    ({ c }) => {
      const text = metrics.text({
        version,
        pipelineStatus: () => pipelines.status().status,
        capacity: () => sessions.capacity(),
        sessions: () => sessions.list(),
      });
      return c.body(text, 200, { "Content-Type": PROMETHEUS_TYPE });
    },
  );
}
