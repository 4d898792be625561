// Every rule of docs/SPEC.md has a test that bears its id in its title, and no test names a rule that is not there.
// A rule is a list entry that begins with its id: "- **[LOAD3]** Sentence." Skipped tests prove nothing.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const RULE = /^- \*\*\[([A-Z]+\d+)\]\*\* +(.*)$/gm;
const ID = /\[([A-Z]{2,}\d+)\]/g;
// it("…"), test.only("…"), test.skipIf(x)("…"): modifiers, then the title in any quotes.
const TEST = /\b(?:it|test)((?:\.[a-zA-Z]+(?:\([^()]*\))?)*)\(\s*(["'`])((?:\\.|(?!\2)[\s\S])*)\2/g;
const TEST_FOLDERS = ["packages", "apps", "e2e", "scripts"];
/** Its examples look like tests. */
const OWN_TEST = "check-spec.test.ts";

export type Source = { file: string; text: string };

/** Faults, each a sentence. */
export function findFaults(spec: string, tests: readonly Source[]): string[] {
  const faults: string[] = [];
  const rules = new Map<string, string>();
  for (const [, id = "", sentence = ""] of spec.matchAll(RULE)) {
    if (rules.has(id)) faults.push(`docs/SPEC.md: [${id}] is there twice`);
    if (!/[.:]`?$/.test(sentence)) faults.push(`docs/SPEC.md: [${id}] is no whole sentence on one line`);
    rules.set(id, sentence);
  }
  const tested = new Set<string>();
  for (const { file, text } of tests) {
    for (const [, modifiers = "", , title = ""] of text.matchAll(TEST)) {
      if (/\.(skip|todo)$/.test(modifiers)) continue;
      for (const [, id = ""] of title.matchAll(ID)) {
        if (rules.has(id)) tested.add(id);
        else faults.push(`${file}: [${id}] is no rule of docs/SPEC.md`);
      }
    }
  }
  for (const id of rules.keys()) if (!tested.has(id)) faults.push(`docs/SPEC.md: no test bears [${id}]`);
  return faults;
}

function main(): void {
  const root = join(dirname(fileURLToPath(import.meta.url)), "..");
  const spec = readFileSync(join(root, "docs/SPEC.md"), "utf8");
  const faults = findFaults(spec, testSources(root));
  for (const fault of faults) console.error(fault);
  console.log(`${[...spec.matchAll(RULE)].length} rules, ${faults.length} faults.`);
  if (faults.length > 0) process.exitCode = 1;
}

function testSources(root: string): Source[] {
  return TEST_FOLDERS.filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter(
        (name) =>
          /\.(test|e2e)\.tsx?$/.test(name) && !/(^|[\\/])(node_modules|dist)[\\/]/.test(name) && name !== OWN_TEST,
      )
      .map((name) => ({ file: `${folder}/${name}`, text: readFileSync(join(root, folder, name), "utf8") })),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
