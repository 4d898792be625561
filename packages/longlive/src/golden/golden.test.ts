/** The recorded cases that this package meets, at the tolerances recorded with them. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SafetensorsFile } from "@everframe/graph";
import { afterAll, describe, expect, it } from "vitest";
import { findCases, parseSelection, runCase } from "./run-cases.ts";

const FIXTURES = fileURLToPath(new URL("../../../../fixtures/golden/", import.meta.url));
const FOLDERS = [`${FIXTURES}public`, `${FIXTURES}public_extra`];

const SELECTION = parseSelection("01,02,03,04,05,06,07,08,09,10,11,12a,12b,x1,x2,x3,x4,x5,x6,x7");

describe("recorded cases", () => {
  for (const [number, groups] of SELECTION) {
    const folder = findCases(FOLDERS).find((path) => path.split("/").at(-1)!.startsWith(`${number}_`));
    it(`meets ${folder?.split("/").at(-1)}`, async () => {
      const { failures, compared } = await runCase(folder!, groups);
      expect(failures).toEqual([]);
      expect(compared).toBeGreaterThan(0);
    });
  }
});

describe("runCase", () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  /** A copy of a case, one of its files changed. */
  function changedCase(file: string, change: (content: string) => string): string {
    const folder = mkdtempSync(join(tmpdir(), "golden-"));
    folders.push(folder);
    cpSync(`${FIXTURES}public/03_scheduler`, folder, { recursive: true });
    const path = join(folder, file);
    // One character a byte, so that binary files stay as they are.
    writeFileSync(path, change(readFileSync(path, "latin1")), "latin1");
    return folder;
  }

  it("fails a case whose recorded numbers are others", async () => {
    const folder = changedCase("expected.safetensors", (content) => content);
    const path = join(folder, "expected.safetensors");
    const { offset } = SafetensorsFile.open(path).info("add_noise");
    const bytes = readFileSync(path);
    bytes.writeFloatLE(bytes.readFloatLE(offset) + 0.001, offset);
    writeFileSync(path, bytes);
    const result = await runCase(folder);
    expect(result.pass).toBe(false);
    expect(result.worst?.tensor).toBe("add_noise");
    expect(result.failures).toEqual(["add_noise is off by 1.0e-3"]);
  });

  it("fails a case that cannot be run yet, and says so", async () => {
    const folder = changedCase("case.json", (json) => json.replace('"03_scheduler"', '"03_another_part"'));
    const { pass, failures } = await runCase(folder);
    expect(pass).toBe(false);
    expect(failures[0]).toContain("not supported yet");
  });

  it("fails a case of which a recorded tensor was not computed", async () => {
    const folder = changedCase("expected.safetensors", (bytes) => bytes.replace('"x0_pred"', '"x0_nope"'));
    const { pass, failures } = await runCase(folder);
    expect(pass).toBe(false);
    expect(failures).toEqual(["not computed: x#_nope"]);
  });
});
