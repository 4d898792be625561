/** Uploading images and videos, listing, fetching and removing them. */
import { assetInfo, assetList, assetType } from "@everframe/protocol";
import { z } from "zod";
import { contentTypeOf } from "./content-types.ts";
import type { AppContext } from "./context.ts";
import type { Endpoints } from "./endpoints.ts";
import { fileAnswer } from "./file-answer.ts";

const uploadQuery = z.object({ filename: z.string().describe("With folders, if wanted: sub/name.png") });
const listQuery = z.object({ type: assetType.optional() });
const PATH_NOTE = "The path is the asset's name below the assets folder, or its absolute path as the listing gives it.";

export function addAssetRoutes(endpoints: Endpoints, { assets, log }: AppContext): void {
  const tag = "Assets";
  endpoints.add(
    {
      method: "post",
      path: "/api/v1/assets",
      tag,
      summary: "Stores an image or video of at most 50 MiB, in place of one of the same name.",
      description: "The body is the file itself, whatever its content type says; what it is, its first bytes tell.",
      query: uploadQuery,
      upload: "application/octet-stream",
      answers: { 200: { text: "Stored.", body: { schema: assetInfo } } },
      errors: [
        "asset_name_invalid",
        "asset_type_unsupported",
        "asset_content_unknown",
        "asset_too_large",
        "disk_full",
        "folder_unusable",
      ],
    },
    async ({ query, c }) => {
      const declared = c.req.header("content-length");
      const bytes = declared === undefined ? undefined : Number(declared);
      const info = await assets.save(query.filename, c.req.raw.body, bytes);
      log.info({ type: info.type, sizeMb: info.size_mb }, "asset uploaded");
      return info;
    },
  );
  endpoints.add(
    {
      method: "get",
      path: "/api/v1/assets",
      tag,
      summary: "Lists what was uploaded, the newest first.",
      query: listQuery,
      answers: { 200: { text: "All, or those of one type.", body: { schema: assetList } } },
    },
    async ({ query }) => ({ assets: await assets.list(query.type) }),
  );
  endpoints.add(
    {
      method: "get",
      path: "/api/v1/assets/*",
      tag,
      summary: "Gives the file itself, or a range of it.",
      description: PATH_NOTE,
      answers: {
        200: { text: "The whole file.", body: { type: "*/*" } },
        206: { text: "The range asked for.", body: { type: "*/*" } },
        304: { text: "It is what the client has.", body: "empty" },
      },
      errors: ["asset_path_forbidden", "asset_not_found", "range_not_satisfiable"],
    },
    async ({ param, c }) => {
      const { path, file } = await assets.open(param("rest"));
      return fileAnswer(c.req, file, contentTypeOf(path));
    },
  );
  endpoints.add(
    {
      method: "delete",
      path: "/api/v1/assets/*",
      tag,
      summary: "Removes a file.",
      description: PATH_NOTE,
      answers: { 204: { text: "Removed.", body: "empty" } },
      errors: ["asset_path_forbidden", "asset_not_found", "folder_unusable"],
    },
    async ({ param }) => {
      await assets.remove(param("rest"));
      log.info("asset removed");
      return undefined;
    },
  );
}
