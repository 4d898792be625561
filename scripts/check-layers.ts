// Imports run one way only: protocol <- graph <- longlive <- server, and protocol <- client <- studio.
// Fails on an import against that direction, on a path that leaves its own package, and on a value import of protocol in client.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** What each package may import; `types` means `import type` alone, except in tests, which never reach a user. */
export const LAYERS: Record<string, Record<string, "values" | "types">> = {
  "packages/protocol": {},
  "packages/graph": { "@everframe/protocol": "values" },
  "packages/longlive": { "@everframe/protocol": "values", "@everframe/graph": "values" },
  "packages/server": { "@everframe/protocol": "values", "@everframe/longlive": "values" },
  "packages/client": { "@everframe/protocol": "types" },
  "apps/studio": { "@everframe/client": "values" },
};

const IMPORT =
  /(?:^|\n)\s*(import|export)\s+(type\s+)?[^"';]*?from\s*"([^"]+)"|(?:^|\n)\s*import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/g;

/** Faults of one source file, each a sentence; `file` is relative to the repository's root. */
export function findFaults(file: string, source: string): string[] {
  const folder = Object.keys(LAYERS).find((name) => file.startsWith(`${name}/`));
  if (folder === undefined) return [];
  const allowed = LAYERS[folder] ?? {};
  const faults: string[] = [];
  for (const match of source.matchAll(IMPORT)) {
    const target = match[3] ?? match[4] ?? match[5] ?? "";
    if (target.startsWith("@everframe/")) {
      const name = target.split("/").slice(0, 2).join("/");
      const permission = allowed[name];
      if (permission === undefined) faults.push(`${file}: ${folder} may not import ${target}`);
      else if (permission === "types" && match[2] === undefined && !file.endsWith(".test.ts"))
        faults.push(`${file}: ${folder} may import only types from ${target}`);
      if (target !== name) faults.push(`${file}: import ${name}, not a file inside it (${target})`);
    } else if (target.startsWith(".")) {
      const path = join(dirname(file), target).split(sep).join("/");
      if (!path.startsWith(`${folder}/`)) faults.push(`${file}: ${target} leaves ${folder}`);
    }
  }
  return faults;
}

function main(): void {
  const root = join(dirname(fileURLToPath(import.meta.url)), "..");
  const files = sources(root);
  const faults = files.flatMap((file) => findFaults(file, readFileSync(join(root, file), "utf8")));
  for (const fault of faults) console.error(fault);
  console.log(`${files.length} files, ${faults.length} imports against the layers.`);
  if (faults.length > 0 || files.length === 0) process.exitCode = 1;
}

function sources(root: string): string[] {
  return Object.keys(LAYERS).flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .map((name) => `${folder}/${name.split(sep).join("/")}`)
      .filter((path) => /\.(ts|tsx|mts|mjs)$/.test(path) && !/\/(node_modules|dist)\//.test(path)),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
