import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { expect, test } from "vitest";

const source = dirname(fileURLToPath(import.meta.url));

test("the SDK is one file under 15 kB gzipped that imports nothing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "everframe-client-"));
  try {
    await build({
      root: source,
      configFile: false,
      logLevel: "silent",
      build: {
        outDir: folder,
        emptyOutDir: true,
        minify: true,
        lib: { entry: join(source, "index.ts"), formats: ["es"], fileName: "client" },
      },
    });
    const code = readFileSync(join(folder, "client.js"));
    expect(gzipSync(code, { level: 9 }).byteLength).toBeLessThan(15_000);
    expect(code.toString()).not.toMatch(/\bimport\s*[{("'*]|\brequire\(/);
    expect(code.toString()).toContain("createClient");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
