/**
 * Finds out whether this processor's fast 8-bit product is exact. x86 without
 * VNNI sums pairs of u8 x s8 products in 16 bits, which overflow for large
 * weights; ONNX Runtime has a slower exact kernel for such machines, but
 * asking for it costs more than half of the speed where it is not needed.
 */
import { Graph } from "./graph.ts";
import type { Runtime } from "./runtime.ts";

const SIZE = 64;
const answers = new Map<Runtime, Promise<boolean>>();

/** True when sessions with 8-bit weights must use the slower kernel. Computed once for a runtime. */
export function needsPreciseInt8(runtime: Runtime): Promise<boolean> {
  const known = answers.get(runtime);
  if (known !== undefined) return known;
  const answer = probe(runtime);
  answers.set(runtime, answer);
  return answer;
}

async function probe({ ort }: Runtime): Promise<boolean> {
  const g = new Graph("int8-probe");
  const ones = g.constant(new Float32Array(SIZE * SIZE).fill(1), [SIZE, SIZE]);
  g.output("y", g.linear(g.input("x", [1, SIZE]), ones, undefined, { quantize: "int8" }));
  const session = await ort.InferenceSession.create(g.build().bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  // All ones become 255 x 127 in 8 bits: two such products do not fit 16 bits.
  const x = new ort.Tensor("float32", new Float32Array(SIZE).fill(1), [1, SIZE]);
  try {
    const { y } = await session.run({ x });
    return (y!.data as Float32Array).some((sum) => Math.abs(sum - SIZE) > 0.01 * SIZE);
  } finally {
    await session.release();
  }
}
