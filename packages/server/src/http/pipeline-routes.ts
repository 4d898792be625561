/** Loading a pipeline, how far it is, and what each takes. */
import { loadRequest, messageAnswer, parseLoadRequest, pipelineSchemas, pipelineStatus } from "@everframe/protocol";
import { describePipeline } from "../pipelines/pipeline-schema.ts";
import type { AppContext } from "./context.ts";
import type { Endpoints } from "./endpoints.ts";

export function addPipelineRoutes(endpoints: Endpoints, { pipelines, version }: AppContext): void {
  const tag = "Pipeline";
  endpoints.add(
    {
      method: "post",
      path: "/api/v1/pipeline/load",
      tag,
      summary: "Begins to load a pipeline and answers at once; the status tells how it goes on.",
      description:
        "Name the pipeline in `pipeline_id`; `pipeline_ids` and `pipelines` are other spellings, of which the first entry is loaded. " +
        "The same load again changes nothing, and another one gives up what was being loaded.",
      body: loadRequest,
      answers: { 200: { text: "It has begun.", body: { schema: messageAnswer } } },
      errors: ["pipeline_unknown", "invalid_resolution", "out_of_memory", "shutting_down"],
    },
    ({ body }) => {
      pipelines.load(parseLoadRequest(body));
      return { message: "Pipeline loading initiated successfully" };
    },
  );
  endpoints.add(
    {
      method: "get",
      path: "/api/v1/pipeline/status",
      tag,
      summary: "Tells which pipeline is loaded, or how far a load is, or why it failed.",
      answers: { 200: { text: "The status.", body: { schema: pipelineStatus } } },
    },
    () => pipelines.status(),
  );
  endpoints.add(
    {
      method: "get",
      path: "/api/v1/pipelines/schemas",
      tag,
      summary: "Tells what each pipeline can do and takes, with all that a client needs to draw controls.",
      answers: { 200: { text: "By id.", body: { schema: pipelineSchemas } } },
    },
    () => ({
      pipelines: Object.fromEntries(pipelines.definitions.map((one) => [one.id, describePipeline(one, version)])),
    }),
  );
}
