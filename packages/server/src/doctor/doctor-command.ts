/** `everframe doctor`: the report as text, or with --json as data. */
import { parseArgs } from "node:util";
import { errorText } from "@everframe/protocol";
import type { CommandContext } from "../models/download-command.ts";
import { collectFacts } from "./facts.ts";
import { doctorReport, type Entry, type Report } from "./report.ts";

const HELP = `Tells what this machine has, which models are installed, what it can run and how fast, and what to do about each "no".

  everframe doctor     (in the source tree: npm start -- doctor)

  --models-dir PATH   folder of models (DAYDREAM_SCOPE_MODELS_DIR)
  --json              the report and what it was made from, as JSON
  --help              show this text
`;

/** Runs the command; the result is the exit code, 1 when the server cannot make live video here at all. */
export async function runDoctorCommand(argv: readonly string[], context: CommandContext): Promise<number> {
  const { env, stdout, stderr, signal } = context;
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        "models-dir": { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      stdout.write(HELP);
      return 0;
    }
    const modelsDir = values["models-dir"];
    const facts = await collectFacts(env, {
      ...(modelsDir === undefined ? {} : { modelsDir }),
      signal,
      onStep: (step) => stderr.write(`looking at: ${step}\n`),
    });
    const report = doctorReport(facts);
    stdout.write(values.json ? `${JSON.stringify({ report, facts }, null, 2)}\n` : reportText(report));
    const [webrtc, small] = report.abilities;
    return webrtc?.verdict === "no" || small?.verdict === "no" ? 1 : 0;
  } catch (error) {
    if (signal.aborted) return 130;
    stderr.write(`${errorText(error)}\n`);
    return 1;
  }
}

export function reportText({ machine, models, abilities }: Report): string {
  const width = Math.max(...[...machine, ...models].map(({ name }) => name.length));
  const entries = (list: Entry[]) => list.map(({ name, text }) => `  ${name.padEnd(width)}  ${text}\n`).join("");
  const verdicts = abilities.map(({ what, verdict, detail, advice }) => {
    const lines = advice.map((line) => `         -> ${line}\n`).join("");
    return `  ${`[${verdict}]`.padEnd(6)} ${what}: ${detail}\n${lines}`;
  });
  return `Machine\n${entries(machine)}\nModels\n${entries(models)}\nWhat it can do\n${verdicts.join("")}`;
}
