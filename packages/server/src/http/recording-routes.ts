/**
 * Recording what a session sends, and the file of it. The paths below
 * /api/v1/recordings are the original's spelling of the same.
 */
import { ApiError, recordingAnswer, recordingFormat, recordingInfo } from "@everframe/protocol";
import { z } from "zod";
import { contentTypeOf } from "./content-types.ts";
import type { AppContext } from "./context.ts";
import type { Endpoints } from "./endpoints.ts";
import { fileAnswer } from "./file-answer.ts";

const startQuery = z.object({ format: recordingFormat.default("mp4") });

export function addRecordingRoutes(endpoints: Endpoints, context: AppContext): void {
  addRoutes(endpoints, context, "/api/v1/sessions/:id/recording");
  addRoutes(endpoints, context, "/api/v1/recordings/:id");
  const { recordings } = context;
  endpoints.add(
    {
      method: "get",
      path: "/api/v1/sessions/:id/recording/info",
      tag: "Recording",
      summary: "Tells of a session's newest recording.",
      answers: { 200: { text: "It runs, or how it ended.", body: { schema: recordingInfo } } },
      errors: ["recording_not_found"],
    },
    ({ param }) => {
      const info = recordings.info(param("id"));
      if (info === undefined) throw new ApiError("recording_not_found", { sessionId: param("id") });
      return info;
    },
  );
}

function addRoutes(endpoints: Endpoints, { sessions, recordings }: AppContext, path: string): void {
  const tag = "Recording";
  endpoints.add(
    {
      method: "post",
      path: `${path}/start`,
      tag,
      summary: "Begins to record what the session sends.",
      description: "Needs ffmpeg on the server's machine. A session has one recording at a time and keeps the newest.",
      query: startQuery,
      answers: { 200: { text: '`status` is "started" or "already_recording".', body: { schema: recordingAnswer } } },
      errors: ["session_not_found", "encoder_missing", "recording_failed"],
    },
    async ({ param, query }) => {
      const session = sessions.get(param("id"));
      const isNew = await recordings.start(session, query.format);
      return { status: isNew ? "started" : "already_recording", recording: recordings.info(session.id) ?? null };
    },
  );
  endpoints.add(
    {
      method: "post",
      path: `${path}/stop`,
      tag,
      summary: "Ends the recording and waits until its file is whole.",
      answers: { 200: { text: '`status` is "stopped" or "not_recording".', body: { schema: recordingAnswer } } },
      errors: ["session_not_found", "recording_failed"],
    },
    async ({ param }) => {
      const id = param("id");
      if (recordings.info(id) === undefined) sessions.get(id);
      const wasRunning = await recordings.stop(id);
      return { status: wasRunning ? "stopped" : "not_recording", recording: recordings.info(id) ?? null };
    },
  );
  endpoints.add(
    {
      method: "get",
      path,
      tag,
      summary: "Gives the file of the session's newest recording, also after the session has ended.",
      answers: {
        200: { text: "The whole file, to be saved.", body: { type: "video/mp4" } },
        206: { text: "The range asked for.", body: { type: "video/mp4" } },
        304: { text: "It is what the client has.", body: "empty" },
      },
      errors: ["recording_not_found", "recording_running", "range_not_satisfiable"],
    },
    async ({ param, c }) => {
      const { file, name } = await recordings.open(param("id"));
      const answer = await fileAnswer(c.req, file, contentTypeOf(name));
      answer.headers.set("Content-Disposition", `attachment; filename="${name}"`);
      return answer;
    },
  );
  endpoints.add(
    {
      method: "delete",
      path,
      tag,
      summary: "Removes that file.",
      answers: { 204: { text: "Removed.", body: "empty" } },
      errors: ["recording_not_found", "recording_running"],
    },
    async ({ param }) => {
      await recordings.remove(param("id"));
      return undefined;
    },
  );
}
