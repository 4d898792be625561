/** The API's own description: for machines as OpenAPI, for people as a page that reads it. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ApiError } from "@everframe/protocol";
import type { Hono } from "hono";
import { z } from "zod";
import { contentTypeOf } from "./content-types.ts";
import type { AppContext } from "./context.ts";
import type { Endpoints } from "./endpoints.ts";
import { openApiDocument } from "./openapi.ts";

const FOLDER = fileURLToPath(new URL("../../pages/docs/", import.meta.url));
const FILES: Record<string, string> = {
  "/docs": "index.html",
  "/docs/docs.css": "docs.css",
  "/docs/docs.js": "docs.js",
};

const openApi = z.looseObject({ openapi: z.string(), paths: z.record(z.string(), z.unknown()) });

export function addDocsRoutes(app: Hono, endpoints: Endpoints, { version }: AppContext): void {
  // Made when it is asked for: endpoints may still be added until the server starts.
  let document: string | undefined;
  endpoints.add(
    {
      method: "get",
      path: "/openapi.json",
      tag: "Description",
      summary: "Describes this API as OpenAPI 3.1; the page /docs shows it.",
      answers: { 200: { text: "The document.", body: { schema: openApi } } },
    },
    ({ c }) => {
      document ??= JSON.stringify(openApiDocument(endpoints.all, version));
      return c.body(document, 200, { "Content-Type": "application/json" });
    },
  );
  for (const [path, file] of Object.entries(FILES)) {
    app.get(path, async (c) => {
      const content = await readFile(FOLDER + file).catch((cause: unknown) => {
        throw new ApiError("not_found", { path }, { cause });
      });
      return c.body(content, 200, { "Content-Type": contentTypeOf(file), "Cache-Control": "no-cache" });
    });
  }
  app.get("/docs/", (c) => c.redirect("/docs", 308));
}
