/**
 * One viewer's video, chunk by chunk. A chunk is three latent frames (four at
 * the start of a video) and goes through the same stations each time: prompts,
 * restart or not, pixels, latents and noise, keys renewed for a new prompt,
 * condition, denoising steps, a clean pass that leaves the chunk's keys for
 * the next ones, decoding. All state of a viewer is here and in the parts that
 * this class owns; the model behind it is shared (LongLive, arXiv:2509.22622;
 * SDEdit-like start from noised video, arXiv:2108.01073).
 */
import { ApiError, errorText, type Parameters } from "@everframe/protocol";
import { type Latents, pixelFramesOf, TIME_FACTOR } from "./autoencoder.ts";
import { COMPAT, type Compat } from "./compat.ts";
import type { Hints, Pass, Prediction, TextKeys } from "./generator.ts";
import { KvCache } from "./kv-cache.ts";
import type { ModelParts } from "./model.ts";
import { MotionController } from "./motion-controller.ts";
import { type NoiseFactory, type NoiseSource, seededNoise } from "./noise.ts";
import { type Frame, type Pixels, resampleFrames, toFrames, toPixels } from "./preprocess.ts";
import { PromptBlender } from "./prompt-blender.ts";
import { addNoise, videoSteps } from "./scheduler.ts";
import { openStreamCodec, type StreamCodec } from "./stream-codec.ts";
import { type VaceContext, videoContext } from "./vace.ts";

/** Milliseconds by station. */
export type ChunkTimings = {
  resize: number;
  encode: number;
  text: number;
  /** Condition branch, all steps. */
  vace: number;
  /** Main network, by step. */
  denoise: number[];
  /** Clean pass, and the renewal of keys for a new prompt. */
  cache: number;
  decode: number;
  total: number;
};

export type Chunk = {
  /** In the model's size; 9 or 13 after a restart, else 12. */
  readonly frames: Frame[];
  /** True when the stream started anew with this chunk. */
  readonly reset: boolean;
  /** True while a prompt transition goes on. */
  readonly transitioning: boolean;
  readonly timingsMs: ChunkTimings;
};

export type ChunkInput = {
  readonly parameters: Parameters;
  /** The input video of the chunk, any number and size; needed when `parameters.inputMode` is "video". */
  readonly frames?: readonly Frame[];
};

/** What happens inside a chunk, for tests and tracing. Arrays are the stream's own: copy what is to be kept. */
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
  | { readonly type: "encoded" | "noised" | "finished"; readonly latents: Latents; readonly cache: KvCache }
  | {
      readonly type: "pass";
      readonly kind: "recache" | "denoise" | "clean";
      readonly timestep: number;
      readonly startFrame: number;
      readonly frames: number;
      readonly result: Prediction;
    }
  | { readonly type: "recached"; readonly cache: KvCache };

export type StreamOptions = {
  readonly seed: number;
  /** Default `COMPAT.everframe`. */
  readonly compat?: Compat;
  /** Default `seededNoise`. */
  readonly noise?: NoiseFactory;
  readonly observe?: (event: StreamEvent) => void;
};

const VIDEO_STEPS = [700, 500];
const TEXT_STEPS = [1000, 750, 500, 250];

export class LongLiveStream {
  readonly #parts: ModelParts;
  readonly #options: StreamOptions;
  readonly #compat: Compat;
  readonly #blender: PromptBlender;
  readonly #cache: KvCache;
  readonly #codec: StreamCodec;
  readonly #motion: MotionController;
  #busy = false;
  #closed = false;
  /** The next chunk must start anew: it is the first, or the one before failed half-way. */
  #mustRestart = true;
  #mode: "video" | "text" | undefined;
  #steps: readonly number[] | undefined;
  #wasTransitioning = false;
  #startFrame = 0;
  #conditionFrames = 0;
  #text: TextKeys | undefined;
  /** Newest clean latents, at most a window of them. */
  #recent: Latents = { frames: 0, data: new Float32Array(0) };

  constructor(parts: ModelParts, options: StreamOptions) {
    const { config, generator, autoencoder } = parts;
    const { transformer, windowFrames, sinkFrames, framesPerBlock } = config;
    this.#parts = parts;
    this.#options = options;
    this.#compat = options.compat ?? COMPAT.everframe;
    this.#blender = new PromptBlender(transformer.textLength, parts.encodePrompt);
    this.#cache = new KvCache({
      layers: transformer.layers,
      frameTokens: generator.frameTokens,
      dim: transformer.dim,
      windowFrames,
      sinkFrames,
    });
    this.#codec = openStreamCodec(autoencoder, { shared: this.#compat.sharedEncoder });
    this.#motion = new MotionController(framesPerBlock);
  }

  /** Input frames that one chunk stands for. */
  get inputFramesPerChunk(): number {
    return TIME_FACTOR * this.#parts.config.framesPerBlock;
  }

  /**
   * The next chunk. One call at a time.
   *
   * `signal` is looked at between passes. After a failure or an abort the next chunk starts anew.
   * @throws ApiError chunk_failed with the reason, or the signal's reason.
   */
  async generate(input: ChunkInput, signal?: AbortSignal): Promise<Chunk> {
    if (this.#closed) throw new Error("internal: the stream is closed.");
    if (this.#busy) throw new Error("internal: the stream is still at its last chunk.");
    this.#busy = true;
    try {
      const chunk = await this.#generate(input, signal);
      this.#mustRestart = false;
      return chunk;
    } catch (cause) {
      this.#mustRestart = true;
      if (cause instanceof ApiError || signal?.aborted) throw cause;
      throw new ApiError("chunk_failed", { reason: errorText(cause) }, { cause });
    } finally {
      this.#busy = false;
    }
  }

  /** Ends the stream; its memory is free once nobody holds it. */
  close(): void {
    this.#closed = true;
    this.#text = undefined;
  }

  async #generate({ parameters, frames }: ChunkInput, signal: AbortSignal | undefined): Promise<Chunk> {
    const timer = new Timer();
    const { generator } = this.#parts;
    const route = this.#route(parameters, frames);
    const restart = this.#mustRestart || route.mode !== this.#mode || parameters.resetCache === true;
    this.#mode = route.mode;
    if (restart && this.#compat.restartForgetsPrompts) this.#blender.reset();

    const blend = await timer.time("text", () => this.#blend(parameters));
    const listed = parameters.denoisingStepList ?? (route.frames ? VIDEO_STEPS : TEXT_STEPS);
    const reset = this.#startAnew({ restart, listed, blend, hasFrames: route.frames !== undefined, parameters });
    if (blend.updated || !this.#text) {
      this.#text = await timer.time("text", () => generator.encodeText(blend.embedding));
    }
    signal?.throwIfAborted();

    const pixels = route.frames && timer.timeSync("resize", () => this.#pixels(route.frames!));
    const noise = this.#noise(parameters);
    const noiseScale = route.mode === "video" ? this.#noiseScale(parameters, pixels!) : undefined;
    const steps =
      noiseScale === undefined
        ? listed
        : videoSteps(listed, noiseScale).map((step, i) =>
            i === 0 ? Math.max(this.#compat.leastFirstStep, step) : step,
          );
    this.#observe({
      type: "start",
      startFrame: this.#startFrame,
      reset,
      promptUpdated: blend.updated,
      transitioning: blend.active,
      steps,
      embedding: blend.embedding,
      ...(noiseScale === undefined ? {} : { noiseScale }),
    });
    const noisy =
      noiseScale === undefined
        ? this.#pureNoise(noise)
        : await this.#noised(await timer.time("encode", () => this.#codec.video.encode(pixels!)), noise, noiseScale);
    this.#observe({ type: "noised", latents: noisy, cache: this.#cache });
    signal?.throwIfAborted();

    if (blend.updated && this.#startFrame > 0) await timer.time("cache", () => this.#renewKeys());
    const condition =
      route.mode === "text" && pixels
        ? await timer.time("encode", () => this.#condition(pixels, parameters.vaceContextScale))
        : undefined;
    const clean = await this.#denoise(noisy, steps, noise, condition, timer, signal);
    this.#observe({ type: "finished", latents: clean, cache: this.#cache });

    const decoded = await timer.time("decode", () => this.#codec.decoder.decode(clean));
    this.#remember(clean);
    this.#startFrame += clean.frames;
    const pictures = timer.timeSync("decode", () => toFrames(decoded, this.#parts.size));
    return { frames: pictures, reset, transitioning: blend.active, timingsMs: timer.finish() };
  }

  /** What the input frames are for: noised video, condition, or nothing. */
  #route(parameters: Parameters, frames: readonly Frame[] | undefined) {
    if (parameters.inputMode !== "video") return { mode: "text" as const };
    if (!frames || frames.length === 0) {
      throw new ApiError("chunk_failed", { reason: "input_mode is video, but there are no input frames" });
    }
    const { hasVace } = this.#parts.generator;
    const asCondition = hasVace && (parameters.vaceEnabled ?? true) && parameters.vaceUseInputVideo;
    return asCondition ? { mode: "text" as const, frames } : { mode: "video" as const, frames };
  }

  #blend({ prompts, transition, promptInterpolationMethod }: Parameters) {
    // A session that has not said anything gets the picture that the empty prompt means.
    const incoming = prompts.length === 0 && !this.#blender.current ? [{ text: "", weight: 1 }] : prompts;
    return this.#blender.next({ prompts: incoming, transition, method: promptInterpolationMethod });
  }

  /** Decides whether the stream starts anew, and if so empties everything that remembers earlier chunks. */
  #startAnew(chunk: {
    restart: boolean;
    listed: readonly number[];
    blend: { updated: boolean; active: boolean };
    hasFrames: boolean;
    parameters: Parameters;
  }): boolean {
    const { config } = this.#parts;
    const { manageCache } = chunk.parameters;
    const otherSteps = chunk.listed.join() !== this.#steps?.join();
    this.#steps = chunk.listed;
    const restart = chunk.restart || (otherSteps && manageCache);
    const outOfPositions = this.#startFrame >= config.maxFrames - config.framesPerBlock;
    const { updated, active } = chunk.blend;
    const cut = updated && !active && !this.#wasTransitioning && manageCache && chunk.hasFrames;
    this.#wasTransitioning = active;
    if (restart) this.#motion.reset();
    if (!restart && !outOfPositions && !cut) return false;
    this.#cache.reset();
    this.#startFrame = 0;
    this.#conditionFrames = 0;
    this.#recent = { frames: 0, data: new Float32Array(0) };
    this.#codec.reset();
    return true;
  }

  #pixels(frames: readonly Frame[]): Pixels {
    const latents = this.#parts.config.framesPerBlock;
    const first = this.#startFrame === 0;
    return toPixels(resampleFrames(frames, pixelFramesOf(first ? latents + 1 : latents, first)), this.#parts.size);
  }

  #noise(parameters: Parameters): NoiseSource {
    const seed = (parameters.baseSeed ?? this.#options.seed) + this.#startFrame;
    return (this.#options.noise ?? seededNoise)(seed);
  }

  #noiseScale({ noiseScale, noiseController }: Parameters, pixels: Pixels): number {
    return noiseController ? this.#motion.next(pixels, noiseScale) : noiseScale;
  }

  #pureNoise(noise: NoiseSource): Latents {
    const { config, generator } = this.#parts;
    const { height, width } = generator.grid;
    const frames = config.framesPerBlock;
    return { frames, data: noise.normal(frames * config.transformer.inChannels * height * width) };
  }

  /** A plain mix, unlike the scheduler's between steps. */
  async #noised(latents: Latents, noise: NoiseSource, noiseScale: number): Promise<Latents> {
    this.#observe({ type: "encoded", latents, cache: this.#cache });
    const drawn = noise.normal(latents.data.length);
    const noiseShare = Math.fround(noiseScale);
    const latentShare = Math.fround(1 - noiseScale);
    const data = drawn.map((value, i) => Math.fround(value * noiseShare) + Math.fround(latents.data[i]! * latentShare));
    return { frames: latents.frames, data };
  }

  /** Computes the keys of the newest frames again, now with the new prompt; all of them see each other. */
  async #renewKeys(): Promise<void> {
    const frames = Math.min(this.#startFrame, this.#parts.config.windowFrames);
    const pass = this.#pass(lastFrames(this.#recent, frames), 0, this.#startFrame - frames);
    if (this.#options.observe) {
      const result = await this.#parts.generator.forward(pass);
      this.#observePass("recache", pass, result);
      this.#cache.keep(pass.window, result.keys);
    } else {
      this.#cache.keep(pass.window, await this.#parts.generator.keys(pass));
    }
    this.#observe({ type: "recached", cache: this.#cache });
  }

  async #condition(pixels: Pixels, scale: number): Promise<VaceContext> {
    const { config, generator, grey } = this.#parts;
    const reactive = await this.#codec.reactive.encode(pixels);
    const inactive = await grey.frames(this.#conditionFrames, reactive.frames);
    this.#conditionFrames += reactive.frames;
    const plane = generator.grid.height * generator.grid.width;
    return { ...videoContext(inactive, reactive, config.vace!, plane), scale };
  }

  /** All steps and the clean pass; the window then holds the chunk. @returns the clean latents */
  async #denoise(
    noisy: Latents,
    steps: readonly number[],
    noise: NoiseSource,
    condition: VaceContext | undefined,
    timer: Timer,
    signal: AbortSignal | undefined,
  ): Promise<Latents> {
    const { generator } = this.#parts;
    const { frames } = noisy;
    let latents = noisy;
    let pass = this.#pass(latents, 0, this.#startFrame);
    for (const [i, timestep] of steps.entries()) {
      // At scale 0 the condition is still encoded, so that its stream has no gap, but the branch adds nothing.
      const hints: Hints | undefined =
        condition && condition.scale > 0
          ? await timer.time("vace", () => generator.hints(latents, timestep, pass.text, condition))
          : undefined;
      pass = { ...pass, latents, timestep, hints };
      const result = await timer.step(() => generator.forward(pass));
      this.#observePass("denoise", pass, result);
      signal?.throwIfAborted();
      const next = steps[i + 1];
      const data =
        next === undefined
          ? result.clean
          : addNoise(result.clean, noise.normal(result.clean.length), generator.scheduler.sigmaOf(next));
      latents = { frames, data };
    }
    const clean = { ...pass, latents, timestep: 0, hints: undefined };
    const keys = await timer.time("cache", async () => {
      if (!this.#options.observe) return generator.keys(clean);
      const result = await generator.forward(clean);
      this.#observePass("clean", clean, result);
      return result.keys;
    });
    this.#cache.keep(pass.window, keys);
    signal?.throwIfAborted();
    return latents;
  }

  #pass(latents: Latents, timestep: number, startFrame: number): Pass {
    const window = this.#cache.open(startFrame, latents.frames);
    return { latents, timestep, startFrame, text: this.#text!, window, past: this.#cache.past(window) };
  }

  #remember(clean: Latents): void {
    const frameSize = clean.data.length / clean.frames;
    const joined = new Float32Array(this.#recent.data.length + clean.data.length);
    joined.set(this.#recent.data);
    joined.set(clean.data, this.#recent.data.length);
    const frames = joined.length / frameSize;
    this.#recent = lastFrames({ frames, data: joined }, Math.min(frames, this.#parts.config.windowFrames));
  }

  #observe(event: StreamEvent): void {
    this.#options.observe?.(event);
  }

  #observePass(kind: "recache" | "denoise" | "clean", pass: Pass, result: Prediction): void {
    const { timestep, startFrame, latents } = pass;
    this.#observe({ type: "pass", kind, timestep, startFrame, frames: latents.frames, result });
  }
}

function lastFrames({ frames, data }: Latents, count: number): Latents {
  return { frames: count, data: data.subarray(((frames - count) * data.length) / frames) };
}

class Timer {
  readonly #started = performance.now();
  readonly #timings: ChunkTimings = {
    resize: 0,
    encode: 0,
    text: 0,
    vace: 0,
    denoise: [],
    cache: 0,
    decode: 0,
    total: 0,
  };

  async time<T>(station: Exclude<keyof ChunkTimings, "denoise" | "total">, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.#timings[station] += performance.now() - started;
    return result;
  }

  timeSync<T>(station: "resize" | "decode", work: () => T): T {
    const started = performance.now();
    const result = work();
    this.#timings[station] += performance.now() - started;
    return result;
  }

  async step<T>(work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.#timings.denoise.push(performance.now() - started);
    return result;
  }

  finish(): ChunkTimings {
    return { ...this.#timings, total: performance.now() - this.#started };
  }
}
