/** GET /health: the process answers. */
import type { Health } from "@everframe/protocol";
import { Hono } from "hono";
import type { AppContext } from "./context.ts";

export function healthRoutes({ sessions, version }: AppContext): Hono {
  return new Hono().get("/health", (c) => {
    const health: Health = {
      status: "healthy",
      timestamp: new Date().toISOString(),
      server_start_time: Math.round(performance.timeOrigin) / 1000,
      version,
      git_commit: null,
      sessions: sessions.count,
      interrupted: 0,
    };
    return c.json(health);
  });
}
