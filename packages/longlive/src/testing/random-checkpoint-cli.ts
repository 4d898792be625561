/** `npm run random-checkpoint -- --to DIR`: a checkpoint of random numbers, of full size unless flags say otherwise. */
import { parseArgs } from "node:util";
import { FULL_SIZES, SMALL_SIZES, writeRandomCheckpoint } from "./random-checkpoint.ts";

const TYPES = ["F32", "F16", "BF16"] as const;
const names = Object.keys(FULL_SIZES) as (keyof typeof FULL_SIZES)[];
const flagOf = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const sizeFlags = Object.fromEntries(names.map((name) => [flagOf(name), { type: "string" as const }]));

const { values } = parseArgs({
  options: {
    to: { type: "string" },
    type: { type: "string", default: "F32" },
    seed: { type: "string", default: "1" },
    small: { type: "boolean", default: false },
    ...sizeFlags,
  },
});
const type = TYPES.find((name) => name === values.type?.toUpperCase());
const given = values as Readonly<Record<string, string | boolean | undefined>>;
const sizes = { ...(values.small ? SMALL_SIZES : FULL_SIZES) };
for (const name of names) if (given[flagOf(name)] !== undefined) sizes[name] = Number(given[flagOf(name)]);

if (values.to === undefined || type === undefined || Object.values(sizes).some((size) => !(size >= 1))) {
  const flags = names.map((name) => `--${flagOf(name)} ${FULL_SIZES[name]}`).join(" ");
  console.error(`usage: npm run random-checkpoint -- --to DIR [--type F32|F16|BF16] [--seed 1] [--small] [${flags}]`);
  process.exitCode = 2;
} else {
  const onFile = (path: string) => console.log(path);
  writeRandomCheckpoint(values.to, sizes, { type, seed: Number(values.seed), onFile });
}
