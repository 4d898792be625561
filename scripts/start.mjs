// `npm start`: builds the page and the SDK's one file when their sources are newer than the last build, then runs the server from source.
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
if (!["download", "doctor"].includes(process.argv[2])) {
  build("apps/studio", "dist/index.html", ["packages/client/src"]);
  build("packages/client", "dist/everframe.js", []);
}
const { register } = await import("tsx/esm/api");
register();
const { runCli } = await import("../packages/server/src/cli.ts");
await runCli(process.argv.slice(2));

/** Runs a package's build when one of its sources, or of `others`, is newer than what it made last. */
function build(folder, made, others) {
  const cwd = join(root, folder);
  const target = join(cwd, made);
  const sources = [cwd, ...others.map((other) => join(root, other)), join(root, "package-lock.json")];
  if (existsSync(target) && Math.max(...sources.map(newest)) <= statSync(target).mtimeMs) return;
  const vite = join(root, "node_modules/vite/bin/vite.js");
  const options = ["build", "--logLevel", "warn"];
  // Whatever the caller's own mode is: React built for development is half as large again and slower.
  const env = { ...process.env, NODE_ENV: "production" };
  const { status } = spawnSync(process.execPath, [vite, ...options], { cwd, env, stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    console.error(
      `${folder} could not be built (see above). The API still starts; what is missing says so at its address.`,
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
