/** Whether a pipeline's models are here, and fetching them. */
import { ApiError, messageAnswer, modelDownloadRequest, modelStatus } from "@everframe/protocol";
import { GROUP_NAMES } from "../models/model-catalogue.ts";
import type { AppContext } from "./context.ts";
import type { Endpoints } from "./endpoints.ts";

export function addModelRoutes(endpoints: Endpoints, { downloads, pipelines }: AppContext): void {
  const tag = "Models";
  endpoints.add(
    {
      method: "get",
      path: "/api/v1/models/status",
      tag,
      summary: "Tells whether the files of a pipeline or group are here, and how far a download is.",
      query: modelDownloadRequest,
      answers: { 200: { text: "The status.", body: { schema: modelStatus } } },
    },
    ({ query }) => downloads.status(query.pipeline_id),
  );
  endpoints.add(
    {
      method: "post",
      path: "/api/v1/models/download",
      tag,
      summary: "Begins to fetch the missing files of a pipeline or group.",
      body: modelDownloadRequest,
      answers: { 200: { text: "It has begun.", body: { schema: messageAnswer } } },
      errors: ["model_id_missing", "pipeline_unknown", "download_running", "shutting_down"],
    },
    ({ body: { pipeline_id: id } }) => {
      if (id === "") throw new ApiError("model_id_missing", {});
      const known = [...new Set([...pipelines.ids, ...GROUP_NAMES])];
      if (!known.includes(id)) throw new ApiError("pipeline_unknown", { pipelineId: id, known });
      downloads.start(id);
      return { message: `Model download started for ${id}` };
    },
  );
  endpoints.add(
    {
      method: "delete",
      path: "/api/v1/models/download",
      tag,
      summary: "Gives a download up; what has come stays for the next one.",
      query: modelDownloadRequest,
      answers: { 200: { text: "Given up, or there was none.", body: { schema: messageAnswer } } },
    },
    async ({ query: { pipeline_id: id } }) => {
      const wasRunning = await downloads.cancel(id);
      return { message: wasRunning ? `Model download cancelled for ${id}` : `No model download is running for ${id}` };
    },
  );
}
