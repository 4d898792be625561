import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findWan13b, WAN_1_3B_FILES } from "./find-model.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "models-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function install(files: readonly string[]): void {
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), "");
  }
}

describe("findWan13b", () => {
  it("finds nothing in an empty or absent folder", () => {
    expect(findWan13b(folder).state).toBe("none");
    expect(findWan13b(join(folder, "absent")).state).toBe("none");
  });

  it("names the files that are missing", () => {
    install(WAN_1_3B_FILES.slice(1));
    expect(findWan13b(folder)).toEqual({ state: "partial", missing: ["Wan2.1-T2V-1.3B/config.json"] });
  });

  it("knows a complete checkpoint", () => {
    install(WAN_1_3B_FILES);
    expect(findWan13b(folder)).toEqual({ state: "complete", missing: [] });
  });
});
