/** Loading a pipeline, and how far it is. */
import { type LoadAnswer, parseLoadRequest } from "@everframe/protocol";
import { Hono } from "hono";
import type { AppContext } from "./context.ts";
import { readJson } from "./json-body.ts";

export function pipelineRoutes({ pipelines }: AppContext): Hono {
  return new Hono()
    .post("/api/v1/pipeline/load", async (c) => {
      pipelines.load(parseLoadRequest(await readJson(c.req)));
      const answer: LoadAnswer = { message: "Pipeline loading initiated successfully" };
      return c.json(answer);
    })
    .get("/api/v1/pipeline/status", (c) => c.json(pipelines.status()));
}
