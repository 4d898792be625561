/**
 * Decoding of short float formats to f32: bfloat16, IEEE 754 binary16 and
 * FP8 E4M3FN (Micikevicius et al., "FP8 Formats for Deep Learning", 2022:
 * exponent bias 7, no infinities, 0x7f and 0xff are NaN).
 */

let f16Table: Float32Array | undefined;
let f8Table: Float32Array | undefined;

/** bfloat16 bits -> f32; same length. */
export function decodeBf16(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return new Float32Array(words.buffer);
}

/** binary16 bits -> f32; same length. */
export function decodeF16(bits: Uint16Array): Float32Array {
  f16Table ??= Float32Array.from({ length: 65536 }, (_, code) => minifloat(code, 5, 10, 15, true));
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = f16Table[bits[i]!]!;
  return out;
}

/** FP8 E4M3FN bits -> f32; same length. */
export function decodeF8E4m3(bits: Uint8Array): Float32Array {
  f8Table ??= Float32Array.from({ length: 256 }, (_, code) => minifloat(code, 4, 3, 7, false));
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = f8Table[bits[i]!]!;
  return out;
}

function minifloat(code: number, exponentBits: number, fractionBits: number, bias: number, ieee: boolean): number {
  const sign = code >> (exponentBits + fractionBits) ? -1 : 1;
  const exponentMax = (1 << exponentBits) - 1;
  const exponent = (code >> fractionBits) & exponentMax;
  const fraction = code & ((1 << fractionBits) - 1);
  const unit = 2 ** -fractionBits;
  if (ieee && exponent === exponentMax) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (!ieee && exponent === exponentMax && fraction === (1 << fractionBits) - 1) return Number.NaN;
  if (exponent === 0) return sign * fraction * unit * 2 ** (1 - bias);
  return sign * (1 + fraction * unit) * 2 ** (exponent - bias);
}
