/** What happens inside a chunk, told to tests and to tracing. */
import type { Latents } from "./autoencoder.ts";
import type { Prediction } from "./generator.ts";
import type { KvCache } from "./kv-cache.ts";
import type { VaceContext } from "./vace-context.ts";

/** Arrays are the stream's own: copy what is to be kept. */
export type StreamEvent =
  | {
      readonly type: "start";
      readonly startFrame: number;
      readonly reset: boolean;
      readonly promptUpdated: boolean;
      readonly transitioning: boolean;
      readonly steps: readonly number[];
      readonly noiseScale?: number;
      /** [textLength, textDim] */
      readonly embedding: Float32Array;
    }
  | { readonly type: "encoded"; readonly latents: Latents }
  | { readonly type: "noised"; readonly latents: Latents; readonly cache: KvCache }
  | { readonly type: "finished"; readonly latents: Latents; readonly cache: KvCache }
  | { readonly type: "conditioned"; readonly context: VaceContext }
  | { readonly type: "hinted"; readonly timestep: number }
  | {
      readonly type: "pass";
      readonly kind: "recache" | "denoise" | "clean";
      readonly timestep: number;
      readonly startFrame: number;
      readonly frames: number;
      readonly result: Prediction;
    }
  | { readonly type: "recached"; readonly cache: KvCache };

/** A promise that it returns for an event with a cache is waited for. */
export type StreamObserver = (event: StreamEvent) => unknown;
