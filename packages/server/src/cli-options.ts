/**
 * What the operator may say on the command line and in the environment, read
 * and checked before anything starts.
 */
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { readIceSettings } from "./ice/ice-settings.ts";
import type { ServerOptions } from "./index.ts";
import { modelsDirOf } from "./models/installed-models.ts";
import { AccessKeys } from "./security/access-keys.ts";

export const HELP = `Everframe: live video in, prompted video out.

  npm start -- [options]              start the server
  npm start -- download [longlive]    fetch models from the Hugging Face hub
  npm start -- doctor                 what this machine can run, and what to do about the rest

  --host ADDRESS         address to listen on (SCOPE_HOST; default 127.0.0.1, this machine alone)
  --port NUMBER          port to listen on (SCOPE_PORT; default 8000)
  --models-dir PATH      folder of models (DAYDREAM_SCOPE_MODELS_DIR; default ~/.daydream-scope/models)
  --device NAME          what models compute on: cpu (default) or webgpu
  --no-open              do not open the browser
  --help                 show this text

Who may use it (docs/SECURITY.md):
  --token TOKEN          what clients have to show (better EVERFRAME_TOKEN: others on the machine can read arguments)
  --allow-origin ORIGIN  origin whose pages may use everything, https://app.example or "*"; may be repeated
  --allow-host NAME      name under which it is reached, where that is in the public DNS and there is no token
  --trust-proxy          a proxy in front tells the clients' addresses in X-Forwarded-For

How media finds its way:
  --ice-server SERVER    stun:host:port, turn:user:password@host:port, or JSON of RTCIceServer; may be repeated
                         (EVERFRAME_ICE_SERVERS; default none for this machine alone, else a public STUN server, and
                         TURN by the keys of Hugging Face, Twilio or Cloudflare in the environment)
  --relay-only           connect through TURN servers alone
  --udp-ports MIN-MAX    UDP ports for media (default any)

How much it takes on:
  --max-sessions NUMBER  sessions at once (default 8)
  --min-fps NUMBER       frames a second that each session should get at least (default 2)
  --max-bitrate KBPS     upper bound of each session's video

Uploads go to the folder "assets" beside the models folder, or to DAYDREAM_SCOPE_ASSETS_DIR.
LoRA files are read from the folder "lora" beside it, or from DAYDREAM_SCOPE_LORA_DIR.
Recordings go to the folder "recordings" beside it, or to EVERFRAME_RECORDINGS_DIR, and stay for a day.
The log is also kept in the folder "logs" beside it, or in DAYDREAM_SCOPE_LOGS_DIR.
The pipeline that PIPELINE names is loaded at the start, such as PIPELINE=longlive.
`;

export type CliOptions = { server: ServerOptions; logsDir: string; openBrowser: boolean; help: boolean };

/**
 * Options from arguments, then environment, then defaults.
 * Throws an error that says what is wrong with them.
 */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv): CliOptions {
  const { values } = parseArgs({
    args: argv[0] === "--" ? argv.slice(1) : [...argv],
    options: {
      host: { type: "string" },
      port: { type: "string" },
      "models-dir": { type: "string" },
      device: { type: "string" },
      token: { type: "string" },
      "allow-origin": { type: "string", multiple: true },
      "allow-host": { type: "string", multiple: true },
      "trust-proxy": { type: "boolean" },
      "ice-server": { type: "string", multiple: true },
      "relay-only": { type: "boolean" },
      "udp-ports": { type: "string" },
      "max-sessions": { type: "string" },
      "min-fps": { type: "string" },
      "max-bitrate": { type: "string" },
      "no-open": { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const port = values.port ?? nonEmpty(env["SCOPE_PORT"]);
  const modelsDir = values["models-dir"] ?? nonEmpty(env["DAYDREAM_SCOPE_MODELS_DIR"]);
  const token = values.token ?? nonEmpty(env["EVERFRAME_TOKEN"]);
  if (token !== undefined) new AccessKeys(token);
  const iceServers = values["ice-server"];
  const isRelayOnly = values["relay-only"];
  readIceSettings({ iceServers: iceServers ?? [], isRelayOnly: isRelayOnly ?? false, isLocal: false }, env);
  const kbps = optional(values["max-bitrate"], (text) => parseCount("--max-bitrate", text));
  return {
    server: present({
      host: values.host ?? nonEmpty(env["SCOPE_HOST"]),
      port: optional(port, parsePort),
      modelsDir,
      assetsDir: nonEmpty(env["DAYDREAM_SCOPE_ASSETS_DIR"]),
      loraDir: nonEmpty(env["DAYDREAM_SCOPE_LORA_DIR"]),
      recordingsDir: nonEmpty(env["EVERFRAME_RECORDINGS_DIR"]),
      device: optional(values.device, parseDevice),
      token,
      allowOrigins: values["allow-origin"]?.map(parseOrigin),
      allowHosts: values["allow-host"]?.map((name) => name.toLowerCase()),
      trustProxy: values["trust-proxy"],
      iceServers,
      isRelayOnly,
      udpPorts: optional(values["udp-ports"], parsePorts),
      maxSessions: optional(values["max-sessions"], parseSessions),
      minFps: optional(values["min-fps"], (text) => parseCount("--min-fps", text)),
      maxBitrateBps: kbps === undefined ? undefined : kbps * 1000,
    }),
    logsDir: nonEmpty(env["DAYDREAM_SCOPE_LOGS_DIR"]) ?? join(dirname(modelsDirOf(env, modelsDir)), "logs"),
    openBrowser: values["no-open"] !== true && hasDisplay(env),
    help: values.help === true,
  };
}

/** Without the fields that are undefined, so that the server's own defaults hold. */
function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

function optional<T>(text: string | undefined, parse: (text: string) => T): T | undefined {
  return text === undefined ? undefined : parse(text);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65535 && text.trim() !== "") return port;
  throw new Error(`"${text}" is no port: give a number from 0 to 65535.`);
}

function parsePorts(text: string): { min: number; max: number } {
  const [min = Number.NaN, max = Number.NaN] = text.split("-").map(Number);
  if (Number.isInteger(min) && Number.isInteger(max) && min >= 1024 && max <= 65535 && min <= max) return { min, max };
  throw new Error(`"${text}" is no range of ports: give two from 1024 to 65535, such as 50000-50100.`);
}

function parseDevice(text: string): "cpu" | "webgpu" {
  if (text === "cpu" || text === "webgpu") return text;
  throw new Error(`"${text}" is no device: give cpu or webgpu.`);
}

function parseOrigin(text: string): string {
  if (text === "*" || (URL.canParse(text) && new URL(text).origin === text)) return text;
  throw new Error(`"${text}" is no origin: give scheme and host without a path, such as https://app.example, or "*".`);
}

function parseSessions(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`"${text}" is no value for --max-sessions: give a whole number above 0.`);
}

function parseCount(name: string, text: string): number {
  const count = Number(text);
  if (text.trim() !== "" && Number.isFinite(count) && count > 0) return count;
  throw new Error(`"${text}" is no value for ${name}: give a number above 0.`);
}

function hasDisplay(env: NodeJS.ProcessEnv): boolean {
  if (nonEmpty(env["CI"]) !== undefined) return false;
  return process.platform !== "linux" || Boolean(env["DISPLAY"] || env["WAYLAND_DISPLAY"]);
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : value;
}
