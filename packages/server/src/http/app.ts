/**
 * The HTTP side of the server: all routes, any origin, and every error as
 * `{detail, code, retryable}`. `app.request()` tests it without a socket.
 */
import { ApiError, type ErrorBody } from "@everframe/protocol";
import { Hono } from "hono";
import { cors } from "hono/cors";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { assetRoutes } from "./asset-routes.ts";
import type { AppContext } from "./context.ts";
import { healthRoutes } from "./health-routes.ts";
import { modelRoutes } from "./model-routes.ts";
import { pipelineRoutes } from "./pipeline-routes.ts";
import { staticFiles } from "./static-files.ts";
import { webrtcRoutes } from "./webrtc-routes.ts";

export function createApp(context: AppContext): Hono {
  const app = new Hono();
  app.use(cors({ origin: "*" }));
  app.onError((thrown, c) => {
    const error = ApiError.from(thrown);
    const { method, path } = c.req;
    if (error.code === "internal") context.log.error({ err: thrown, method, path }, "request failed");
    else context.log.debug({ method, path, code: error.code }, "request refused");
    const body: ErrorBody = {
      ...error.extra,
      detail: error.detail,
      code: error.code,
      retryable: error.retryable,
    };
    if (error.retryAfterS !== undefined) c.header("Retry-After", String(Math.ceil(error.retryAfterS)));
    return c.json(body, error.status as ContentfulStatusCode);
  });
  app.notFound(() => {
    throw new ApiError("method_not_allowed", {});
  });
  app.route("/", healthRoutes(context));
  app.route("/", pipelineRoutes(context));
  app.route("/", webrtcRoutes(context));
  app.route("/", assetRoutes(context));
  app.route("/", modelRoutes(context));
  app.route("/", staticFiles(context));
  return app;
}
