/** `everframe download`: what is missing, under which licence, and fetching it with a progress bar. */
import { parseArgs } from "node:util";
import { errorText } from "@everframe/protocol";
import { byteText } from "./byte-text.ts";
import { Downloader, type DownloadPlan } from "./download.ts";
import { HubCache } from "./hub-cache.ts";
import { readHubSettings } from "./hub-settings.ts";
import { modelsDirOf } from "./installed-models.ts";
import { artifactsOf, GROUP_NAMES } from "./model-catalogue.ts";
import { ProgressBar, type TextOutput } from "./progress-bar.ts";
import type { RetryOptions } from "./retry.ts";

const HELP = `Fetches models from the Hugging Face hub into its cache, where all programs that use the hub find them.
What was cut off goes on where it stopped.

  everframe download [${GROUP_NAMES.join(" | ")}]     (in the source tree: npm start -- download longlive)

  longlive            LongLive 1.3B with VACE and all its autoencoders, about 16 GB (the default)
  vae                 the autoencoders alone
  all                 everything

  --models-dir PATH   folder of models that is looked into first (DAYDREAM_SCOPE_MODELS_DIR)
  --help              show this text

The hub's own variables are honoured: HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE.
`;

export type CommandContext = {
  env: NodeJS.ProcessEnv;
  stdout: TextOutput;
  stderr: TextOutput;
  /** Aborted by Ctrl+C. */
  signal: AbortSignal;
};

/** Runs the command; the result is the exit code. */
export async function runDownloadCommand(argv: readonly string[], context: CommandContext): Promise<number> {
  const { env, stdout, stderr, signal } = context;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { "models-dir": { type: "string" }, help: { type: "boolean", short: "h" } },
    });
    if (values.help) {
      stdout.write(HELP);
      return 0;
    }
    const [group = "longlive", ...more] = positionals;
    if (artifactsOf(group).length === 0 || more.length > 0) {
      throw new Error(`"${positionals.join(" ")}" cannot be downloaded. Name one of: ${GROUP_NAMES.join(", ")}.`);
    }
    await download(group, modelsDirOf(env, values["models-dir"]), context);
    return 0;
  } catch (error) {
    if (signal.aborted) {
      stderr.write("Stopped. The same command goes on from here.\n");
      return 130;
    }
    stderr.write(`${errorText(error)}\n`);
    return 1;
  }
}

async function download(group: string, modelsDir: string, { env, stdout, stderr, signal }: CommandContext) {
  const settings = readHubSettings(env);
  const cache = new HubCache(settings.cacheDir);
  const onRetry: RetryOptions["onRetry"] = (error, waitMs) =>
    stderr.write(`${error.message}: asking again in ${Math.ceil(waitMs / 1000)} s\n`);
  const downloader = new Downloader({ settings, places: { modelsDir, cache }, retry: { onRetry } });
  const artifacts = artifactsOf(group);
  const plan = await downloader.plan(artifacts, signal);
  if (plan.repos.length === 0) {
    stdout.write(`All files of "${group}" are here already.\n`);
    return;
  }
  stdout.write(planText(plan));
  const { neededBytes, free } = await downloader.checkSpace(plan);
  const left = plan.presentBytes > 0 ? ` (${byteText(plan.presentBytes)} are here from an earlier try)` : "";
  const room = free === undefined ? "" : `; free there: ${byteText(free)}`;
  stdout.write(`To fetch: ${byteText(neededBytes)}${left} into ${settings.cacheDir}${room}\n`);
  const bar = new ProgressBar(stderr);
  try {
    await downloader.run(plan, signal, (progress) => bar.update(progress));
  } finally {
    bar.end();
  }
  stdout.write("Done: every file is here, and its checksum is the hub's.\n");
}

function planText(plan: DownloadPlan): string {
  return plan.repos
    .map(({ repo, licence, page, files, artifact }) => {
      const lines = files.map(({ path, bytes }) => {
        const use = artifact.files.find((file) => file.path === path)?.use;
        return `    ${byteText(bytes).padStart(8)}  ${path} (${use})\n`;
      });
      return `${repo}\n    licence: ${licence}; ${page}\n${lines.join("")}`;
    })
    .join("");
}
