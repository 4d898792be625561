/**
 * The command line: its commands, the one line with the address, the browser,
 * and an orderly end. Native code that still runs when the process exits would
 * abort it, so a signal first ends the work, then the connections, then the
 * process.
 */
import { fileURLToPath } from "node:url";
import { errorText, parseLoadRequest } from "@everframe/protocol";
import open from "open";
import type { Logger } from "pino";
import { type CliOptions, HELP, readOptions } from "./cli-options.ts";
import type { ServerOptions } from "./index.ts";
import { LogFile } from "./log-file.ts";
import { createLogger } from "./logger.ts";
import type { CommandContext } from "./models/download-command.ts";
import type { Restore } from "./supervisor/restart-policy.ts";
import { Supervisor } from "./supervisor/supervisor.ts";
import { isSupervised, openSupervisorLink } from "./supervisor/supervisor-link.ts";

/** A model that is being opened cannot be interrupted; longer than this is not waited for it. */
const SHUTDOWN_LIMIT_MS = 60_000;

type Command = (argv: readonly string[], context: CommandContext) => Promise<number>;

/** Loaded when asked for: the server's native libraries are no concern of theirs. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  download: async () => (await import("./models/download-command.ts")).runDownloadCommand,
  doctor: async () => (await import("./doctor/doctor-command.ts")).runDoctorCommand,
};

/** Runs a command, or the server until a signal ends the process. */
export async function runCli(argv: readonly string[]): Promise<void> {
  const [first = "", ...rest] = argv[0] === "--" ? argv.slice(1) : argv;
  const command = Object.hasOwn(COMMANDS, first) ? await COMMANDS[first]!() : undefined;
  if (command !== undefined) {
    const abort = new AbortController();
    process.stdout.on("error", () => process.exit(1)); // nobody reads on, as with "| head"
    process.on("SIGINT", () => abort.abort());
    process.on("SIGTERM", () => abort.abort());
    const { env, stdout, stderr } = process;
    process.exitCode = await command(rest, { env, stdout, stderr, signal: abort.signal });
    return;
  }
  await start(argv);
}

async function start(argv: readonly string[]): Promise<void> {
  let options: CliOptions;
  try {
    options = readOptions(argv, process.env);
  } catch (error) {
    console.error(`${errorText(error)}\nRun with --help for the options.`);
    process.exit(1);
  }
  if (options.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const level = process.env["VERBOSE_LOGGING"] === "1" ? "debug" : "info";
  const logFile = new LogFile({
    folder: options.logsDir,
    onFailure: (error) => console.error(`The log cannot be kept in ${options.logsDir}: ${errorText(error)}`),
  });
  const isServer = isSupervised();
  const log = createLogger(level, (line) => {
    process.stderr.write(line);
    logFile.write(`${new Date().toISOString().slice(0, 10)} ${line}`);
    // The file is the server's: it may rename it at any time.
    if (!isServer) logFile.close();
  });
  if (!isServer) {
    if (options.server.device === "webgpu") await checkDevice();
    process.exit(await supervise(argv, log));
  }
  await serve(options, log, logFile);
}

/** Ends the process where there is no GPU: nothing could be loaded. */
async function checkDevice(): Promise<void> {
  const { checkWebGpu } = await import("./doctor/webgpu-check.ts");
  const result = await checkWebGpu();
  if ("error" in result) {
    console.error(result.error);
    process.exit(1);
  }
  if (result.notice !== undefined) console.error(result.notice);
}

/** Keeps a server process running until a signal ends both. @returns the exit code */
async function supervise(argv: readonly string[], log: Logger): Promise<number> {
  const supervisor = new Supervisor({
    module: fileURLToPath(new URL("../bin/everframe.mjs", import.meta.url)),
    argv,
    restartArgv: (port) => [...argv, "--port", String(port), "--no-open"],
    env: process.env,
    log,
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => supervisor.end(signal));
  return supervisor.run();
}

async function serve(options: CliOptions, log: Logger, logFile: LogFile): Promise<void> {
  const { createServer } = await import("./index.ts");
  const link = openSupervisorLink(() => void end("supervisor gone", 1));
  const server = createServer({
    ...options.server,
    restore: startOf(link.restore, process.env),
    onActivity: (activity) => link.tell({ type: "activity", activity }),
    log,
    logFile,
  });
  let ending = false;
  const end = async (cause: string, exitCode: number): Promise<void> => {
    // SIGKILL, because an ordinary exit would wait for, and then abort in, what did not end in time.
    if (ending) process.kill(process.pid, "SIGKILL");
    ending = true;
    log.info({ cause }, "server ending");
    const timer = setTimeout(() => log.warn("still waiting for the model; a second signal ends at once"), 5000);
    const limit = setTimeout(() => process.exit(exitCode), SHUTDOWN_LIMIT_MS);
    try {
      await server.close();
    } catch (error) {
      log.error({ err: error }, "server did not end cleanly");
    }
    clearTimeout(timer);
    clearTimeout(limit);
    process.exit(exitCode);
  };
  process.on("SIGINT", () => void end("SIGINT", 0));
  process.on("SIGTERM", () => void end("SIGTERM", 0));
  process.on("unhandledRejection", (reason) => log.error({ err: reason }, "a failure was not handled"));
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "unexpected failure");
    if (!ending) void end("failure", 1);
  });

  let url: string;
  try {
    const started = await server.start();
    url = started.url;
    link.tell({ type: "ready", port: started.port });
  } catch (error) {
    console.error(startFailure(error, options.server));
    process.exit(1);
  }
  console.log(`Everframe is ready at ${url} (Ctrl+C ends it)`);
  if (options.openBrowser) {
    await open(url).catch((error: unknown) => log.warn({ err: error }, "the browser could not be opened"));
  }
}

/** What the process before this one had or died of; at the first start what the environment asks for. */
function startOf(restore: Restore, env: NodeJS.ProcessEnv): Restore {
  const pipelineId = env["PIPELINE"] || undefined;
  if (pipelineId === undefined || restore.load !== undefined || restore.failed !== undefined) return restore;
  return { load: parseLoadRequest({ pipeline_id: pipelineId }) };
}

function startFailure(error: unknown, { host = "127.0.0.1", port = 8000 }: ServerOptions): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return `Port ${port} is in use. End what uses it, or choose another: --port ${port + 1}`;
    case "EACCES":
      return `Port ${port} needs more rights. Choose one above 1023: --port 8000`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${host} is no address of this machine. Choose another: --host 127.0.0.1`;
    default:
      return `The server could not start: ${errorText(error)}`;
  }
}
