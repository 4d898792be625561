/**
 * How fast this machine multiplies matrices of the size that the 1.3B
 * transformer consists of: the figure from which the model's speed can be told
 * before anything is downloaded. Small products first, so that it ends soon on
 * a slow device too.
 */
import { type Device, Graph, Session } from "@everframe/graph";

/** The transformer's width, and its tokens in a chunk of 576x320. */
const WIDTH = 1536;
const TOKENS = [8, 64, 512, 2160];
const LAYERS = 4;
/** A run as long as this is measured well enough. */
const LONG_MS = 250;

export type Speed = {
  /** "native", or "wasm" where the native library is missing. */
  engine: "native" | "wasm";
  /** 10^9 float32 operations a second. */
  gflops: number;
};

/**
 * Measures for about a second (longer on very slow devices), blocking the thread.
 * @throws SessionError when the device is not there.
 */
export async function measureSpeed(options: { device?: Device; threads?: number } = {}): Promise<Speed> {
  const { device = "cpu", threads } = options;
  const g = new Graph("speed-probe", { device });
  const weight = g.constant(new Float32Array(WIDTH * WIDTH).fill(1 / WIDTH), [WIDTH, WIDTH]);
  let x = g.input("x", ["tokens", WIDTH]);
  for (let layer = 0; layer < LAYERS; layer++) x = g.linear(x, weight); // [tokens, WIDTH]
  g.output("mean", g.reduceMean(x, [1])); // [tokens, 1]: little to read back
  const session = await Session.create(g.build(), { device, ...(threads === undefined ? {} : { threads }) });
  try {
    let gflops = 0;
    for (const tokens of TOKENS) {
      const input = { x: { data: new Float32Array(tokens * WIDTH).fill(1), dims: [tokens, WIDTH] } };
      await session.run(input); // kernels are chosen, and on a GPU compiled, here
      const startMs = performance.now();
      await session.run(input);
      const tookMs = performance.now() - startMs;
      gflops = Math.max(gflops, (2 * LAYERS * tokens * WIDTH * WIDTH) / (tookMs * 1e6));
      if (tookMs > LONG_MS) break;
    }
    return { engine: session.engine, gflops };
  } finally {
    await session.close();
  }
}
