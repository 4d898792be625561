/** Uploading images and videos, and listing them. */
import { type AssetList, parseRequest } from "@everframe/protocol";
import { Hono } from "hono";
import { z } from "zod";
import type { AppContext } from "./context.ts";

const uploadQuery = z.object({ filename: z.string() });
const listQuery = z.object({ type: z.enum(["image", "video"]).optional() });

export function assetRoutes({ assets, log }: AppContext): Hono {
  return new Hono()
    .post("/api/v1/assets", async (c) => {
      const { filename } = parseRequest(uploadQuery, c.req.query(), ["query"]);
      const declared = c.req.header("content-length");
      const info = await assets.save(filename, c.req.raw.body, declared === undefined ? undefined : Number(declared));
      log.info({ type: info.type, sizeMb: info.size_mb }, "asset uploaded");
      return c.json(info);
    })
    .get("/api/v1/assets", async (c) => {
      const { type } = parseRequest(listQuery, c.req.query(), ["query"]);
      const answer: AssetList = { assets: await assets.list(type) };
      return c.json(answer);
    });
}
