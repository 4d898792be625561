import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { cleanPrompt, openTokenizer } from "./tokenizer.ts";

const MODEL = fileURLToPath(new URL("../../../models/longlive-tiny/tokenizer.json", import.meta.url));
const END = 1;

describe("cleanPrompt", () => {
  it("makes equal texts equal", () => {
    const cases = [
      ["  a \t man\n\nwalks ", "a man walks"],
      ["a\u0085b\u00a0c\u3000d", "a b c d"],
      ["Tom &amp;amp; Jerry &#39;s &#x41;", "Tom & Jerry 's A"],
      ["\u201cneon\u201d \u2018glow\u2019", "\"neon\" 'glow'"],
      ["\ufb01re \ufb02y", "fire fly"],
      ["\uff33ketch\uff01", "Sketch!"],
      ["cafe\u0301", "caf\u00e9"],
      ["a\u0000b\ufeffc", "abc"],
      ["&unknown; &#0; &#xd800; &#9999999;", "&unknown; &#0; &#xd800; &#9999999;"],
    ];
    for (const [text, clean] of cases) expect(cleanPrompt(text!)).toBe(clean);
  });
});

describe("openTokenizer", () => {
  it("ends every prompt with the end token, also an empty one", () => {
    const tokenizer = openTokenizer(MODEL, 24);
    expect(tokenizer.encode("")).toEqual([END]);
    expect(tokenizer.encode("   ")).toEqual([END]);
    expect(tokenizer.encode("photo").at(-1)).toBe(END);
    expect(tokenizer.encode("Photo")).toEqual(tokenizer.encode("photo"));
  });

  it("cuts a long prompt and keeps the end token last", () => {
    const ids = openTokenizer(MODEL, 8).encode("a b c d e f g h i j k l");
    expect(ids).toHaveLength(8);
    expect(ids.at(-1)).toBe(END);
    expect(ids.slice(0, 7)).toEqual(openTokenizer(MODEL, 24).encode("a b c d e f g").slice(0, 7));
  });

  it("says what is wrong with a folder without tokenizer or with a broken one", () => {
    const folder = mkdtempSync(join(tmpdir(), "tokenizer-"));
    try {
      const path = join(folder, "tokenizer.json");
      expect(() => openTokenizer(path, 8)).toThrow(expect.objectContaining({ code: "model_missing" }));
      writeFileSync(path, "{}");
      expect(() => openTokenizer(path, 8)).toThrow(expect.objectContaining({ code: "model_corrupt" }));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
