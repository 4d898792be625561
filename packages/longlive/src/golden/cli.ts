/**
 * `npm run golden -- [--only 01,05:latents+x0] [--device webgpu] [folder...]`:
 * runs recorded cases, prints a row for each, ends with code 1 unless all pass.
 * `--skip-without-device`: says so and ends with 0 where there is no GPU.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DeviceCopier } from "@everframe/graph";
import { errorText } from "@everframe/protocol";
import type { CaseResult } from "./comparison.ts";
import { parseSelection, runCases } from "./run-cases.ts";

const FIXTURES = fileURLToPath(new URL("../../../../fixtures/golden/", import.meta.url));
const DEFAULT_FOLDERS = [`${FIXTURES}public`, `${FIXTURES}public_extra`];
const OPTIONS = {
  only: { type: "string" },
  device: { type: "string", default: "cpu" },
  "skip-without-device": { type: "boolean" },
} as const;
const COLUMNS = [30, 6, 10, 34, 10, 10] as const;

function row(cells: readonly string[]): string {
  return cells.map((cell, i) => cell.padEnd(COLUMNS[i] ?? 0)).join(" ");
}

function rowOf({ name, pass, compared, worst, failures }: CaseResult): string {
  const cells = worst
    ? [worst.tensor, worst.error.toExponential(1), worst.tolerance.toExponential(1)]
    : ["-", "-", "-"];
  return row([name, pass ? "pass" : "FAIL", String(compared), ...cells, failures.slice(0, 3).join("; ")]).trimEnd();
}

async function whyNoWebGpu(): Promise<string | undefined> {
  try {
    await (await DeviceCopier.create()).close();
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: OPTIONS });
  const { device } = values;
  if (device !== "cpu" && device !== "webgpu") throw new Error(`There is no device "${device}": cpu or webgpu.`);
  const print = (line: string) => process.stdout.write(`${line}\n`);
  if (device === "webgpu" && values["skip-without-device"]) {
    const reason = await whyNoWebGpu();
    if (reason !== undefined) {
      print(`SKIPPED: no case was run on WebGPU. ${reason}`);
      return 0;
    }
  }
  print(row(["case", "", "tensors", "worst tensor", "error", "tolerance", "not as recorded"]));
  const selection = values.only === undefined ? undefined : parseSelection(values.only);
  const folders = positionals.length > 0 ? positionals : DEFAULT_FOLDERS;
  const results = await runCases(folders, selection, (result) => print(rowOf(result)), { device });
  const passed = results.filter(({ pass }) => pass).length;
  print(`${passed} of ${results.length} cases pass.`);
  return passed === results.length ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${errorText(error)}\n`);
  process.exitCode = 2;
}
