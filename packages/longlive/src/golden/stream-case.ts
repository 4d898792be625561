/**
 * Recorded runs of the whole pipeline, driven through the stream that viewers
 * get: restarts, frame counts, steps and caches come from it, only the noise
 * from the recording.
 */
import { defaultParameters, type Parameters } from "@everframe/protocol";
import type { Autoencoder } from "../autoencoder.ts";
import { COMPAT, type Compat } from "../compat.ts";
import type { EngineOptions } from "../engine.ts";
import { GreyLatents } from "../grey-latents.ts";
import type { KvCache } from "../kv-cache.ts";
import type { NoiseSource } from "../noise.ts";
import type { Frame, Pixels } from "../preprocess.ts";
import { PromptEncoder } from "../prompt-encoder.ts";
import { type ChunkInput, LongLiveStream } from "../stream.ts";
import type { StreamEvent } from "../stream-event.ts";
import { TextEncoder } from "../text-encoder.ts";
import type { VaceContext } from "../vace-context.ts";
import { openWanAutoencoder } from "./autoencoder-case.ts";
import type { Comparison } from "./comparison.ts";
import type { ChunkKwargs, GoldenCase, RecordedChunk } from "./golden-case.ts";
import {
  channelsFirst,
  compareMerged,
  compareReferences,
  lorasOf,
  openGenerator,
  recordedTokens,
  rgbFrames,
  transitionOf,
} from "./part-cases.ts";

/** Parameters of the original that need a part which is not there yet. */
const UNSUPPORTED = ["lora_scales"];

/** The original's own, with and without video. */
const DEFAULT_STEPS = [1000, 750, 500, 250];

export async function runStream(golden: GoldenCase, comparison: Comparison, engine: EngineOptions): Promise<void> {
  const missing = UNSUPPORTED.filter((key) => golden.json.chunks?.some(({ kwargs }) => kwargs[key] !== undefined));
  if (missing.length > 0) return comparison.fail(`not supported yet: ${missing.join(", ")}`);
  await compareMerged(golden, comparison);
  compareReferences(golden, comparison, { height: golden.json.height!, width: golden.json.width! });
  await runVariant(golden, comparison, { engine, prefix: "", vace: golden.json.vace_wrapper_loaded ?? false });
  if (golden.expected.names().some((name) => name.startsWith("nv."))) {
    await runVariant(golden, comparison, { engine, prefix: "nv.", vace: false });
  }
}

/** @param variant.prefix of the variant's tensors: "nv." is the run without condition branch. */
async function runVariant(
  golden: GoldenCase,
  comparison: Comparison,
  { engine, prefix, vace }: { engine: EngineOptions; prefix: string; vace: boolean },
): Promise<void> {
  const config = golden.config();
  const size = { height: golden.json.height!, width: golden.json.width! };
  const textEncoder = await TextEncoder.create(config.textEncoder, golden.weights("t5"), engine);
  const generator = await openGenerator(golden, size, { ...engine, vace, loras: lorasOf(golden) });
  const recording: Recording = { golden, draws: [] };
  const plane = generator.grid.height * generator.grid.width;
  const chunks: ChunkTrace[] = [];
  const autoencoder = watched(await openWanAutoencoder(golden, size, engine), (pixels) =>
    chunks.at(-1)!.seeDecoded(pixels),
  );
  const stream = new LongLiveStream(
    {
      config,
      size,
      generator,
      autoencoder,
      grey: new GreyLatents(autoencoder, size),
      prompts: new PromptEncoder(recordedTokens(golden), textEncoder, config.transformer),
    },
    {
      seed: golden.json.config.base_seed,
      compat: compatOfCase(golden),
      noise: () => recordedNoise(recording),
      observe: (event) => chunks.at(-1)!.see(event),
    },
  );
  try {
    for (const chunk of golden.json.chunks ?? []) {
      recording.draws = chunk.noise.map(({ tensor }) => tensor);
      const trace = new ChunkTrace(comparison, chunk, `${prefix}c${chunk.chunk}.`, plane);
      chunks.push(trace);
      const made = await stream.generate(inputOf(golden, chunk, vace));
      comparison.fact(`chunk ${chunk.chunk} pictures`, made.frames.length, chunk.output_shape[0]);
      trace.finish(made.frames);
    }
  } finally {
    stream.close();
    await autoencoder.close();
    await generator.close();
    await textEncoder.close();
  }
}

/** A patched recording was made with one repair: each of several references acts. */
function compatOfCase(golden: GoldenCase): Compat {
  return { ...COMPAT.original, everyReference: golden.json["patched"] !== undefined };
}

/** What the original was called with, as a stream takes it. */
function inputOf(golden: GoldenCase, { chunk, kwargs }: RecordedChunk, vace: boolean): ChunkInput {
  const recorded = (name: string, given: unknown) =>
    given === undefined ? undefined : rgbFrames(golden, `c${chunk}.${name}`);
  const conditionFrames = recorded("vace_input_frames", kwargs.vace_input_frames);
  const frames = conditionFrames ?? recorded("video", kwargs.video);
  const masks = recorded("vace_input_masks", kwargs.vace_input_masks);
  const references = kwargs.vace_ref_images?.flatMap((name) => rgbFrames(golden, name));
  const firstImage = kwargs.first_frame_image && rgbFrames(golden, kwargs.first_frame_image)[0];
  const lastImage = kwargs.last_frame_image && rgbFrames(golden, kwargs.last_frame_image)[0];
  return {
    parameters: {
      ...parametersOf(golden, kwargs),
      inputMode: frames ? "video" : "text",
      vaceEnabled: vace,
      vaceUseInputVideo: conditionFrames !== undefined,
    },
    blendMethod: kwargs.spatial_interpolation_method ?? "linear",
    ...(frames ? { frames } : {}),
    ...(masks ? { masks } : {}),
    ...(references ? { references } : {}),
    ...(firstImage ? { firstImage } : {}),
    ...(lastImage ? { lastImage } : {}),
  };
}

/** The recorded parameters that a session has too. */
function parametersOf(golden: GoldenCase, kwargs: ChunkKwargs): Parameters {
  const transition = transitionOf(golden, kwargs);
  return {
    ...defaultParameters(),
    prompts: golden.prompts(kwargs.prompts ?? []),
    noiseScale: kwargs.noise_scale ?? 0.7,
    noiseController: kwargs.noise_controller ?? true,
    manageCache: kwargs.manage_cache ?? true,
    vaceContextScale: kwargs.vace_context_scale ?? 1,
    ...(transition ? { transition } : {}),
    denoisingStepList: [...(kwargs.denoising_step_list ?? DEFAULT_STEPS)],
    ...(kwargs.init_cache === undefined ? {} : { resetCache: kwargs.init_cache }),
    ...(kwargs.base_seed === undefined ? {} : { baseSeed: kwargs.base_seed }),
  };
}

/** Follows one chunk and compares it with its recording. */
class ChunkTrace {
  readonly #comparison: Comparison;
  readonly #recorded: RecordedChunk;
  readonly #prefix: string;
  /** Latent positions of a frame. */
  readonly #plane: number;
  readonly #calls: unknown[] = [];
  #encoded = 0;

  constructor(comparison: Comparison, recorded: RecordedChunk, prefix: string, plane: number) {
    this.#plane = plane;
    this.#comparison = comparison;
    this.#recorded = recorded;
    this.#prefix = prefix;
  }

  see(event: StreamEvent): Promise<void> | undefined {
    const compare = (name: string, values: Float32Array) => this.#comparison.tensor(`${this.#prefix}${name}`, values);
    switch (event.type) {
      case "start":
        compare("cond", event.embedding);
        this.#compareStart(event);
        break;
      case "encoded":
        compare(`enc${this.#encoded++}`, event.latents.data);
        break;
      case "conditioned":
        this.#compareContext(event.context);
        break;
      case "noised":
        compare("latents_in", event.latents.data);
        break;
      case "pass": {
        const { kind, timestep, frames, startFrame } = event;
        if (kind === "recache") compare("recache_flow", event.result.prediction);
        if (kind === "denoise") compare(`x0_${this.#calls.length}`, event.result.clean);
        this.#calls.push([kind === "clean" ? "clean_kv" : kind, timestep, frames, startFrame]);
        break;
      }
      case "recached":
        return this.#compareKeys("after_recache", event.cache);
      case "finished":
        compare("latents", event.latents.data);
        return this.#compareKeys("end", event.cache);
    }
    return undefined;
  }

  /** The last frame as the original gives it out before it is made 8 bits. */
  seeDecoded({ frames, data }: Pixels): void {
    const last = data.subarray(data.length - data.length / frames); // [3, H, W]
    const plane = last.length / 3;
    const unit = last.map((_, i) => {
      const value = last[(i % 3) * plane + Math.floor(i / 3)]!;
      return Math.min(1, Math.max(0, Math.fround(value / 2) + 0.5));
    });
    this.#comparison.tensor(`${this.#prefix}output_last_f32`, unit); // [H, W, 3]
  }

  finish(frames: readonly Frame[]): void {
    const rgb = Buffer.concat(frames.map(({ data }) => data.filter((_, i) => i % 4 !== 3)));
    this.#comparison.tensor(`${this.#prefix}output_u8`, rgb); // [T, H, W, 3]
    const recorded = this.#recorded.generator_calls.map((call) => [
      call.kind,
      call.timestep,
      call.frames,
      call.current_start_frame,
    ]);
    this.#comparison.fact(`${this.#prefix}calls`, this.#calls, recorded);
  }

  #compareStart(event: StreamEvent & { type: "start" }): void {
    const recorded = this.#recorded;
    const fact = (name: string, ours: unknown, theirs: unknown) =>
      this.#comparison.fact(`${this.#prefix}${name}`, ours, theirs);
    fact("start frame", event.startFrame, recorded.current_start_frame);
    fact("reset", event.reset, recorded.hard_reset);
    fact("prompt updated", event.promptUpdated, recorded.conditioning_embeds_updated);
    fact("transition active", event.transitioning, recorded.transition_active);
    const round = (scale: number | null | undefined) => (scale == null ? null : Math.round(scale * 1e6) / 1e6);
    fact("noise scale", round(event.noiseScale), round(recorded.noise_scale_used));
  }

  /** Recorded with channels in front, and in some cases without the mask's. */
  #compareContext({ frames, data }: VaceContext): void {
    const plane = this.#plane;
    const channels = channelsFirst(data, frames, plane);
    this.#comparison.tensor(`${this.#prefix}vace_context`, channels);
    this.#comparison.tensor(`${this.#prefix}vace_context_first32`, channels.subarray(0, 32 * frames * plane));
  }

  async #compareKeys(when: string, cache: KvCache): Promise<void> {
    for (let i = 0; i < cache.layers; i++) {
      const name = `${this.#prefix}${when}.kv${i}`;
      const { k, v } = await cache.layer(i);
      this.#comparison.tensor(`${name}.k`, k);
      this.#comparison.tensor(`${name}.v`, v);
    }
  }
}

/** What the recording still holds for the chunk that runs. */
type Recording = { readonly golden: GoldenCase; draws: string[] };

/** Noise in the order in which it was drawn. */
function recordedNoise(recording: Recording): NoiseSource {
  return {
    normal(count) {
      const tensor = recording.draws.shift();
      if (!tensor) throw new Error("more noise was drawn than recorded");
      const values = recording.golden.inputs.read(tensor);
      if (values.length !== count) throw new Error(`${count} values were drawn for ${tensor} of ${values.length}`);
      return values;
    },
  };
}

/** The same autoencoder, with its decoded pictures shown to `see`. */
function watched(autoencoder: Autoencoder, see: (pixels: Pixels) => void): Autoencoder {
  return {
    latentChannels: autoencoder.latentChannels,
    settledAfter: autoencoder.settledAfter,
    openEncoder: () => autoencoder.openEncoder(),
    openDecoder() {
      const decoder = autoencoder.openDecoder();
      return {
        async decode(latents) {
          const pixels = await decoder.decode(latents);
          see(pixels);
          return pixels;
        },
        reset: () => decoder.reset(),
      };
    },
    close: () => autoencoder.close(),
  };
}
