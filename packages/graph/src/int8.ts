/**
 * Quantisation of linear weights to 8-bit integers, symmetric, one scale for
 * each output channel (Jacob et al., "Quantization and Training of Neural
 * Networks for Efficient Integer-Arithmetic-Only Inference", 2018).
 */

export type QuantizedWeight = {
  /** [in, out], w ≈ weights * scales */
  readonly weights: Int8Array;
  /** [out] */
  readonly scales: Float32Array;
};

/** @param data f32 weight [out, in] */
export function quantizeWeight(data: Float32Array, out: number, inner: number): QuantizedWeight {
  const weights = new Int8Array(inner * out);
  const scales = new Float32Array(out);
  for (let o = 0; o < out; o++) {
    let largest = 0;
    for (let i = 0; i < inner; i++) largest = Math.max(largest, Math.abs(data[o * inner + i]!));
    const scale = largest === 0 ? 1 : largest / 127;
    scales[o] = scale;
    for (let i = 0; i < inner; i++) weights[i * out + o] = Math.round(data[o * inner + i]! / scale);
  }
  return { weights, scales };
}
