/**
 * The HTTP side of the server: all routes behind their protection, and every error as
 * `{detail, code, retryable}`. `app.request()` tests it without a socket.
 */
import { ApiError, type ErrorBody } from "@everframe/protocol";
import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { protect } from "../security/protect.ts";
import { addAssetRoutes } from "./asset-routes.ts";
import type { AppContext } from "./context.ts";
import { addDocsRoutes } from "./docs-routes.ts";
import { Endpoints } from "./endpoints.ts";
import { addHealthRoutes } from "./health-routes.ts";
import { addModelRoutes } from "./model-routes.ts";
import { addPipelineRoutes } from "./pipeline-routes.ts";
import { addRecordingRoutes } from "./recording-routes.ts";
import { addSessionRoutes } from "./session-routes.ts";
import { staticFiles } from "./static-files.ts";
import { addSystemRoutes } from "./system-routes.ts";
import { addWebrtcRoutes } from "./webrtc-routes.ts";

export function createApp(context: AppContext): Hono {
  const { log, metrics } = context;
  const app = new Hono();
  const endpoints = new Endpoints(app);
  app.use(async (c, next) => {
    await next();
    metrics.countRequest(c.req.method, endpoints.patternOf(c.req.path) ?? "page", c.res.status);
  });
  app.use(...protect(context.protection));
  app.onError((thrown, c) => {
    const error = ApiError.from(thrown);
    const { method, path } = c.req;
    if (error.code === "internal") log.error({ err: thrown, method, path }, "request failed");
    else log.debug({ method, path, code: error.code }, "request refused");
    const body: ErrorBody = { ...error.extra, detail: error.detail, code: error.code, retryable: error.retryable };
    if (error.retryAfterS !== undefined) c.header("Retry-After", String(Math.ceil(error.retryAfterS)));
    for (const [name, value] of Object.entries(error.headers)) c.header(name, value);
    return c.json(body, error.status as ContentfulStatusCode);
  });
  addPipelineRoutes(endpoints, context);
  addWebrtcRoutes(endpoints, context);
  addSessionRoutes(endpoints, context);
  addRecordingRoutes(endpoints, context);
  addAssetRoutes(endpoints, context);
  addModelRoutes(endpoints, context);
  addHealthRoutes(endpoints, context);
  addSystemRoutes(endpoints, context);
  addDocsRoutes(app, endpoints, context);
  const refuse = (c: Context): never => {
    const methods = endpoints.methodsOf(c.req.path);
    const isRead = c.req.method === "GET" || c.req.method === "HEAD";
    // So the original server answers also where nothing is: any path of its page can be read, and nothing else done.
    if (methods.length > 0 || !isRead) {
      const headers = { Allow: methods.join(", ") || "GET, HEAD" };
      throw new ApiError("method_not_allowed", {}, { headers });
    }
    throw new ApiError("not_found", { path: c.req.path });
  };
  app.all("/api/*", refuse);
  app.route("/", staticFiles(context));
  app.notFound(refuse);
  return app;
}
