// Writes docs/parameters.md from the tables that the server validates by: `node scripts/run.mjs scripts/parameters-page.ts`.
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeLoadParameters, describeParameters, type ParameterDescription } from "@everframe/protocol";

export const PAGE = join(dirname(fileURLToPath(import.meta.url)), "../docs/parameters.md");

const WHEN: Record<ParameterDescription["acts"], string> = {
  load: "with the load",
  "next chunk": "from the next chunk",
  once: "in the next chunk, once",
  "at once": "at once",
  never: "never",
};

/** The page, as Markdown. */
export function parametersPage(): string {
  return `# Parameters

<!-- Written by scripts/parameters-page.ts from packages/protocol/src/parameter-table.ts and load.ts: change them there. -->

The server validates by the same tables, and tells them to clients at \`GET /api/v1/pipelines/schemas\`.

## While video runs

One JSON object of any of these is a message: as \`initialParameters\` of an offer, on the data channel, or as the body of \`POST /api/v1/sessions/{id}/parameters\`. Messages are merged and the latest value of a field wins; \`null\` means "not given", and unknown fields are ignored. Each message is answered: \`parameters_applied\` when the chunk that uses it starts, \`parameters_rejected\` at once for fields that cannot be used. A \`request_id\` (text or number) beside the fields comes back in the answer.

${table(describeParameters(), true)}

"Text" is \`input_mode: "text"\`, "video" is \`input_mode: "video"\`. Those that need VACE act in a pipeline loaded with \`vace_enabled\`, which is the default.

## When a pipeline is loaded

\`load_params\` of \`POST /api/v1/pipeline/load\`. Numbers may come as text.

${table(describeLoadParameters(), false)}
`;
}

function table(parameters: readonly ParameterDescription[], isLive: boolean): string {
  const head = ["name", "allowed", "default", ...(isLive ? ["modes", "acts"] : []), "what it does"];
  const rows = parameters.map((one) => [
    `\`${one.name}\``,
    one.allowed,
    one.default === null ? `*${one.when_absent}*` : `\`${JSON.stringify(one.default)}\``,
    ...(isLive ? [one.modes.join(", "), WHEN[one.acts]] : []),
    isLive && one.needs !== null ? `${one.help} Needs ${one.needs === "vace" ? "VACE" : "LoRAs"}.` : one.help,
  ]);
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, parametersPage());
