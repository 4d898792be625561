/** Numbers that a session gave and another takes: in this process's memory, or left in that of the GPU. */
import { DeviceTensor, type Results, type TensorLike } from "@everframe/graph";

export type Values = Float32Array | DeviceTensor;

/** As the input of a run. @param dims of numbers in this memory; those on the GPU have their own */
export function tensorOf(values: Values, dims: readonly number[]): TensorLike | DeviceTensor {
  return values instanceof DeviceTensor ? values : { data: values, dims };
}

/** Results of a run by name, wherever they are. */
export function valuesOf({ tensors, kept }: Results): Record<string, Values> {
  const entries = Object.entries(tensors).map(([name, { data }]) => [name, data as Float32Array] as const);
  return { ...Object.fromEntries(entries), ...kept };
}

/** Gives back what is on the GPU. The values cannot be used afterwards. */
export function free(...values: readonly Values[]): void {
  for (const value of values) if (value instanceof DeviceTensor) value.dispose();
}
