/** Values and texts that are almost right, and some that are not at all. */
import type { Random } from "./random.ts";

const STRANGE: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  -1e-9,
  2 ** 53,
  "",
  " ",
  "NaN",
  "0x10",
  "\u0000",
  "\ud800",
  "🎥".repeat(50),
  "a".repeat(5000),
  "../../etc/passwd",
  "%2e%2e%2f",
  "__proto__",
  [],
  {},
  [[]],
  [null],
  { __proto__: null, constructor: 1, toString: 2 },
];

/** Strange, or a small structure of strange ones. */
function strangeValue(random: Random, depth = 0): unknown {
  const kind = depth > 3 ? 0 : random.int(0, 9);
  if (kind === 8) return Array.from({ length: random.int(0, 12) }, () => strangeValue(random, depth + 1));
  if (kind === 9) {
    const keys = Array.from({ length: random.int(0, 6) }, () =>
      (JSON.stringify(random.pick(STRANGE)) ?? "").slice(0, 30),
    );
    return Object.fromEntries(keys.map((key) => [key, strangeValue(random, depth + 1)]));
  }
  return random.pick(STRANGE);
}

/** The value with something changed somewhere in it. */
function mutateValue(random: Random, value: unknown): unknown {
  if (Array.isArray(value) && value.length > 0 && random.chance(0.8)) {
    const copy = [...(value as unknown[])];
    const at = random.int(0, copy.length - 1);
    const how = random.int(0, 3);
    if (how === 0) copy.splice(at, 1);
    else if (how === 1) copy.push(...Array<unknown>(random.int(1, 300)).fill(copy[at]));
    else copy[at] = mutateValue(random, copy[at]);
    return copy;
  }
  if (typeof value === "object" && value !== null && Object.keys(value).length > 0 && random.chance(0.9)) {
    const copy: Record<string, unknown> = { ...value };
    const key = random.pick(Object.keys(copy));
    const how = random.int(0, 4);
    if (how === 0) delete copy[key];
    else if (how === 1) copy[`${key}_`] = copy[key];
    else copy[key] = mutateValue(random, copy[key]);
    return copy;
  }
  if (typeof value === "number" && random.chance(0.5)) return value * random.pick([-1, 0, 2, 1e6, 0.1]);
  if (typeof value === "string" && random.chance(0.5)) return mutateText(random, value);
  return strangeValue(random);
}

/** The text with some of its characters lost, doubled, moved or replaced. */
export function mutateText(random: Random, text: string): string {
  let result = text;
  for (let i = random.int(1, 4); i > 0; i--) {
    const at = random.int(0, result.length);
    const end = Math.min(result.length, at + random.int(1, 20));
    const part = result.slice(at, end);
    const replacement = random.pick([
      "",
      part + part,
      "\n",
      "\0",
      "\\",
      '"',
      "}",
      "[",
      "é",
      "9".repeat(40),
      "%00",
      "-",
    ]);
    result = result.slice(0, at) + replacement + result.slice(end);
  }
  return result;
}

/** JSON of a changed value, or changed JSON. */
export function mutateJson(random: Random, value: unknown): string {
  const text = JSON.stringify(random.chance(0.8) ? mutateValue(random, value) : value) ?? "";
  return random.chance(0.2) ? mutateText(random, text) : text;
}
