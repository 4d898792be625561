/** Damaged and hostile weight files by the thousand: each is read rightly or refused by the reader's own error. */
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SafetensorsError, SafetensorsFile } from "./safetensors.ts";
import { numbers } from "./testing/tensors.ts";
import { TorchFile, TorchFileError } from "./torch-file.ts";
import { ELEMENT_BYTES, type TensorFile } from "./weight-file.ts";

const MUTATIONS = 10_000;
// Values that length, offset and count fields go wrong with.
const EXTREMES = [0, 1, 0x7f, 0x80, 0xff];

const fixture = (name: string) => fileURLToPath(new URL(`../../../fixtures/torch/${name}`, import.meta.url));

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "weight-fuzz-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** One to four edits: a bit, a byte, a digit, a run of one value, a copied block, an insertion, a deletion or a cut. */
function mutate(original: Uint8Array, seed: number, areas: readonly (readonly [number, number])[]): Uint8Array {
  const random = numbers(64, seed).map((value) => (value + 1) / 2);
  let drawn = 0;
  const below = (limit: number) => Math.floor((random[drawn++] ?? 0) * limit);
  let bytes = Uint8Array.from(original);
  for (let edits = 1 + below(4); edits > 0; edits--) {
    const [from, to] = areas[below(areas.length)] ?? [0, bytes.length];
    const at = Math.min(from + below(to - from), bytes.length - 1);
    const run = 1 + below(8);
    const kind = below(20);
    const digits = bytes.subarray(at, at + 64).findIndex((byte) => byte >= 0x30 && byte <= 0x39);
    if (kind < 5) bytes[at]! ^= 1 << below(8);
    else if (kind < 9) bytes[at] = below(256);
    else if (kind < 13 && digits !== -1) bytes[at + digits] = 0x30 + below(10);
    else if (kind < 16) bytes.fill(EXTREMES[below(EXTREMES.length)]!, at, at + run);
    else if (kind === 16) bytes.copyWithin(at, below(bytes.length), below(bytes.length));
    else if (kind === 17) bytes = new Uint8Array(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + run)]));
    else if (kind === 18) bytes = new Uint8Array(Buffer.concat([bytes.subarray(0, at + run), bytes.subarray(at)]));
    else bytes = bytes.slice(0, Math.max(1, at));
  }
  return bytes;
}

type Outcome = { accepted: number; refusals: Map<string, number>; others: string[] };

/** Open and read everything in each mutation; collect errors that are not of the reader's type. */
function fuzz(
  original: Uint8Array,
  areas: readonly (readonly [number, number])[],
  open: (path: string) => TensorFile,
  ErrorType: new (path: string, problem: string) => Error,
): Outcome {
  const path = join(folder, "mutated");
  const target = openSync(path, "w");
  const outcome: Outcome = { accepted: 0, refusals: new Map(), others: [] };
  for (let seed = 1; seed <= MUTATIONS; seed++) {
    // Overwriting in place: a new file, or one emptied first, would wait for the disk each time.
    const bytes = mutate(original, seed, areas);
    writeSync(target, bytes, 0, bytes.length, 0);
    ftruncateSync(target, bytes.length);
    try {
      const file = open(path);
      for (const name of file.names()) {
        const { dtype, length } = file.info(name);
        const count = file.read(name).length;
        if (count !== length / ELEMENT_BYTES[dtype])
          outcome.others.push(`seed ${seed}: "${name}" has ${count} elements`);
      }
      outcome.accepted++;
    } catch (error) {
      if (error instanceof ErrorType) {
        const kind = error.message
          .replace(path, "")
          .replace(/".*?"|\d+/g, "")
          .slice(0, 60);
        outcome.refusals.set(kind, (outcome.refusals.get(kind) ?? 0) + 1);
      } else outcome.others.push(`seed ${seed}: ${error}`);
    }
  }
  closeSync(target);
  return outcome;
}

describe("10,000 mutations of a weight file", () => {
  it("crash nothing in the reader of PyTorch checkpoints", () => {
    const original = readFileSync(fixture("checkpoint.pth"));
    // Pickle, first entries, and the directory with its end records: where structure is.
    const pickleStart = original.indexOf("\u0080\u0002}", 0, "latin1");
    const pickleEnd = original.indexOf("PK\u0003\u0004", pickleStart, "latin1");
    const directory = original.indexOf("PK\u0001\u0002", 0, "latin1");
    const areas = [
      [pickleStart, pickleEnd],
      [pickleStart, pickleEnd],
      [pickleStart, pickleEnd],
      [pickleStart, pickleEnd],
      [directory, original.length],
      [original.length - 98, original.length],
      [0, original.length],
    ] as const;
    const { accepted, refusals, others } = fuzz(original, areas, (path) => TorchFile.open(path), TorchFileError);
    expect(others).toEqual([]);
    // The mutations reach deep enough to be of use: many ways to fail, and not all do.
    expect(accepted).toBeGreaterThan(500);
    expect(refusals.size).toBeGreaterThan(30);
  });

  it("crash nothing in the reader of safetensors files", () => {
    const original = readFileSync(fixture("checkpoint.safetensors"));
    const areas = [
      [0, 8],
      [8, original.indexOf("}}") + 2],
      [8, original.indexOf("}}") + 2],
      [8, original.indexOf("}}") + 2],
      [0, original.length],
    ] as const;
    const open = (path: string) => SafetensorsFile.open(path);
    const { accepted, refusals, others } = fuzz(original, areas, open, SafetensorsError);
    expect(others).toEqual([]);
    expect(accepted).toBeGreaterThan(500);
    expect(refusals.size).toBeGreaterThan(8);
  });
});
