// `npm run bench`: the figures of longlive-tiny on this machine, as tables; `--json` prints them as one JSON object.
// `--chunks N` and `--seconds N` set how long each is measured. Instead, `--leak` connects and closes 100 times, and
// `--sessions 1,2,4` tells what so many sessions cost without a model.
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "../e2e/harness/server.ts";
import { benchEngine, type EngineCase } from "./engine.ts";
import { benchSessions } from "./sessions.ts";
import { benchLeak, benchStream } from "./stream.ts";
import { formatTable, type Row } from "./table.ts";

const { values } = parseArgs({
  options: {
    chunks: { type: "string", default: "20" },
    seconds: { type: "string", default: "20" },
    json: { type: "boolean", default: false },
    leak: { type: "boolean", default: false },
    sessions: { type: "string" },
  },
});

const folder = join(ROOT, "models/longlive-tiny");
const cases: EngineCase[] = [
  { width: 320, height: 176 },
  { width: 576, height: 320 },
].flatMap(({ width, height }) =>
  [false, true].map((vace) => ({ name: `${width}x${height} ${vace ? "VACE" : "Normal"}`, width, height, vace })),
);

const sections: Record<string, Row[]> = {};
if (values.leak) {
  sections["Memory over connect and close cycles"] = await benchLeak(100);
} else if (values.sessions !== undefined) {
  const rows = await benchSessions(values.sessions.split(",").map(Number), Number(values.seconds));
  sections["passthrough at 576x320, 30 frames a second, clients in another process"] = rows;
} else {
  const engine: Row[] = [];
  for (const item of cases) engine.push(await benchEngine(folder, item, Number(values.chunks)));
  sections["One chunk of 12 frames, steps [700, 500], ms by stage (medians)"] = engine;
  const stream: Row[] = [];
  for (const item of cases) stream.push(await benchStream(item, Number(values.seconds)));
  sections["Through WebRTC, with a browser on the same machine (medians)"] = stream;
}

const machine = `${cpus()[0]?.model.trim() ?? "unknown processor"}, ${availableParallelism()} cores, Node ${process.version}`;
if (values.json) {
  console.log(JSON.stringify({ machine, sections }, null, 2));
} else {
  console.log(`Machine: ${machine}`);
  for (const [title, rows] of Object.entries(sections)) console.log(`\n${title}\n\n${formatTable(rows)}`);
}
process.exit(0);
