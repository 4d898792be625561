/** Random numbers in the element types of weight files, made piece by piece: a whole tensor need not fit memory. */

export type StoredType = "F32" | "F16" | "BF16" | "F8_E4M3";

export const STORED_BYTES: Readonly<Record<StoredType, number>> = { F32: 4, F16: 2, BF16: 2, F8_E4M3: 1 };

const STEPS = 65536;
const PIECE_ELEMENTS = 1 << 20;

/** Values `mean` ± `spread`, evenly spread. */
export type Spread = { readonly mean: number; readonly spread: number };

/** The bytes of `count` random numbers; the same ones for the same seed. A piece is only valid until the next. */
export function* randomBytes(count: number, type: StoredType, spread: Spread, seed: number): Generator<Uint8Array> {
  const table = stepsOf(type, spread);
  const PieceArray = table.constructor as new (length: number) => Steps;
  const values = new PieceArray(Math.min(count, PIECE_ELEMENTS));
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  for (let left = count; left > 0; left -= values.length) {
    const length = Math.min(left, values.length);
    for (let i = 0; i < length; i++) {
      // xorshift32 (Marsaglia, 2003)
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      values[i] = table[state >>> 16]!;
    }
    yield new Uint8Array(values.buffer, 0, length * values.BYTES_PER_ELEMENT);
  }
}

type Steps = Float32Array | Uint16Array | Uint8Array;

/** A checkpoint's many tensors share a few tables. */
const tables = new Map<string, Steps>();

/** 65536 evenly spaced values as they are stored. */
function stepsOf(type: StoredType, spread: Spread): Steps {
  const key = `${type} ${spread.mean} ${spread.spread}`;
  const known = tables.get(key);
  if (known) return known;
  const made = storedSteps(type, spread);
  tables.set(key, made);
  return made;
}

function storedSteps(type: StoredType, { mean, spread }: Spread): Steps {
  const steps = Float32Array.from({ length: STEPS }, (_, i) => mean + (spread * (2 * i - STEPS + 1)) / STEPS);
  switch (type) {
    case "F32":
      return steps;
    case "BF16":
      return Uint16Array.from(new Uint32Array(steps.buffer), (bits) => bits >>> 16);
    case "F16":
      return Uint16Array.from(steps, (value) => minifloat(value, 10, 15));
    case "F8_E4M3":
      return Uint8Array.from(steps, (value) => minifloat(value, 3, 7));
  }
}

/** Bits of a short float, rounded to the nearest; the value must be in its range. */
function minifloat(value: number, fractionBits: number, bias: number): number {
  const size = Math.abs(value);
  const exponent = Math.max(1 - bias, Math.floor(Math.log2(size || 1e-30)));
  // In units of the last fraction bit: a carry into the exponent comes out right by itself.
  const code = Math.round(size / 2 ** (exponent - fractionBits)) + ((exponent + bias - 1) << fractionBits);
  return code + (value < 0 ? 1 << (fractionBits + (fractionBits === 3 ? 4 : 5)) : 0);
}
