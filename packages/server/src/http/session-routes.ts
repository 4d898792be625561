/**
 * What runs: the sessions, their parameters, figures and newest picture. The
 * paths below /api/v1/session, without an id, are for clients that have one
 * session and do not know its name: the newest is meant.
 */
import {
  ApiError,
  allSessionMetrics,
  invalidRequest,
  type ParsedParameters,
  type SessionInfo,
  type SessionMetrics,
  sessionInfo,
  sessionList,
  sessionMetrics,
  sessionParameters,
  sessionParametersAnswer,
  toWireParameters,
} from "@everframe/protocol";
import { z } from "zod";
import type { Session } from "../sessions/session.ts";
import { encodeJpeg } from "../sessions/snapshot.ts";
import type { AppContext } from "./context.ts";
import type { Endpoints } from "./endpoints.ts";

const snapshotQuery = z.object({ quality: z.coerce.number().int().min(1).max(100).default(85) });
/** Read by the rules of the live parameters, field by field. */
const updateRequest = z.record(z.string(), z.unknown());

/** A session by the `id` in the path, or the newest. Both throw `session_not_found`. */
type Find = (param: (name: string) => string) => Session;

export function addSessionRoutes(endpoints: Endpoints, { sessions }: AppContext): void {
  const byId: Find = (param) => sessions.get(param("id"));
  const newest: Find = () => {
    const session = sessions.list().at(-1);
    if (session === undefined) throw new ApiError("session_not_found", { sessionId: "(any)" });
    return session;
  };
  endpoints.add(
    {
      method: "get",
      path: "/api/v1/sessions",
      tag: "Sessions",
      summary: "Lists the sessions, the oldest first, and how many fit.",
      answers: { 200: { text: "The sessions.", body: { schema: sessionList } } },
    },
    () => {
      const { sessions: capacity, waiting } = sessions.capacity();
      return { sessions: sessions.list().map(infoOf), capacity, waiting };
    },
  );
  endpoints.add(
    {
      method: "get",
      path: "/api/v1/sessions/:id",
      tag: "Sessions",
      summary: "Tells of one session.",
      answers: { 200: { text: "The session.", body: { schema: sessionInfo } } },
      errors: ["session_not_found"],
    },
    ({ param }) => infoOf(byId(param)),
  );
  addParameterRoutes(endpoints, "/api/v1/sessions/:id/parameters", byId);
  addParameterRoutes(endpoints, "/api/v1/session/parameters", newest);
  addSnapshotRoute(endpoints, "/api/v1/sessions/:id/snapshot", byId);
  addSnapshotRoute(endpoints, "/api/v1/session/frame", () => {
    const session = sessions.list().findLast(({ lastFrame }) => lastFrame !== undefined);
    if (session === undefined) throw new ApiError("frame_not_found", {});
    return session;
  });
  endpoints.add(
    {
      method: "get",
      path: "/api/v1/sessions/:id/metrics",
      tag: "Sessions",
      summary: "Tells a session's counts, rates and times.",
      answers: { 200: { text: "The figures.", body: { schema: sessionMetrics } } },
      errors: ["session_not_found"],
    },
    ({ param }) => metricsOf(byId(param)),
  );
  endpoints.add(
    {
      method: "get",
      path: "/api/v1/session/metrics",
      tag: "Sessions",
      summary: "Tells the figures of every session, by id.",
      answers: { 200: { text: "The figures.", body: { schema: allSessionMetrics } } },
    },
    () => ({ sessions: Object.fromEntries(sessions.list().map((one) => [one.id, metricsOf(one)])), gpu: {} }),
  );
}

function addParameterRoutes(endpoints: Endpoints, path: string, find: Find): void {
  endpoints.add(
    {
      method: "get",
      path,
      tag: "Sessions",
      summary: "Tells a session's live parameters.",
      answers: { 200: { text: "Those that are set, defaults included.", body: { schema: sessionParameters } } },
      errors: ["session_not_found"],
    },
    ({ param }) => {
      const session = find(param);
      return { session_id: session.id, parameters: toWireParameters(session.parameters.current) };
    },
  );
  endpoints.add(
    {
      method: "post",
      path,
      tag: "Sessions",
      summary: "Changes a session's live parameters, as a data-channel message does.",
      description: "Good fields act from the next chunk even beside bad ones; 422 only if none is good.",
      body: updateRequest,
      answers: { 200: { text: "What was taken and what was not.", body: { schema: sessionParametersAnswer } } },
      errors: ["session_not_found"],
    },
    ({ param, body }) => {
      const session = find(param);
      const { accepted, rejected, issues, ignored }: ParsedParameters = session.override(body);
      if (rejected.length > 0 && Object.keys(accepted).length === 0) {
        throw invalidRequest(issues.map((issue) => ({ ...issue, loc: ["body", ...issue.loc] })));
      }
      return { session_id: session.id, parameters: toWireParameters(accepted), rejected, ignored };
    },
  );
}

function addSnapshotRoute(endpoints: Endpoints, path: string, find: Find): void {
  endpoints.add(
    {
      method: "get",
      path,
      tag: "Sessions",
      summary: "Gives the newest picture that was sent, as JPEG.",
      query: snapshotQuery,
      answers: { 200: { text: "The picture.", body: { type: "image/jpeg" } } },
      errors: ["session_not_found", "frame_not_found"],
    },
    async ({ param, query, c }) => {
      const { lastFrame } = find(param);
      if (lastFrame === undefined) throw new ApiError("frame_not_found", {});
      const jpeg = await encodeJpeg(lastFrame, query.quality);
      return c.body(jpeg, 200, { "Content-Type": "image/jpeg", "Cache-Control": "no-store" });
    },
  );
}

function infoOf(session: Session): SessionInfo {
  const { inputMode, paused } = session.parameters.current;
  const { model, width, height } = session.figures();
  return {
    id: session.id,
    state: session.state,
    pipeline_id: session.pipeline?.id ?? null,
    model: model === "" ? null : model,
    width: width === 0 ? null : width,
    height: height === 0 ? null : height,
    input_mode: inputMode,
    paused,
    created_at: session.startedAt.getTime() / 1000,
  };
}

function metricsOf(session: Session): SessionMetrics {
  const { framesIn, framesOut, fpsIn, fpsOut, chunks, chunksFailed, chunkMs, stagesMs } = session.figures();
  const round = (value: number) => Math.round(value * 10) / 10;
  return {
    frames_in: framesIn,
    frames_out: framesOut,
    elapsed_seconds: round((Date.now() - session.startedAt.getTime()) / 1000),
    fps_in: round(fpsIn),
    fps_out: round(fpsOut),
    chunks,
    chunks_failed: chunksFailed,
    chunk_ms: chunkMs === null ? null : round(chunkMs),
    stages_ms: Object.fromEntries(Object.entries(stagesMs).map(([stage, ms]) => [stage, round(ms)])),
  };
}
