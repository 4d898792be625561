// Runs a Python module of this repository: `node scripts/run.mjs scripts/python.ts training.evaluation [arguments]`.
// Takes the first Python that has what the recipe needs: $PYTHON, the system's own, or the one on the path.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const MODULES = { numpy: "numpy", scipy: "scipy", PIL: "pil", torch: "torch", skimage: "skimage" };

/** Path of a Python with the recipe's modules, or undefined. */
export function findPython(): string | undefined {
  const candidates = [process.env["PYTHON"] ?? "", "/usr/bin/python3", "python3"].filter((path) => path !== "");
  const test = `import ${Object.keys(MODULES).join(", ")}`;
  return candidates.find((path) => spawnSync(path, ["-c", test], { stdio: "ignore" }).status === 0);
}

/** Runs a module with its arguments. @returns its exit status */
export function runModule(name: string, ...args: string[]): number {
  const python = findPython();
  if (python === undefined) {
    const packages = Object.values(MODULES).map((module) => `python3-${module}`);
    console.error(
      `This needs Python 3 with ${Object.keys(MODULES).join(", ")}. On Debian: apt-get install ${packages.join(" ")}\n` +
        "Another Python that has them can be named in PYTHON.",
    );
    return 1;
  }
  const env = { ...process.env, EVERFRAME_NODE: process.execPath };
  return spawnSync(python, ["-m", name, ...args], { cwd: root, stdio: "inherit", env }).status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined) {
    console.error("usage: python.ts <module> [arguments]");
    process.exit(2);
  }
  process.exitCode = runModule(name, ...args);
}
