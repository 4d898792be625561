/** Whether a pipeline's models are here, and fetching them. */
import {
  ApiError,
  type ModelDownloadAnswer,
  type ModelStatus,
  modelDownloadRequest,
  parseRequest,
} from "@everframe/protocol";
import { Hono } from "hono";
import { GROUP_NAMES } from "../models/model-catalogue.ts";
import type { AppContext } from "./context.ts";
import { readJson } from "./json-body.ts";

export function modelRoutes({ downloads, pipelines }: AppContext): Hono {
  return new Hono()
    .get("/api/v1/models/status", (c) => {
      const { pipeline_id: id } = parseRequest(modelDownloadRequest, c.req.query(), ["query"]);
      const answer: ModelStatus = downloads.status(id);
      return c.json(answer);
    })
    .post("/api/v1/models/download", async (c) => {
      const { pipeline_id: id } = parseRequest(modelDownloadRequest, await readJson(c.req));
      if (id === "") throw new ApiError("model_id_missing", {});
      const known = [...new Set([...pipelines.ids, ...GROUP_NAMES])];
      if (!known.includes(id)) throw new ApiError("pipeline_unknown", { pipelineId: id, known });
      downloads.start(id);
      const answer: ModelDownloadAnswer = { message: `Model download started for ${id}` };
      return c.json(answer);
    })
    .delete("/api/v1/models/download", async (c) => {
      const { pipeline_id: id } = parseRequest(modelDownloadRequest, c.req.query(), ["query"]);
      const wasRunning = await downloads.cancel(id);
      const message = wasRunning ? `Model download cancelled for ${id}` : `No model download is running for ${id}`;
      return c.json({ message } satisfies ModelDownloadAnswer);
    });
}
