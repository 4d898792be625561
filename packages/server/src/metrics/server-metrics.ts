/**
 * What the server tells Prometheus: counts since its start, kept here, and
 * figures of the moment, read when they are asked for. Nothing in it names a
 * viewer: sessions have short lives, and each name would stay for ever.
 */
import { performance } from "node:perf_hooks";
import type { SessionFigures } from "../sessions/session-figures.ts";
import { Counter, type Family, formatMetrics, gauge, Histogram } from "./prometheus.ts";

const METHODS = ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"];
const CHUNK_BOUNDS_S = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32];
const PIPELINE_STATES = ["not_loaded", "loading", "loaded", "error"];

/** What is read at the moment of asking. */
export type MetricSources = {
  version: string;
  pipelineStatus: () => string;
  capacity: () => { sessions: number; waiting: number };
  sessions: () => readonly { state: string; figures(): SessionFigures }[];
};

type Counts = Pick<SessionFigures, "framesIn" | "framesOut" | "chunks" | "chunksFailed">;

export class ServerMetrics {
  readonly #requests = new Counter("everframe_http_requests_total", "Requests by route and status.");
  readonly #closed = new Counter("everframe_sessions_closed_total", "Sessions that have ended, by reason.");
  readonly #chunkSeconds = new Histogram("everframe_chunk_seconds", "Time that chunks took.", CHUNK_BOUNDS_S);
  /** Of the sessions that have ended. */
  readonly #ended: Counts = { framesIn: 0, framesOut: 0, chunks: 0, chunksFailed: 0 };

  /** `route` is a pattern, not a path. */
  countRequest(method: string, route: string, status: number): void {
    this.#requests.add({ method: METHODS.includes(method) ? method : "other", route, status: String(status) });
  }

  countChunk(tookMs: number): void {
    this.#chunkSeconds.observe(tookMs / 1000);
  }

  /** Call it once a session, with its last figures. */
  countSession(reason: string, figures: Counts): void {
    this.#closed.add({ reason });
    for (const key of Object.keys(this.#ended) as (keyof Counts)[]) this.#ended[key] += figures[key];
  }

  /** Everything, in Prometheus' format. */
  text({ version, pipelineStatus, capacity, sessions }: MetricSources): string {
    const open = sessions();
    const figures = open.map((one) => one.figures());
    const total = (key: keyof Counts) => figures.reduce((sum, one) => sum + one[key], this.#ended[key]);
    const counter = (name: string, help: string, value: number): Family => ({
      ...gauge(name, help, value),
      type: "counter",
    });
    const states = ["connecting", "live", "interrupted"];
    const status = pipelineStatus();
    const { sessions: fitting, waiting } = capacity();
    const { user, system } = process.cpuUsage();
    return formatMetrics([
      gauge("everframe_build_info", "The version, as a label.", [[{ version, node: process.versions.node }, 1]]),
      gauge(
        "everframe_sessions",
        "Sessions by state.",
        states.map((state) => [{ state }, open.filter((one) => one.state === state).length]),
      ),
      gauge("everframe_session_capacity", "Sessions that fit at the moment.", fitting),
      gauge("everframe_sessions_waiting", "Clients that wait for a place.", waiting),
      this.#closed.family(),
      counter("everframe_frames_received_total", "Pictures received.", total("framesIn")),
      counter("everframe_frames_sent_total", "Newly made pictures sent.", total("framesOut")),
      counter("everframe_chunks_total", "Chunks made.", total("chunks")),
      counter("everframe_chunks_failed_total", "Chunks that failed.", total("chunksFailed")),
      this.#chunkSeconds.family(),
      gauge(
        "everframe_pipeline_status",
        "1 for the state of the pipeline.",
        PIPELINE_STATES.map((state) => [{ status: state }, state === status ? 1 : 0]),
      ),
      this.#requests.family(),
      counter("process_cpu_seconds_total", "Processor time used.", (user + system) / 1e6),
      gauge("process_resident_memory_bytes", "Memory in use.", process.memoryUsage.rss()),
      gauge("process_start_time_seconds", "When the process started, since 1970.", performance.timeOrigin / 1000),
      gauge(
        "nodejs_eventloop_utilization",
        "Share of time that the main thread was busy since its start.",
        performance.eventLoopUtilization().utilization,
      ),
    ]);
  }
}
