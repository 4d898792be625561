/** The machine and its log, for bug reports. */
import { ApiError, type HardwareInfo, hardwareInfo, logTail } from "@everframe/protocol";
import { z } from "zod";
import { readHardware } from "../doctor/hardware.ts";
import { openFile } from "../open-file.ts";
import type { AppContext } from "./context.ts";
import type { Endpoints } from "./endpoints.ts";
import { fileAnswer } from "./file-answer.ts";

const tailQuery = z.object({
  lines: z.coerce.number().int().min(1).max(1000).default(200),
  since_offset: z.coerce.number().int().min(0).default(0).describe("The `offset` of an earlier answer"),
});

export function addSystemRoutes(endpoints: Endpoints, { logFile }: AppContext): void {
  const tag = "Operation";
  endpoints.add(
    {
      method: "get",
      path: "/api/v1/hardware/info",
      tag,
      summary: "Tells what the machine has.",
      answers: { 200: { text: "Processor, memory, graphics processors.", body: { schema: hardwareInfo } } },
    },
    (): Promise<HardwareInfo> => readHardware(),
  );
  endpoints.add(
    {
      method: "get",
      path: "/api/v1/logs/current",
      tag,
      summary: "Gives the newest log file.",
      answers: { 200: { text: "The whole file, to be saved.", body: { type: "text/plain; charset=utf-8" } } },
      errors: ["log_not_found"],
    },
    async ({ c }) => {
      const file = logFile === undefined ? undefined : await openFile(logFile.path);
      if (logFile === undefined || file === undefined) throw new ApiError("log_not_found", {});
      const answer = await fileAnswer(c.req, file, "text/plain; charset=utf-8");
      answer.headers.set("Content-Disposition", `attachment; filename="${logFile.name}.txt"`);
      return answer;
    },
  );
  endpoints.add(
    {
      method: "get",
      path: "/api/v1/logs/tail",
      tag,
      summary: "Gives the last lines of the log, or those since an offset.",
      query: tailQuery,
      answers: { 200: { text: "Whole lines.", body: { schema: logTail } } },
    },
    ({ query }) => (logFile === undefined ? { lines: [], offset: 0 } : logFile.tail(query.lines, query.since_offset)),
  );
}
