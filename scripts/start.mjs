// `npm start`: builds the page when its sources are newer than the last build, then runs the server from source.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Everframe needs Node 20.19 or newer; this is ${process.version}. Install a newer Node and try again.`);
  process.exit(1);
}
if (!existsSync(join(root, "node_modules", "tsx"))) {
  console.error("The dependencies are not installed. Run: npm ci && npm start");
  process.exit(1);
}

// Commands other than the server itself need no page.
if (!["download", "doctor"].includes(process.argv[2])) buildStudio();
const { register } = await import("tsx/esm/api");
register();
const { runCli } = await import("../packages/server/src/cli.ts");
await runCli(process.argv.slice(2));

function buildStudio() {
  const studio = join(root, "apps/studio");
  const page = join(studio, "dist/index.html");
  const sources = [studio, join(root, "packages/client/src"), join(root, "package-lock.json")];
  if (existsSync(page) && Math.max(...sources.map(newest)) <= statSync(page).mtimeMs) return;
  const vite = join(root, "node_modules/vite/bin/vite.js");
  const result = spawnSync(process.execPath, [vite, "build", "--logLevel", "warn"], {
    cwd: studio,
    stdio: ["ignore", 2, 2],
  });
  if (result.status !== 0) {
    console.error(
      "The page could not be built (see above). The API still starts; its address shows a note instead of the page.",
    );
  }
}

/** Newest modification time, in ms, of a file or of any file below a folder (build output left out). */
function newest(path) {
  const info = statSync(path);
  if (!info.isDirectory()) return info.mtimeMs;
  const names = readdirSync(path).filter((name) => name !== "dist" && name !== "node_modules");
  return Math.max(0, ...names.map((name) => newest(join(path, name))));
}
