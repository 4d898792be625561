/** GET /health: the process answers. */
import type { Health } from "@everframe/protocol";
import { Hono } from "hono";
import type { AppContext } from "./context.ts";

export function healthRoutes({ sessions, version }: AppContext): Hono {
  return new Hono().get("/health", (c) => {
    const health: Health = {
      status: "healthy",
      timestamp: new Date().toISOString(),
      version,
      sessions: sessions.count,
    };
    return c.json(health);
  });
}
