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
import { nextTurn } from "./cancellation.ts";
import { ChunkTimer, type ChunkTimings } from "./chunk-timer.ts";
import { COMPAT, type Compat } from "./compat.ts";
import { Conditioner } from "./conditioner.ts";
import { Denoiser, type StreamPass } from "./denoiser.ts";
import { fixedNoise } from "./fixed-noise.ts";
import { freeText, type TextKeys } from "./generator.ts";
import { keptNoise } from "./kept-noise.ts";
import type { KvCache } from "./kv-cache.ts";
import { LoraScales } from "./lora-scales.ts";
import type { ModelParts } from "./model.ts";
import { MotionController } from "./motion-controller.ts";
import { type NoiseFactory, type NoiseSource, seededNoise } from "./noise.ts";
import { PictureFilter } from "./picture-filter.ts";
import { type Frame, type Pixels, resampleFrames, toFrames, toMasks, toPixels } from "./preprocess.ts";
import { type BlendMethod, PromptBlender } from "./prompt-blender.ts";
import { noisedInput, stepsOverVideo, TEXT_STEPS, VIDEO_STEPS } from "./scheduler.ts";
import type { StreamEvent, StreamObserver } from "./stream-event.ts";
import { TokenSeams } from "./token-seams.ts";
import type { VaceContext } from "./vace-context.ts";
import { VideoBank } from "./video-bank.ts";

export type Chunk = {
  /** In the model's size; 9 or 13 after a restart, else 12. */
  readonly frames: Frame[];
  /** True when the stream started anew with this chunk. */
  readonly reset: boolean;
  /** True while a prompt transition goes on. */
  readonly transitioning: boolean;
  /** What went wrong without stopping the stream, one sentence each. */
  readonly notices: readonly string[];
  readonly timingsMs: ChunkTimings;
};

export type ChunkInput = {
  readonly parameters: Parameters;
  /** The input video of the chunk, any number and size; needed when `parameters.inputMode` is "video". */
  readonly frames?: readonly Frame[];
  /** Masks of the input video where it is a condition, as many as frames: white is painted anew. Default: all of it. */
  readonly masks?: readonly Frame[];
  /** New reference images. They act until others come; an empty list clears them. */
  readonly references?: readonly Frame[];
  /** Picture that this chunk starts from. */
  readonly firstImage?: Frame;
  /** Picture that this chunk leads to. */
  readonly lastImage?: Frame;
  /** Interpolation of prompts, in place of the live parameter's. */
  readonly blendMethod?: BlendMethod;
};

export type StreamOptions = {
  readonly seed: number;
  /** Default `COMPAT.everframe`. */
  readonly compat?: Compat;
  /** Default `seededNoise`. */
  readonly noise?: NoiseFactory;
  /** False leaves the pictures of a model as they are decoded. Default true. */
  readonly evenPictures?: boolean;
  /** Default: nobody. */
  readonly observe?: StreamObserver;
};

export class LongLiveStream {
  readonly #parts: ModelParts;
  readonly #options: StreamOptions;
  readonly #compat: Compat;
  readonly #blender: PromptBlender;
  readonly #cache: KvCache;
  readonly #denoiser: Denoiser;
  readonly #videos: VideoBank;
  readonly #conditioner: Conditioner | undefined;
  readonly #motion: MotionController;
  readonly #loraScales: LoraScales;
  readonly #openNoise: NoiseFactory;
  /** Where the noise is fixed, that of chunks over video. */
  readonly #openVideoNoise: NoiseFactory;
  readonly #filter: PictureFilter | undefined;
  readonly #seams: TokenSeams | undefined;
  #busy = false;
  #closed = false;
  /** The next chunk must start anew: it is the first, or the one before failed half-way. */
  #mustRestart = true;
  #mode: "video" | "text" | undefined;
  #steps: { readonly listed: readonly number[]; readonly given: boolean } | undefined;
  #wasTransitioning = false;
  #startFrame = 0;
  /** Latent frames made since the stream was opened. */
  #madeFrames = 0;
  #text: TextKeys | undefined;
  /** Newest clean latents, at most a window of them. */
  #recent: Latents = { frames: 0, data: new Float32Array(0) };

  constructor(parts: ModelParts, options: StreamOptions) {
    const { config, generator, autoencoder, size } = parts;
    const { transformer, framesPerBlock } = config;
    this.#parts = parts;
    this.#options = options;
    this.#compat = options.compat ?? COMPAT.everframe;
    this.#blender = new PromptBlender(transformer.textLength, (texts, signal) => parts.prompts.encode(texts, signal), {
      rowFallback: this.#compat.slerpRowFallback,
      methodActs: this.#compat.interpolationMethodActs,
    });
    this.#cache = generator.openCache({ relative: this.#compat.endlessPositions });
    this.#denoiser = new Denoiser(parts, this.#cache, this.#compat, options.observe);
    this.#videos = new VideoBank(autoencoder, this.#compat);
    if (config.evenPictures && options.evenPictures !== false) {
      this.#filter = new PictureFilter(size.width, size.height);
      if (autoencoder.seams) this.#seams = new TokenSeams(autoencoder.seams, generator.grid);
    }
    this.#conditioner = this.#openConditioner();
    this.#motion = new MotionController(framesPerBlock);
    this.#loraScales = new LoraScales(generator.loras, this.#compat);
    const openNoise = options.noise ?? seededNoise;
    this.#openNoise = config.noise === "fixed" ? keptNoise(openNoise) : openNoise;
    this.#openVideoNoise = keptNoise((seed) =>
      fixedNoise(openNoise(seed), this.#frameGrid, { gain: config.noiseGain, smooth: config.smoothNoise }),
    );
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
      if (this.#compat.failureRestarts) {
        this.#mustRestart = true;
        // The prompts may have moved on without it.
        this.#dropText();
      }
      if (cause instanceof ApiError || signal?.aborted) throw cause;
      throw new ApiError("chunk_failed", { reason: errorText(cause) }, { cause });
    } finally {
      this.#busy = false;
    }
  }

  /** Ends the stream and empties its cache; other memory is free once nobody holds it. */
  close(): void {
    this.#closed = true;
    this.#dropText();
    this.#cache.reset();
    this.#videos.restart();
  }

  async #generate(input: ChunkInput, signal: AbortSignal | undefined): Promise<Chunk> {
    const timer = new ChunkTimer();
    const { parameters } = input;
    const { generator } = this.#parts;
    // Taken before anything can fail: the caller says it once.
    this.#conditioner?.takeReferences(input.references);
    const route = this.#route(input);
    const scaled = this.#loraScales.take(parameters.loraScales);
    if (scaled.changed) this.#dropText();
    const asked = this.#restartAsked(route.mode, parameters.resetCache) || (scaled.restarts && parameters.manageCache);
    const restart = this.#mustRestart || asked;
    this.#mode = route.mode;
    if (restart && !this.#compat.restartKeepsPrompts) this.#blender.reset();

    const blend = await timer.time("text", () => this.#blend(input, signal));
    const listed = parameters.denoisingStepList ?? (route.frames ? VIDEO_STEPS : TEXT_STEPS);
    const hasFrames = route.frames !== undefined || this.#conditioner?.holdsFrames === true;
    const reset = this.#startAnew({ restart, listed, blend, hasFrames, parameters });
    if (blend.updated || !this.#text) {
      this.#dropText();
      this.#text = await timer.time("text", () => generator.encodeText(blend.embedding, this.#loraScales.values));
    }
    await nextTurn(signal);

    const pixels = route.frames && timer.timeSync("resize", () => this.#pixels(route.frames!, route.mode === "text"));
    const noise = this.#noise(parameters, route.frames !== undefined);
    const noiseScale = route.mode === "video" ? this.#noiseScale(parameters, pixels!) : undefined;
    const { laterSteps } = this.#parts.config;
    const steps = noiseScale === undefined ? listed : stepsOverVideo(listed, noiseScale, this.#compat, laterSteps);
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
    const encoded =
      noiseScale === undefined ? undefined : await timer.time("encode", () => this.#encode(pixels!, signal));
    const noisy = encoded ? this.#noised(encoded, noise, noiseScale!) : this.#pureNoise(noise);
    await this.#observe({ type: "noised", latents: noisy, cache: this.#cache });
    await nextTurn(signal);

    if (blend.updated && this.#startFrame > 0 && this.#parts.config.context === "clean_pass") {
      await timer.time("cache", async () => this.#denoiser.renewKeys(await this.#recentPass()));
    }
    const condition = await timer.time("encode", () =>
      this.#condition(input, route.mode === "text" ? pixels : undefined, noisy.frames, signal),
    );
    const pass = await this.#pass(noisy, 0, this.#startFrame);
    const clean = await this.#denoiser.denoise(pass, { steps, noise, condition }, timer, signal);
    await this.#observe({ type: "finished", latents: clean, cache: this.#cache });

    const smooth = steps.length > 0 ? timer.timeSync("decode", () => this.#seams?.smooth(clean)) : undefined;
    // A frame to begin or end with takes the place of the video.
    const isShown = condition && route.mode === "text" && !input.firstImage && !input.lastImage;
    const glance = isShown && pixels ? { pixels, scale: condition.scale } : undefined;
    const decoded = await timer.time("decode", () => this.#videos.decode(smooth ?? clean, { signal, glance }));
    this.#remember(clean);
    this.#startFrame += clean.frames;
    this.#madeFrames += clean.frames;
    const frames = timer.timeSync("decode", () => {
      const made = toFrames(decoded, this.#parts.size);
      // Without a step the pictures are the input's own, and are to be nothing else.
      if (steps.length > 0) this.#filter?.apply(made, pixels);
      return made;
    });
    const notices = [...scaled.notices, ...(this.#conditioner?.takeNotices() ?? [])];
    return { frames, reset, transitioning: blend.active, notices, timingsMs: timer.finish() };
  }

  #openConditioner(): Conditioner | undefined {
    const { config, generator, autoencoder, grey, size } = this.#parts;
    if (!generator.hasVace || !config.vace) return undefined;
    const plane = generator.grid.height * generator.grid.width;
    const { framesPerBlock } = config;
    const observed = this.#options.observe !== undefined;
    const parts = { autoencoder, grey, vace: config.vace, size, plane, framesPerBlock, observed };
    return new Conditioner(parts, this.#compat, this.#videos, (latents) => this.#observe({ type: "encoded", latents }));
  }

  /** What the input frames are for: noised video, condition, or nothing. */
  #route({ parameters, frames }: ChunkInput) {
    if (parameters.inputMode !== "video") return { mode: "text" as const };
    if (!frames || frames.length === 0) {
      throw new ApiError("chunk_failed", { reason: "input_mode is video, but there are no input frames" });
    }
    const canCondition = this.#conditioner !== undefined || !this.#compat.conditionNeedsBranch;
    const asCondition = canCondition && (parameters.vaceEnabled ?? true) && parameters.vaceUseInputVideo;
    return asCondition ? { mode: "text" as const, frames } : { mode: "video" as const, frames };
  }

  /** Whether the caller asks for a restart, or the original's rule for a change of mode does. */
  #restartAsked(mode: "video" | "text", resetCache: boolean | undefined): boolean {
    const otherMode = mode !== this.#mode;
    if (this.#compat.smoothModeChange || !otherMode) return resetCache === true;
    if (resetCache !== false) return true;
    // Told not to restart, the original still restarts its autoencoder, in mid-stream.
    this.#videos.restart();
    return false;
  }

  #blend({ parameters, blendMethod }: ChunkInput, signal: AbortSignal | undefined) {
    const { prompts, transition, promptInterpolationMethod } = parameters;
    // A session that has not said anything gets the picture that the empty prompt means.
    const incoming = prompts.length === 0 && !this.#blender.current ? [{ text: "", weight: 1 }] : prompts;
    const method = blendMethod ?? (this.#compat.interpolationMethodActs ? promptInterpolationMethod : "linear");
    return this.#blender.next({ prompts: incoming, transition, method }, signal);
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
    const { manageCache, denoisingStepList } = chunk.parameters;
    const otherSteps = this.#otherSteps(chunk.listed, denoisingStepList !== undefined);
    const restart = chunk.restart || (otherSteps && manageCache);
    const outOfPositions =
      !this.#compat.endlessPositions && this.#startFrame >= config.maxFrames - config.framesPerBlock;
    const { updated, active } = chunk.blend;
    const settled = !active && !this.#wasTransitioning;
    const cut = !this.#compat.promptChangeWithoutCut && updated && settled && manageCache && chunk.hasFrames;
    this.#wasTransitioning = active;
    if (restart) this.#motion.reset();
    if (!restart && !outOfPositions && !cut) return false;
    this.#cache.reset();
    this.#startFrame = 0;
    this.#recent = { frames: 0, data: new Float32Array(0) };
    this.#videos.restart();
    this.#filter?.reset();
    return true;
  }

  /** Whether the steps are others than in the chunk before. */
  #otherSteps(listed: readonly number[], given: boolean): boolean {
    const before = this.#steps;
    this.#steps = { listed, given };
    // Where nobody asked for steps, others come with another mode, which is to go on smoothly.
    if (this.#compat.smoothModeChange && before && !before.given && !given) return false;
    return listed.join() !== before?.listed.join();
  }

  /** As many frames as the chunk's latents stand for: one latent more when a video begins with the stream. */
  #pixels(frames: readonly Frame[], asCondition: boolean): Pixels {
    const { framesPerBlock } = this.#parts.config;
    const first = this.#startFrame === 0;
    // A conditioned stream begins without the extra latent; the original encodes it all the same, and cuts it off.
    const extra = first && !(asCondition && this.#compat.noVideoFrameLost) ? 1 : 0;
    return toPixels(resampleFrames(frames, pixelFramesOf(framesPerBlock + extra, first)), this.#parts.size);
  }

  /** Of a latent frame. */
  get #frameGrid() {
    const { config, generator } = this.#parts;
    return { channels: config.transformer.inChannels, ...generator.grid };
  }

  #noise({ baseSeed }: Parameters, overVideo: boolean): NoiseSource {
    const { config } = this.#parts;
    const position = this.#compat.freshNoise ? this.#madeFrames : this.#startFrame;
    const smooth = config.smoothNoise;
    const seed = baseSeed ?? this.#options.seed;
    if (config.noise === "fresh") return this.#openNoise(seed + position);
    if (overVideo) return this.#openVideoNoise(seed);
    // Fields that turn are enough for a picture that lives; other noise has to come with every chunk.
    const source = this.#openNoise(smooth ? seed : seed + position);
    return fixedNoise(source, this.#frameGrid, { smooth, turnFrom: position });
  }

  #noiseScale({ noiseScale, noiseController }: Parameters, pixels: Pixels): number {
    const controlled = noiseController ?? !this.#compat.controllerOnRequest;
    return controlled ? this.#motion.next(pixels, noiseScale) : noiseScale;
  }

  async #encode(pixels: Pixels, signal: AbortSignal | undefined): Promise<Latents> {
    const latents = await this.#videos.encode("video", pixels, signal);
    this.#observe({ type: "encoded", latents });
    return latents;
  }

  #noised({ frames, data }: Latents, noise: NoiseSource, noiseScale: number): Latents {
    return { frames, data: noisedInput(data, noise.normal(data.length), noiseScale) };
  }

  #pureNoise(noise: NoiseSource): Latents {
    const { channels, height, width } = this.#frameGrid;
    const { framesPerBlock } = this.#parts.config;
    return { frames: framesPerBlock, data: noise.normal(framesPerBlock * channels * height * width) };
  }

  /** The newest frames, whose keys a new prompt makes stale. */
  #recentPass(): Promise<StreamPass> {
    const frames = Math.min(this.#startFrame, this.#parts.config.windowFrames);
    return this.#pass(lastFrames(this.#recent, frames), 0, this.#startFrame - frames);
  }

  async #condition(
    input: ChunkInput,
    pixels: Pixels | undefined,
    latentFrames: number,
    signal: AbortSignal | undefined,
  ): Promise<VaceContext | undefined> {
    const { parameters, firstImage, lastImage } = input;
    if (!this.#conditioner) return undefined;
    if (parameters.vaceEnabled === false && !this.#conditioner.holdsFrames) return undefined;
    const masks =
      pixels && input.masks?.length ? toMasks(resampleFrames(input.masks, pixels.frames), this.#parts.size) : undefined;
    const scale = parameters.vaceContextScale ?? (this.#compat.loadScaleActs ? this.#parts.vaceContextScale : 1) ?? 1;
    const condition = { pixels, masks, firstImage, lastImage, scale, latentFrames };
    const context = await this.#conditioner.next(condition, signal);
    if (context) this.#observe({ type: "conditioned", context });
    return context;
  }

  async #pass(latents: Latents, timestep: number, startFrame: number): Promise<StreamPass> {
    const window = this.#cache.open(startFrame, latents.frames);
    const past = await this.#cache.past(window);
    const [text, own, loraScales] = [this.#text!, this.#cache.own(window), this.#loraScales.values];
    return { latents, timestep, startFrame, text, window, past, own, loraScales };
  }

  #remember(clean: Latents): void {
    // Only keys that are computed anew need them.
    if (this.#parts.config.context !== "clean_pass") return;
    const frameSize = clean.data.length / clean.frames;
    const joined = new Float32Array(this.#recent.data.length + clean.data.length);
    joined.set(this.#recent.data);
    joined.set(clean.data, this.#recent.data.length);
    const frames = joined.length / frameSize;
    this.#recent = lastFrames({ frames, data: joined }, Math.min(frames, this.#parts.config.windowFrames));
  }

  #dropText(): void {
    if (this.#text) freeText(this.#text);
    this.#text = undefined;
  }

  #observe(event: StreamEvent): unknown {
    return this.#options.observe?.(event);
  }
}

function lastFrames({ frames, data }: Latents, count: number): Latents {
  return { frames: count, data: data.subarray(((frames - count) * data.length) / frames) };
}
