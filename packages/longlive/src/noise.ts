/**
 * Seeded normal noise whose bits are the same on every platform. Integers come
 * from the counter-based generator Philox4x32-10 (Salmon, Moraes, Dror and
 * Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3", SC11); each becomes a
 * normal deviate by the inverse distribution function (Wichura: algorithm
 * AS 241, PPND16). Engines may differ in Math.log and Math.sin, so only
 * + - * / and square roots, which IEEE 754 fixes to the last bit, are used.
 */

/** Where a chunk's noise comes from; draws follow one another. */
export type NoiseSource = {
  /** The next `count` independent normal deviates (mean 0, variance 1). */
  normal(count: number): Float32Array;
};

/** Makes the noise of one chunk from its seed, a whole number from 0 to 2^53 - 1. */
export type NoiseFactory = (seed: number) => NoiseSource;

const PHILOX_M0 = 0xd2511f53;
const PHILOX_M1 = 0xcd9e8d57;
const PHILOX_W0 = 0x9e3779b9;
const PHILOX_W1 = 0xbb67ae85;

/**
 * One Philox4x32-10 block: four 32-bit integers from a 128-bit counter and a 64-bit key.
 * @param block counter, overwritten by the result. [4]
 */
export function philox4x32(block: Uint32Array, keyLow: number, keyHigh: number): void {
  let c0 = block[0]! | 0;
  let c1 = block[1]! | 0;
  let c2 = block[2]! | 0;
  let c3 = block[3]! | 0;
  let k0 = keyLow | 0;
  let k1 = keyHigh | 0;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(PHILOX_M0, c0);
    const high1 = multiplyHigh(PHILOX_M1, c2);
    const low0 = Math.imul(PHILOX_M0, c0);
    const low1 = Math.imul(PHILOX_M1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + PHILOX_W0) | 0;
    k1 = (k1 + PHILOX_W1) | 0;
  }
  block[0] = c0;
  block[1] = c1;
  block[2] = c2;
  block[3] = c3;
}

/** Upper 32 bits of the unsigned product of two 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  // Partial products are wrapped to 32 bits; what they carry is worked out in unsigned arithmetic.
  const low = Math.imul(aLow, bLow) >>> 16;
  const middle = (Math.imul(aHigh, bLow) >>> 0) + low;
  const middle2 = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff);
  return (Math.imul(aHigh, bHigh) + Math.floor(middle / 0x10000) + Math.floor(middle2 / 0x10000)) | 0;
}

/** Noise of a seed. Sources of equal seeds give equal bits; a source never repeats within 2^34 draws. */
export function seededNoise(seed: number): NoiseSource {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`A seed is a whole number from 0, not ${seed}.`);
  const keyLow = seed >>> 0;
  const keyHigh = Math.floor(seed / 0x100000000);
  const block = new Uint32Array(4);
  let drawn = 0;
  return {
    normal(count) {
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) {
        const place = drawn % 4;
        if (place === 0) {
          block.fill(0);
          block[0] = drawn / 4;
          philox4x32(block, keyLow, keyHigh);
        }
        values[i] = normalQuantile((block[place]! + 0.5) / 0x100000000);
        drawn++;
      }
      return values;
    },
  };
}

/** The value below which a normal deviate lies with probability `p`, 0 < p < 1; relative error about 1e-16. */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(CENTRE_NUMERATOR, r)) / polynomial(CENTRE_DENOMINATOR, r);
  }
  const r = Math.sqrt(-naturalLog(q < 0 ? p : 1 - p));
  const x =
    r <= 5
      ? polynomial(MIDDLE_NUMERATOR, r - 1.6) / polynomial(MIDDLE_DENOMINATOR, r - 1.6)
      : polynomial(TAIL_NUMERATOR, r - 5) / polynomial(TAIL_DENOMINATOR, r - 5);
  return q < 0 ? -x : x;
}

/** ln(x) of a positive normal number: exponent and the atanh series of the mantissa. */
export function naturalLog(x: number): number {
  logFloat[0] = x;
  let exponent = ((logWords[1]! >>> 20) & 0x7ff) - 1023;
  logWords[1] = (logWords[1]! & 0xfffff) | 0x3ff00000;
  let mantissa = logFloat[0]!;
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent++;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let series = 0;
  for (let k = 23; k >= 1; k -= 2) series = series * square + 1 / k;
  return exponent * Math.LN2 + 2 * s * series;
}

const logFloat = new Float64Array(1);
const logWords = new Uint32Array(logFloat.buffer);

/** Horner's rule on eight coefficients, highest power first. Written out: it is most of the work of a draw. */
function polynomial(c: Float64Array, x: number): number {
  return ((((((c[0]! * x + c[1]!) * x + c[2]!) * x + c[3]!) * x + c[4]!) * x + c[5]!) * x + c[6]!) * x + c[7]!;
}

const CENTRE_NUMERATOR = Float64Array.of(
  2509.0809287301227,
  33430.57558358813,
  67265.7709270087,
  45921.95393154987,
  13731.69376550946,
  1971.5909503065513,
  133.14166789178438,
  3.3871328727963665,
);
const CENTRE_DENOMINATOR = Float64Array.of(
  5226.495278852546,
  28729.085735721943,
  39307.89580009271,
  21213.794301586597,
  5394.196021424751,
  687.1870074920579,
  42.31333070160091,
  1,
);
const MIDDLE_NUMERATOR = Float64Array.of(
  0.0007745450142783414,
  0.022723844989269184,
  0.2417807251774506,
  1.2704582524523684,
  3.6478483247632045,
  5.769497221460691,
  4.630337846156546,
  1.4234371107496835,
);
const MIDDLE_DENOMINATOR = Float64Array.of(
  1.0507500716444169e-9,
  0.0005475938084995345,
  0.015198666563616457,
  0.14810397642748008,
  0.6897673349851,
  1.6763848301838038,
  2.053191626637759,
  1,
);
const TAIL_NUMERATOR = Float64Array.of(
  2.0103343992922881e-7,
  2.7115555687434876e-5,
  0.0012426609473880784,
  0.026532189526576124,
  0.29656057182850487,
  1.7848265399172913,
  5.463784911164114,
  6.657904643501103,
);
const TAIL_DENOMINATOR = Float64Array.of(
  2.0442631033899397e-15,
  1.421511758316446e-7,
  1.8463183175100548e-5,
  0.0007868691311456133,
  0.014875361290850615,
  0.1369298809227358,
  0.599832206555888,
  1,
);
