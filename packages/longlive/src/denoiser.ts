/**
 * Denoising of one chunk: a prediction of the clean latents at each step, with
 * fresh noise put on it for the next one, and last the keys that the chunks
 * after it attend to (DMD-like few-step sampling as in Self Forcing,
 * arXiv:2506.08009; LongLive, arXiv:2509.22622).
 */
import { AlternatingMemory } from "./alternating-memory.ts";
import type { Latents } from "./autoencoder.ts";
import { nextTurn } from "./cancellation.ts";
import type { ChunkTimer } from "./chunk-timer.ts";
import type { Compat } from "./compat.ts";
import type { NetworkConfig } from "./config.ts";
import { freeHints, freeKeys, type Generator, type Hints, type Pass, type Prediction } from "./generator.ts";
import type { LayerKeys } from "./key-storage.ts";
import type { KvCache } from "./kv-cache.ts";
import type { NoiseSource } from "./noise.ts";
import { addNoise } from "./scheduler.ts";
import type { StreamObserver } from "./stream-event.ts";
import type { VaceContext } from "./vace-context.ts";

/** A pass and where it stands in the stream. */
export type StreamPass = Pass & { readonly startFrame: number };

export type Denoising = {
  /** Timesteps, in the order of use; none leave the latents as they are. */
  readonly steps: readonly number[];
  /** Of the steps after the first. */
  readonly noise: NoiseSource;
  readonly condition: VaceContext | undefined;
};

/** Of one stream. */
export class Denoiser {
  readonly #config: NetworkConfig;
  readonly #generator: Generator;
  readonly #cache: KvCache;
  readonly #compat: Compat;
  readonly #observe: StreamObserver | undefined;
  // Not where somebody observes, who may keep what it sees.
  readonly #predictions = new AlternatingMemory();
  readonly #noisy = new AlternatingMemory();

  constructor(
    { config, generator }: { config: NetworkConfig; generator: Generator },
    cache: KvCache,
    compat: Compat,
    observe?: StreamObserver,
  ) {
    this.#config = config;
    this.#generator = generator;
    this.#cache = cache;
    this.#compat = compat;
    this.#observe = observe;
  }

  /**
   * All steps from a pass's noisy latents on, and the clean pass where the model has one; the window then holds the
   * chunk. @returns the clean latents
   */
  async denoise(
    begin: StreamPass,
    { steps, noise, condition }: Denoising,
    timer: ChunkTimer,
    signal: AbortSignal | undefined,
  ): Promise<Latents> {
    let pass = begin;
    let stepKeys: LayerKeys[] | undefined;
    let clean: Float32Array | undefined;
    let hints: Hints | undefined;
    for (const [i, timestep] of steps.entries()) {
      if (condition && (i === 0 || this.#config.vace?.hints === "each_step")) {
        freeHints(hints);
        hints = await timer.time("vace", () => this.#hints({ ...pass, timestep }, condition));
      }
      await nextTurn(signal);
      pass = { ...pass, timestep, hints };
      const into = this.#observe ? undefined : this.#predictions.take(pass.latents.data.length, clean);
      const result = await timer.step(() => this.#generator.forward({ ...pass, into }));
      this.#observePass("denoise", pass, result);
      await nextTurn(signal);
      freeKeys(stepKeys ?? []);
      stepKeys = result.keys;
      if (clean && this.#config.result === "mean_of_steps") {
        if (this.#observe) clean = clean.slice();
        moveMean(clean, i, result.clean);
      } else {
        clean = result.clean;
      }
      const next = steps[i + 1];
      const data = next === undefined ? clean : this.#noised(clean, noise, next);
      pass = { ...pass, latents: { frames: pass.latents.frames, data } };
    }
    freeHints(hints);
    const fromStep = this.#config.context === "last_step" ? stepKeys : undefined;
    const last = { ...pass, timestep: 0, hints: undefined };
    await this.#cache.keep(pass.window, fromStep ?? (await timer.time("cache", () => this.#keys("clean", last))));
    if (!fromStep) freeKeys(stepKeys ?? []);
    await nextTurn(signal);
    return pass.latents;
  }

  /** Computes the keys of frames that the window holds again, now with the pass's prompt; all of them see each other. */
  async renewKeys(pass: StreamPass): Promise<void> {
    await this.#cache.keep(pass.window, await this.#keys("recache", pass));
    await this.#observe?.({ type: "recached", cache: this.#cache });
  }

  #noised(clean: Float32Array, noise: NoiseSource, timestep: number): Float32Array {
    const sigma = this.#generator.scheduler.sigmaOf(timestep);
    return addNoise(clean, noise.normal(clean.length), sigma, this.#noisy.take(clean.length));
  }

  async #keys(kind: "recache" | "clean", pass: StreamPass): Promise<LayerKeys[]> {
    if (!this.#observe) return this.#generator.keys(pass);
    const result = await this.#generator.forward(pass);
    this.#observePass(kind, pass, result);
    return result.keys;
  }

  async #hints({ latents, timestep, text }: StreamPass, context: VaceContext): Promise<Hints | undefined> {
    // At scale 0 the condition was encoded all the same, so that its video has no gap, but the branch adds nothing.
    if (context.scale === 0 && this.#compat.scaleZeroSkipsBranch) return undefined;
    this.#observe?.({ type: "hinted", timestep });
    return this.#generator.hints(latents, timestep, text, context);
  }

  #observePass(kind: "recache" | "denoise" | "clean", pass: StreamPass, result: Prediction): void {
    const { timestep, startFrame, latents } = pass;
    this.#observe?.({ type: "pass", kind, timestep, startFrame, frames: latents.frames, result });
  }
}

/** Makes a mean of `count` values that of one more. */
function moveMean(mean: Float32Array, count: number, value: Float32Array): void {
  for (let i = 0; i < mean.length; i++) mean[i] = mean[i]! + (value[i]! - mean[i]!) / (count + 1);
}
