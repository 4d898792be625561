// Documents name many files: each of those has to be there.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const pages = [
  ...["README.md", "ARCHITECTURE.md"],
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

test.each(pages)("every file that %s links to is there", (page) => {
  const text = readFileSync(join(root, page), "utf8").replace(/```[\s\S]*?```/g, "");
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target.split("#")[0] ?? "");
  const own = targets.filter((target) => target !== "" && !/^[a-z]+:/.test(target));
  expect(own.filter((target) => !existsSync(join(root, dirname(page), decodeURIComponent(target))))).toEqual([]);
});
