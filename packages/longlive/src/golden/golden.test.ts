/** The recorded cases that this package meets, at the tolerances recorded with them. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SafetensorsFile } from "@everframe/graph";
import { describe, expect, it } from "vitest";
import { findCases, parseSelection, runCase } from "./run-cases.ts";

const FIXTURES = fileURLToPath(new URL("../../../../fixtures/golden/", import.meta.url));
const FOLDERS = [`${FIXTURES}public`, `${FIXTURES}public_extra`];

// Of the whole pipeline everything but the Wan autoencoder's own tensors.
const PIPELINE = "latents+latents_in+x0+cond+after_recache+end+recache_flow";
const SELECTION = parseSelection(
  `01,03,04,05:${PIPELINE},06:${PIPELINE},07:${PIPELINE},11,12a,x1,x2:resample+mixed,x3,x6`,
);

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
  it("fails a case whose recorded numbers are others", async () => {
    const folder = mkdtempSync(join(tmpdir(), "golden-"));
    try {
      cpSync(`${FIXTURES}public/03_scheduler`, folder, { recursive: true });
      const path = join(folder, "expected.safetensors");
      const { offset } = SafetensorsFile.open(path).info("add_noise");
      const bytes = readFileSync(path);
      bytes.writeFloatLE(bytes.readFloatLE(offset) + 0.001, offset);
      writeFileSync(path, bytes);
      const result = await runCase(folder);
      expect(result.pass).toBe(false);
      expect(result.worst?.tensor).toBe("add_noise");
      expect(result.failures).toEqual(["add_noise is off by 1.0e-3"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("fails a case that cannot be run yet, and says so", async () => {
    const { pass, failures } = await runCase(`${FIXTURES}public/02_vae`);
    expect(pass).toBe(false);
    expect(failures[0]).toContain("not supported yet");
  });

  it("fails a case of which a recorded tensor was not computed", async () => {
    const { pass, failures } = await runCase(`${FIXTURES}public/05_t2v_stream`, ["latents", "output_u8"]);
    expect(pass).toBe(false);
    expect(failures).toEqual(["not computed: c#.output_u#"]);
  });
});
