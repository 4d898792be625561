// Writes docs/sdk-reference.md from the SDK's own docblocks: `node scripts/run.mjs scripts/sdk-page.ts`.
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Declaration, type Member, readDeclarations } from "./docblocks.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const SOURCES = join(root, "packages/client/src");
export const PAGE = join(root, "docs/sdk-reference.md");

type Section = {
  title: string;
  file: string;
  name: string;
  /** Options have defaults, and each says its own. */
  isOptions?: true;
  note?: string;
};

const SECTIONS: readonly Section[] = [
  { title: "createClient(options)", file: "client.ts", name: "ClientOptions", isOptions: true },
  { title: "Client", file: "client.ts", name: "Client" },
  {
    title: "client.load(options, call): how it is called",
    file: "client.ts",
    name: "LoadCall",
    isOptions: true,
    note: 'Beside `signal`, `timeoutMs` and `onStatus` below. What is loaded, and how, is in [parameters.md](parameters.md#when-a-pipeline-is-loaded), here in camelCase and with `pipeline`, by default `"longlive"`.',
  },
  { title: "client.waitUntilLoaded(options)", file: "client.ts", name: "WaitOptions", isOptions: true },
  { title: "What is loaded", file: "client.ts", name: "PipelineStatus" },
  { title: "client.connect(options)", file: "session.ts", name: "ConnectOptions", isOptions: true },
  { title: "ReconnectPolicy", file: "reconnect-policy.ts", name: "ReconnectPolicy", isOptions: true },
  { title: "Session", file: "session.ts", name: "Session" },
  { title: "Events of a session", file: "session-events.ts", name: "SessionEvents" },
  { title: "Figures: SessionStats", file: "stats.ts", name: "SessionStats" },
  { title: "Figures: ServerStats", file: "stats.ts", name: "ServerStats" },
  { title: "session.recording", file: "recording.ts", name: "SessionRecording" },
  { title: "A recording", file: "recording.ts", name: "Recording" },
  { title: "Inputs", file: "inputs.ts", name: "Input" },
  { title: "Options of screen, file and scene", file: "inputs.ts", name: "InputSize", isOptions: true },
  {
    title: "Options of camera",
    file: "inputs.ts",
    name: "CameraOptions",
    isOptions: true,
    note: "Beside those of every input's size above.",
  },
  { title: "client.assets", file: "assets.ts", name: "Assets" },
  { title: "client.models", file: "models.ts", name: "Models" },
  { title: "client.models.download(id, options)", file: "models.ts", name: "DownloadOptions", isOptions: true },
  { title: "How far a download is", file: "models.ts", name: "DownloadProgress" },
  { title: "ClientError", file: "errors.ts", name: "ClientError" },
  { title: "A place in the line", file: "errors.ts", name: "Queue" },
];

/** The page, as Markdown. */
export function sdkPage(): string {
  const parts = SECTIONS.map((section) => {
    const { text, members } = declarationOf(section);
    const intro = [section.note, text].filter((one) => one !== undefined && one !== "").join("\n\n");
    return `## ${section.title}\n\n${intro}${intro === "" ? "" : "\n\n"}${table(members, section.isOptions === true)}`;
  });
  return `# The SDK, name by name

<!-- Written by scripts/sdk-page.ts from the docblocks in packages/client/src: change them there. -->

How the parts play together is in [sdk.md](sdk.md). Times are in milliseconds, sizes in pixels; everything asynchronous rejects with \`ClientError\`, and the live parameters that \`set\` takes are those of [parameters.md](parameters.md), in camelCase.

${parts.join("\n\n")}
`;
}

/** What is missing in the sources for the page to be whole. */
export function sdkFaults(): string[] {
  return SECTIONS.flatMap((section) => {
    const { members } = declarationOf(section);
    const where = (member: Member) => `${section.file}: ${section.name}.${member.name}`;
    const silent = members.filter(({ text }) => text === "");
    const undecided = section.isOptions ? members.filter(({ text }) => defaultOf(text) === undefined) : [];
    return [
      ...(members.length === 0 ? [`${section.file}: ${section.name} has no members`] : []),
      ...silent.map((member) => `${where(member)} has no docblock`),
      ...undecided.map((member) => `${where(member)} does not say its default`),
    ];
  });
}

function declarationOf({ file, name }: Section): Declaration {
  const found = readDeclarations(join(SOURCES, file)).find((one) => one.name === name);
  if (found === undefined) throw new Error(`${file} exports no ${name}`);
  // How errors and sessions are made is the SDK's own affair.
  return { ...found, members: found.members.filter(({ type }) => !type.startsWith("static ")) };
}

function table(members: readonly Member[], hasDefaults: boolean): string {
  const head = ["name", "type", ...(hasDefaults ? ["default"] : []), "what it is"];
  const rows = members.map(({ name, isOptional, type, text }) => [
    `\`${name}${isOptional && !hasDefaults ? "?" : ""}\``,
    `\`${readable(type)}\``,
    ...(hasDefaults ? [defaultOf(text) ?? ""] : []),
    hasDefaults ? withoutDefault(text) : text,
  ]);
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Options that are taken apart where they come in, as one name. */
function readable(type: string): string {
  return type.replace(/\{[^{}]*\}: (.+?)\?\)/, "options?: $1)").replace(/(\w+) = ("[^"]*")/, "$1?: string");
}

const DEFAULT = /\s*Default:? (.+?)(?:[.;](?=\s|$)|$)/;

function defaultOf(text: string): string | undefined {
  return DEFAULT.exec(text)?.[1];
}

function withoutDefault(text: string): string {
  const rest = text.replace(DEFAULT, "").trim();
  return rest === "" ? "" : rest[0]!.toUpperCase() + rest.slice(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, sdkPage());
