// Reads what the SDK's sources say of themselves: members of types and classes with their docblocks. It knows the one way in
// which the sources are formatted, not the language: a declaration at the margin, its members two spaces in.
import { readFileSync } from "node:fs";

export type Member = {
  name: string;
  isOptional: boolean;
  /** As it is written, on one line. */
  type: string;
  /** The docblock's text on one line; empty without one. */
  text: string;
};

export type Declaration = { name: string; kind: "type" | "class" | "function"; text: string; members: Member[] };

/** Every exported type, class and function of a file. */
export function readDeclarations(path: string): Declaration[] {
  const lines = readFileSync(path, "utf8").split("\n");
  const declarations: Declaration[] = [];
  let doc = "";
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    if (line.startsWith("/**")) {
      [doc, at] = readDoc(lines, at);
      continue;
    }
    const found = /^export (?:async )?(type|class|function) (\w+)/.exec(line);
    if (found === null) {
      doc = "";
      continue;
    }
    const kind = found[1] as Declaration["kind"];
    const members = kind === "function" ? [] : readMembers(lines, at, kind);
    declarations.push({ name: found[2]!, kind, text: doc, members });
    doc = "";
  }
  return declarations;
}

function readMembers(lines: readonly string[], start: number, kind: "type" | "class"): Member[] {
  const members: Member[] = [];
  if (!lines[start]!.endsWith("{")) return members;
  let text = "";
  for (let at = start + 1; at < lines.length && !lines[at]!.startsWith("}"); at++) {
    const line = lines[at]!;
    if (line.startsWith("  /**")) {
      [text, at] = readDoc(lines, at);
      continue;
    }
    const member = /^ {2}(?:readonly )?(?:static )?(?:async )?(get )?(\w+)(\?)?(?:<[^(]*>)?([:(])/.exec(line);
    if (member !== null && member[2] !== "constructor") {
      const [whole, end] = kind === "class" ? readSignature(lines, at) : readType(lines, at);
      const isMethod = member[4] === "(" && member[1] === undefined;
      const type = isMethod ? whole : whole.slice(whole.indexOf(":") + 1).trim();
      members.push({ name: member[2]!, isOptional: member[3] === "?", type, text });
      at = end;
    }
    text = "";
  }
  return members;
}

/** A member of a type: up to the semicolon that ends it. */
function readType(lines: readonly string[], start: number): [string, number] {
  let at = start;
  const parts = [lines[at]!.trim()];
  while (!/^ {2}\S.*;$|^ {4}\| .*;$/.test(lines[at]!) || (at === start && lines[at]!.endsWith("{"))) {
    at += 1;
    parts.push(lines[at]!.trim());
  }
  return [
    parts
      .join(" ")
      .replace(/;$/, "")
      .replace(/^readonly /, ""),
    at,
  ];
}

/** A member of a class: up to the brace that begins its body, or the semicolon that ends a field. */
function readSignature(lines: readonly string[], start: number): [string, number] {
  let at = start;
  const parts = [lines[at]!.trim()];
  while (!/(?:\{|;)$/.test(lines[at]!) || /[({]\s*\{$/.test(lines[at]!)) {
    at += 1;
    parts.push(lines[at]!.trim());
  }
  const signature = parts
    .join(" ")
    .replace(/ = \{\}/g, "?")
    .replace(/\s*[{;]$/, "");
  return [signature.replace(/^(?:readonly |async |get )+/, ""), at];
}

function readDoc(lines: readonly string[], start: number): [string, number] {
  let end = start;
  while (!lines[end]!.includes("*/")) end += 1;
  const text = lines
    .slice(start, end + 1)
    .map((line) => line.replace(/^\s*\/?\*+\/?\s?/, "").replace(/\s*\*\/\s*$/, ""))
    .join("\n")
    .split("\n@")[0]!
    .replace(/\s+/g, " ")
    .trim();
  return [text, end];
}
