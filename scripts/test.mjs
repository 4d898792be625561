// `npm test`: every check in order, the cheap ones first; stops at the first that fails.
// `npm test -- --only types,unit` runs some of them.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { register } from "tsx/esm/api";

register();
const { ensureChromium } = await import("./chromium.ts");
const { CRASHED_FILE } = await import("./crash-reporter.ts");
const { ensureTestTools } = await import("./test-tools.ts");
const { ensureVulkan } = await import("./software-vulkan.ts");

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const bin = (path) => [process.execPath, join(root, "node_modules", path)];
const run = (...args) => [process.execPath, join(root, "scripts/run.mjs"), ...args];
const unitTests = [...bin("vitest/vitest.mjs"), "run"];
const scratch = mkdtempSync(join(tmpdir(), "everframe-test-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
process.env[CRASHED_FILE] = join(scratch, "crashed.txt");
const GOLDEN_CASES = "01,03,04,05:latents,06:latents";
/** The cheap ones: without a GPU a driver in software computes them. */
const WEBGPU_CASES = "01,04,x1";

const steps = {
  types: () =>
    ["tsconfig.json", "tsconfig.browser.json", "tsconfig.e2e.json"].map((project) => [
      ...bin("typescript/bin/tsc"),
      "-p",
      project,
    ]),
  lint: () => [[...bin("@biomejs/biome/bin/biome"), "check", "--error-on-warnings", "."]],
  // The two that read the sources alone: which way imports run, and whether every rule has its test.
  layers: () => [run("scripts/check-layers.ts"), run("scripts/check-spec.ts")],
  unit: () => {
    ensureTestTools();
    prepareVulkan();
    return [[...unitTests, "--reporter=default", "--reporter=scripts/crash-reporter.ts"]];
  },
  golden: () => {
    prepareVulkan();
    const golden = "packages/longlive/src/golden/cli.ts";
    return [
      run(golden, "--only", GOLDEN_CASES),
      run(golden, "--only", WEBGPU_CASES, "--device", "webgpu", "--skip-without-device"),
    ];
  },
  e2e: () => {
    process.env.CHROMIUM_PATH = ensureChromium();
    return [[...bin("vitest/vitest.mjs"), "run", "--config", "e2e/vitest.config.ts"]];
  },
  soak: () => [run("bench/soak.ts", "--minutes", "3", "--seed", "1", "--clients", "3")],
};

const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1]?.split(",") : undefined;
const names = only ?? Object.keys(steps);
const took = [];
for (const name of names) {
  if (!(name in steps)) fail(`Unknown step "${name}". The steps are: ${Object.keys(steps).join(", ")}.`);
  const start = Date.now();
  console.log(`\n== ${name}`);
  let commands;
  try {
    commands = steps[name]();
  } catch (error) {
    fail(error.message);
  }
  for (const command of commands) {
    if (!passes(command) && !(name === "unit" && passesWithoutCrash())) fail(`\n${name} failed.`);
  }
  took.push(`${name} ${Math.round((Date.now() - start) / 1000)} s`);
}
console.log(`\nAll checks passed: ${took.join(", ")}.`);

function passes([program, ...args]) {
  return spawnSync(program, args, { cwd: root, stdio: "inherit" }).status === 0;
}

/** Runs a unit test file once more whose process died, if nothing else went wrong. */
function passesWithoutCrash() {
  const path = process.env[CRASHED_FILE];
  const crashed = existsSync(path) ? readFileSync(path, "utf8") : "";
  if (crashed === "") return false;
  console.log(`\nThe process of ${crashed} died. Once more:`);
  return passes([...unitTests, crashed]);
}

/** Chromium brings the driver in software. What needs a driver is skipped, with the reason, where there is none. */
function prepareVulkan() {
  try {
    ensureChromium();
  } catch {
    return;
  }
  Object.assign(process.env, ensureVulkan());
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
