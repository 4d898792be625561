/**
 * Prompts to token ids: the text cleaning of Wan2.1 ("whitespace" mode), then
 * the model's own `tokenizer.json` (Hugging Face format) by
 * @huggingface/tokenizers. Only real tokens are given; padding to the model's
 * text length costs nothing because padded rows are zero after the encoder.
 */
import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { ApiError, errorText } from "@everframe/protocol";
import { Tokenizer } from "@huggingface/tokenizers";

export type PromptTokenizer = {
  /** Ids of a prompt, end token included; 1 to `maxTokens` of them. An empty prompt is the end token alone. */
  encode(text: string): number[];
};

/**
 * Opens a `tokenizer.json`.
 * @throws ApiError model_missing when there is none, model_corrupt when it is not a tokenizer.
 */
export function openTokenizer(path: string, maxTokens: number): PromptTokenizer {
  const [folder, name] = [dirname(path), basename(path)];
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new ApiError("model_missing", { folder, reason: `${name} cannot be opened` }, { cause });
  }
  try {
    const tokenizer = new Tokenizer(JSON.parse(text), {});
    const endId = tokenizer.encode("").ids.at(-1);
    if (endId === undefined) throw new Error("it adds no end token to a text");
    return {
      encode(prompt) {
        const { ids } = tokenizer.encode(cleanPrompt(prompt));
        return ids.length > maxTokens ? [...ids.slice(0, maxTokens - 1), endId] : ids;
      },
    };
  } catch (cause) {
    const reason = `${name} cannot be used: ${errorText(cause)}`;
    throw new ApiError("model_corrupt", { folder, reason }, { cause });
  }
}

/** Latin ligatures that typography programs put into text. */
const LIGATURES: Readonly<Record<string, string>> = {
  ﬀ: "ff",
  ﬁ: "fi",
  ﬂ: "fl",
  ﬃ: "ffi",
  ﬄ: "ffl",
  ﬅ: "st",
  ﬆ: "st",
};

const NAMED_ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  copy: "©",
  reg: "®",
  deg: "°",
  times: "×",
  hellip: "…",
  ndash: "–",
  mdash: "—",
  lsquo: "‘",
  rsquo: "’",
  ldquo: "“",
  rdquo: "”",
  euro: "€",
};

/** Unicode White_Space, which is not what `\s` means in JavaScript. */
const WHITE_SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/gu;
// Control characters that are not white space, and the byte order mark.
const CONTROLS = /(?![\t-\r\u0085])[\p{Cc}\ufeff]/gu;

/**
 * A prompt without what makes equal texts look different: typographic quotes, ligatures and full-width letters
 * become plain, HTML entities their characters, every run of white space one space; Unicode NFC.
 */
export function cleanPrompt(text: string): string {
  const plain = text
    .replace(CONTROLS, "")
    .replace(/[ﬀ-ﬆ]/gu, (ligature) => LIGATURES[ligature] ?? ligature)
    .replace(/[\uff01-\uff5e]/gu, (wide) => String.fromCodePoint(wide.codePointAt(0)! - 0xfee0))
    .replace(/[‘’‚‛]/gu, "'")
    .replace(/[“”„‟]/gu, '"')
    .normalize("NFC");
  return unescapeEntities(unescapeEntities(plain)).replace(WHITE_SPACE, " ").trim();
}

function unescapeEntities(text: string): string {
  return text.replace(/&(#x[\da-f]{1,6}|#\d{1,7}|[a-z]+);/giu, (entity, name: string) => {
    if (!name.startsWith("#")) return NAMED_ENTITIES[name] ?? entity;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : entity;
  });
}
