// One process of clients for bench/soak.ts: behaves in one way after the other, as chance says, until it is told to end.
import { Random } from "../packages/server/src/testing/random.ts";
import { sleep } from "../packages/server/src/testing/test-client.ts";
import { BEHAVIOURS } from "./soak-behaviours.ts";

export type ClientReport =
  | { type: "run"; behaviour: string }
  | { type: "fault"; behaviour: string; text: string }
  | { type: "done" };

const [url = "", seed = "0", only = ""] = process.argv.slice(2);
const random = new Random(Number(seed));
const names = only === "" ? Object.keys(BEHAVIOURS) : only.split(",");
let isEnding = false;
process.on("message", () => {
  isEnding = true;
});
process.on("disconnect", () => process.exit(1));

const tell = (report: ClientReport) =>
  new Promise<void>((resolve) => {
    process.send?.(report, () => resolve());
  });

let round = 0;
while (!isEnding && !(only !== "" && round >= names.length)) {
  // Named ones are each done once, in their order.
  const behaviour = only === "" ? random.pick(names) : (names[round] ?? "");
  round += 1;
  await tell({ type: "run", behaviour });
  const fault = (text: string) => void tell({ type: "fault", behaviour, text });
  try {
    await BEHAVIOURS[behaviour]?.({
      random,
      fault,
      die: () => process.kill(process.pid, "SIGKILL"),
      ask: async (path, init) => {
        const response = await fetch(`${url}${path}`, init);
        const isExpected = response.status < 500 || [501, 503].includes(response.status);
        if (!isExpected) fault(`${init?.method ?? "GET"} ${path} was answered ${response.status}`);
        return response;
      },
    });
  } catch (error) {
    const { stack = String(error), cause } = error as { stack?: string; cause?: unknown };
    fault(`${stack.slice(0, 500)}${cause === undefined ? "" : ` because of ${String(cause)}`}`);
  }
  await sleep(random.int(0, 500));
}
await tell({ type: "done" });
process.exit(0);
