import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

test("the SDK is one file under 15 kB gzipped that imports nothing", async () => {
  const outDir = mkdtempSync(join(tmpdir(), "everframe-client-"));
  try {
    const configFile = join(root, "vite.config.ts");
    await build({ root, configFile, logLevel: "silent", build: { outDir, emptyOutDir: true } });
    const code = readFileSync(join(outDir, "everframe.js"));
    expect(gzipSync(code, { level: 9 }).byteLength).toBeLessThan(15_000);
    expect(code.toString()).not.toMatch(/\bimport\s*[{("'*]|\brequire\(/);
    expect(code.toString()).toContain("createClient");
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
});
