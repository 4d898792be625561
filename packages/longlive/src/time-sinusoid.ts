/**
 * The sinusoid by which Wan2.1 tells its transformer the timestep: cosines
 * first, then sines (after "Attention Is All You Need", arXiv:1706.03762).
 */

/**
 * - `float64`: the plain Wan model.
 * - `float32`: frequencies and angles rounded to float32 on the way, as the model with a VACE branch does it; at
 *   t = 1000 the angles differ by up to 3e-5.
 */
export type SinusoidPrecision = "float64" | "float32";

/** Sinusoid of a timestep. [1, freqDim] */
export function timeSinusoid(timestep: number, freqDim: number, precision: SinusoidPrecision): Float32Array {
  const half = freqDim / 2;
  const values = new Float32Array(freqDim);
  for (let i = 0; i < half; i++) {
    const angle = precision === "float64" ? timestep * 10000 ** (-i / half) : roundedAngle(timestep, i, half);
    values[i] = Math.cos(angle);
    values[half + i] = Math.sin(angle);
  }
  return values;
}

// The logarithm itself is rounded first: tensor libraries narrow a scalar to the tensor's type before they multiply.
function roundedAngle(timestep: number, i: number, half: number): number {
  const exponent = Math.fround(Math.fround(Math.fround(-Math.log(10000)) * i) / half);
  return Math.fround(timestep * Math.fround(Math.exp(exponent)));
}
