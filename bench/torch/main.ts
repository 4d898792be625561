// `npm run bench:torch`: one pass of the transformer here and in PyTorch, with the same weights, inputs and number of
// threads, in float32. The two take turns, so that what else runs on the machine slows both; wall time and processor
// time of each, as medians with the quarter and three-quarter values. `--runs N`, `--threads N`, `--only TEXT`,
// `--profile` prints where our time goes instead.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SafetensorsFile, Session } from "@everframe/graph";
import { transformerGraph } from "../../packages/longlive/src/transformer.ts";
import { formatTable, median, type Row } from "../table.ts";
import { printProfile } from "./profile.ts";
import { gflopOf, readInputs, type TorchCase, torchCases, writeInputs, writeWeights } from "./shapes.ts";
import { TorchProcess } from "./torch-process.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "11" },
    threads: { type: "string", default: "2" },
    only: { type: "string", default: "" },
    profile: { type: "boolean", default: false },
  },
});
const [runs, threads] = [Number(values.runs), Number(values.threads)];

type Time = { readonly wallMs: number; readonly cpuMs: number };

const folder = mkdtempSync(join(tmpdir(), "bench-torch-"));
try {
  const rows: Row[] = [];
  let version = "";
  for (const item of torchCases().filter(({ name }) => name.includes(values.only))) {
    const result = await measure(item);
    version = result.version;
    rows.push(result.row);
  }
  if (!values.profile) {
    console.log(
      `Machine: ${cpus()[0]?.model.trim()}, ${threads} threads each, Node ${process.version}, PyTorch ${version}`,
    );
    console.log(`${runs} runs each, in turn, after 2 warm ones\n\n${formatTable(rows)}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

async function measure(item: TorchCase): Promise<{ row: Row; version: string }> {
  const inputsPath = join(folder, "inputs.safetensors");
  const weights = item.weights ?? join(folder, "weights.safetensors");
  if (item.weights === undefined) writeWeights(weights, item.config.transformer);
  writeInputs(inputsPath, item);
  const graph = transformerGraph(item.config, { main: SafetensorsFile.open(weights) }, item.grid);
  const profile = values.profile ? { profile: join(folder, "profile") } : {};
  const session = await Session.create(graph, { threads, ...profile });
  const inputs = { ...readInputs(inputsPath), own_from: zero(), head_from: zero() };
  if (values.profile) {
    for (let i = 0; i < runs; i++) await session.run(inputs);
    await session.close();
    printProfile(item.name, folder);
    return { row: {}, version: "" };
  }
  const torch = await TorchProcess.start({ weights, inputs: inputsPath, config: item.config.transformer, threads });
  try {
    const difference = await compare(session, inputs, torch);
    const [ours, theirs]: [Time[], Time[]] = [[], []];
    for (let i = 0; i < 1 + runs; i++) {
      const pair = [await timed(() => session.run(inputs)), await torch.run()] as const;
      if (i === 0) continue;
      ours.push(pair[0]);
      theirs.push(pair[1]);
    }
    return { row: rowOf(item, ours, theirs, difference), version: torch.version };
  } finally {
    torch.stop();
    await session.close();
  }
}

function rowOf(item: TorchCase, ours: readonly Time[], theirs: readonly Time[], difference: number): Row {
  // Pair by pair, as a slow moment of the machine is likely to meet both of a pair.
  const ratio = (pick: (time: Time) => number) =>
    spread(
      theirs.map((time, i) => pick(time) / pick(ours[i]!)),
      2,
    );
  const wall = median(ours.map(({ wallMs }) => wallMs));
  return {
    case: item.name,
    GFLOP: gflopOf(item),
    "ours, wall ms": spread(ours.map(({ wallMs }) => wallMs)),
    "PyTorch, wall ms": spread(theirs.map(({ wallMs }) => wallMs)),
    "PyTorch / ours": ratio(({ wallMs }) => wallMs),
    "ours, CPU ms": spread(ours.map(({ cpuMs }) => cpuMs)),
    "PyTorch, CPU ms": spread(theirs.map(({ cpuMs }) => cpuMs)),
    "CPU ratio": ratio(({ cpuMs }) => cpuMs),
    "our GFLOP/s": (1000 * gflopOf(item)) / wall,
    "largest difference": difference.toExponential(1),
  };
}

/** Median, and the values that a quarter of the list is below and above. */
function spread(list: readonly number[], digits = 0): string {
  const sorted = [...list].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!.toFixed(digits);
  return `${median(sorted).toFixed(digits)} (${at(0.25)}-${at(0.75)})`;
}

/** Both predictions, as the largest difference in parts of the largest value. */
async function compare(session: Session, inputs: Parameters<Session["run"]>[0], torch: TorchProcess): Promise<number> {
  const { prediction } = await session.run(inputs);
  const path = join(folder, "prediction.bin");
  await torch.run(path);
  const bytes = readFileSync(path);
  const theirs = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const ours = prediction!.data as Float32Array;
  if (theirs.length !== ours.length) throw new Error(`PyTorch gave ${theirs.length} values instead of ${ours.length}.`);
  let [largest, size] = [0, 0];
  for (const [i, value] of theirs.entries()) {
    largest = Math.max(largest, Math.abs(value - ours[i]!));
    size = Math.max(size, Math.abs(value));
  }
  if (!(largest < 1e-3 * size)) throw new Error(`${largest} is no rounding: the two do not compute the same.`);
  return largest / size;
}

async function timed(work: () => Promise<unknown>): Promise<Time> {
  const [start, cpuStart] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpuStart);
  return { wallMs: performance.now() - start, cpuMs: (user + system) / 1000 };
}

function zero() {
  return { data: BigInt64Array.of(0n), dims: [1] };
}
