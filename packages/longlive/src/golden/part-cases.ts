/** Recorded cases of single parts: text encoder, scheduler, transformer, condition branch, prompt blending, resampling. */
import { Graph, Session } from "@everframe/graph";
import { Adapters, type Loras } from "../adapters.ts";
import { type Latents, SPACE_FACTOR } from "../autoencoder.ts";
import { COMPAT, numericsOf } from "../compat.ts";
import type { EngineOptions } from "../engine.ts";
import { freeHints, Generator, type GeneratorOptions } from "../generator.ts";
import { modelLora } from "../lora-file.ts";
import { type Frame, resampleFrames, resampleIndices, toMasks, toPixels, toUnit } from "../preprocess.ts";
import { type BlendMethod, blendEmbeddings, PromptBlender } from "../prompt-blender.ts";
import { PromptEncoder } from "../prompt-encoder.ts";
import { prepareReference } from "../references.ts";
import { rotationOf } from "../rope.ts";
import { addNoise, cleanFromFlow, createScheduler, flowFromClean, videoSteps } from "../scheduler.ts";
import { relativeBucket, TextEncoder } from "../text-encoder.ts";
import type { PromptTokenizer } from "../tokenizer.ts";
import { joinFrames, maskChannels } from "../vace-context.ts";
import type { Comparison } from "./comparison.ts";
import type { ChunkKwargs, GoldenCase } from "./golden-case.ts";

export async function runTextEncoder(golden: GoldenCase, comparison: Comparison, engine: EngineOptions): Promise<void> {
  const config = golden.config().textEncoder;
  // Kept in memory, and read layer by layer.
  for (const parts of [{}, { keptBytes: 0 }]) {
    const encoder = await TextEncoder.create(config, golden.weights("t5"), { ...engine, ...parts, tap: true });
    try {
      await compareEmbeddings(golden, comparison, encoder);
    } finally {
      await encoder.close();
    }
  }
  const distances = golden.inputs.read("rel");
  comparison.tensor(
    "rel_bucket",
    distances.map((distance) => relativeBucket(distance, config.buckets, config.maxDistance)),
  );
}

async function compareEmbeddings(golden: GoldenCase, comparison: Comparison, encoder: TextEncoder): Promise<void> {
  const { dim } = golden.config().textEncoder;
  for (const { name, L } of golden.json["runs"] as { name: string; L: number }[]) {
    const ids = golden.inputs.read(`${name}.ids`); // [prompts, L]
    const mask = golden.inputs.read(`${name}.mask`);
    const prompts = Array.from({ length: ids.length / L }, (_, prompt) =>
      [...ids.subarray(prompt * L, (prompt + 1) * L)].filter((_, i) => mask[prompt * L + i] === 1),
    );
    const embeddings = new Float32Array(prompts.length * L * dim);
    // Padded rows of the hidden state are never computed here: they are taken as recorded.
    const hiddenName = `${name}.hidden_block0`;
    const firstBlock = comparison.wants(hiddenName) ? golden.expected.read(hiddenName) : undefined;
    for (const [i, { embedding, block0 }] of (await encoder.hidden(prompts)).entries()) {
      embeddings.set(embedding!, i * L * dim);
      firstBlock?.set(block0!, i * L * dim);
    }
    comparison.tensor(`${name}.prompt_embeds`, embeddings);
    if (firstBlock) comparison.tensor(hiddenName, firstBlock);
  }
}

export async function runScheduler(golden: GoldenCase, comparison: Comparison): Promise<void> {
  const scheduler = createScheduler(golden.config().timestepShift);
  const oneUlp = (value: number) => 2 ** (Math.floor(Math.log2(Math.abs(value) || 1)) - 23);
  comparison.tensor("sigmas", scheduler.sigmas, { tolerance: oneUlp });
  comparison.tensor("timesteps", scheduler.timesteps, { tolerance: oneUlp });
  const indices = Array.from({ length: 1001 }, (_, t) => scheduler.indexOf(t));
  comparison.tensor("index_for_t_float32", indices);
  comparison.tensor("index_for_t_float64", indices);
  const query = golden.json["query"] as number[];
  const sigmas = golden.json["sigma_for_query"] as number[];
  comparison.fact(
    "sigma of the queried timesteps",
    query.map((t) => scheduler.sigmaOf(t).toPrecision(6)),
    sigmas.map((sigma) => sigma.toPrecision(6)),
  );
  for (const [scale, step] of Object.entries(golden.json["first_step_from_noise_scale"] as Record<string, number>)) {
    comparison.fact(`first step of noise scale ${scale}`, videoSteps([0], Number(scale)), [step]);
  }
  const read = (name: string) => golden.inputs.read(name);
  const [clean, noise, noisy, flow] = [read("clean"), read("noise"), read("xt"), read("flow_pred")];
  const timesteps = read("timesteps_query");
  const size = clean.length / timesteps.length;
  const each = (compute: (part: (whole: Float32Array) => Float32Array, sigma: number) => Float32Array) => {
    const whole = new Float32Array(clean.length);
    for (const [i, t] of timesteps.entries()) {
      const part = (values: Float32Array) => values.subarray(i * size, (i + 1) * size);
      whole.set(compute(part, scheduler.sigmaOf(t)), i * size);
    }
    return whole;
  };
  comparison.tensor(
    "add_noise",
    each((part, sigma) => addNoise(part(clean), part(noise), sigma)),
  );
  comparison.tensor(
    "x0_pred",
    each((part, sigma) => cleanFromFlow(part(noisy), part(flow), sigma)),
  );
  comparison.tensor(
    "flow_from_x0",
    each((part, sigma) => flowFromClean(part(noisy), part(clean), sigma)),
  );
}

/** A generator for latents of this size, as the original ran it. */
export function openGenerator(
  golden: GoldenCase,
  size: { height: number; width: number },
  options: GeneratorOptions & { vace: boolean; loras?: Loras },
): Promise<Generator> {
  const { vace, loras = { merged: [], live: [] }, ...rest } = options;
  const files = { main: golden.weights("dit"), loras, ...(vace ? { vace: golden.weights("vace") } : {}) };
  const grid = { height: size.height / SPACE_FACTOR, width: size.width / SPACE_FACTOR };
  return Generator.create(golden.config(), files, grid, {
    ...numericsOf(COMPAT.original, vace),
    ...rest,
  });
}

/** A recorded tensor [1, frames, ...] as latents. */
function latentsOf(golden: GoldenCase, name: string): Latents {
  return { frames: golden.inputs.info(name).shape[1]!, data: golden.inputs.read(name) };
}

export async function runTransformer(golden: GoldenCase, comparison: Comparison, engine: EngineOptions): Promise<void> {
  const size = { height: golden.json.height!, width: golden.json.width! };
  compareRotation(golden, comparison);
  for (const prefix of ["base", "vw"]) {
    const generator = await openGenerator(golden, size, {
      ...engine,
      vace: prefix === "vw",
      tap: prefix === "base",
    });
    try {
      await compareCalls(golden, comparison, generator, prefix);
    } finally {
      await generator.close();
    }
  }
}

type RecordedCall = { name: string; x: string; timestep: number; current_start_frame: number };

async function compareCalls(golden: GoldenCase, comparison: Comparison, generator: Generator, prefix: string) {
  const { transformer } = generator.config;
  const cache = generator.openCache({ relative: false });
  const text = await generator.encodeText(golden.inputs.read("prompt0.embeds"));
  for (const call of golden.json["calls"] as RecordedCall[]) {
    const { timestep, current_start_frame: startFrame } = call;
    const name = (part: string) => `${prefix}.${call.name}.${part}`;
    const latents = latentsOf(golden, call.x);
    const window = cache.open(startFrame, latents.frames);
    const past = await cache.past(window);
    const result = await generator.forward({ latents, timestep, text, window, past });
    await cache.keep(window, result.keys);
    const time = await generator.timeEmbedding(timestep);
    comparison.tensor(name("time_embedding"), repeated(time.e, latents.frames));
    comparison.tensor(name("time_projection"), repeated(time.e0, latents.frames));
    comparison.tensor(name("flow"), result.prediction);
    comparison.tensor(name("x0"), result.clean);
    for (let i = 0; i < transformer.layers; i++) {
      const used = cache.frames * generator.frameTokens * transformer.dim;
      const { k, v } = await cache.layer(i);
      comparison.tensor(name(`kv${i}.k`), k.subarray(0, used));
      comparison.tensor(name(`kv${i}.v`), v.subarray(0, used));
    }
    for (const [part, values] of Object.entries({ ...text.outputs, ...result.outputs })) {
      if (!comparison.wants(name(part))) continue;
      const value = await generator.read(values);
      if (part === "patch_embedding") comparison.tensor(name(part), transposed(value, transformer.dim));
      else comparison.tensor(name(part), value);
    }
  }
}

function compareRotation(golden: GoldenCase, comparison: Comparison): void {
  if (!comparison.wants("rope_freqs_real")) return;
  const { dim, heads } = golden.config().transformer;
  const [positions, pairs] = golden.expected.info("rope_freqs_real").shape as [number, number];
  // Row p of the table is the rotation of a token at position p on all three axes.
  const table = { cos: new Float32Array(positions * pairs), sin: new Float32Array(positions * pairs) };
  for (let p = 0; p < positions; p++) {
    const { cos, sin } = rotationOf(dim / heads, { frames: 1, rows: p + 1, columns: p + 1 }, p);
    table.cos.set(cos.subarray(-pairs), p * pairs);
    table.sin.set(sin.subarray(-pairs), p * pairs);
  }
  comparison.tensor("rope_freqs_real", table.cos);
  comparison.tensor("rope_freqs_imag", table.sin);
}

function repeated(row: Float32Array, count: number): Float32Array {
  const rows = new Float32Array(row.length * count);
  for (let i = 0; i < count; i++) rows.set(row, i * row.length);
  return rows;
}

/** [rows, columns] to [columns, rows] */
function transposed(values: Float32Array, columns: number): Float32Array {
  const rows = values.length / columns;
  return values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}

type VaceRun = {
  name: string;
  height: number;
  width: number;
  vace_context_scale: number;
  timestep: number;
  current_start_frame: number;
};

export async function runVace(golden: GoldenCase, comparison: Comparison, engine: EngineOptions): Promise<void> {
  for (const run of golden.json["runs"] as VaceRun[]) {
    const generator = await openGenerator(golden, run, { ...engine, vace: true });
    try {
      const text = await generator.encodeText(golden.inputs.read("prompt0.embeds"));
      const latents = latentsOf(golden, `${run.name}.x`);
      const context = contextOf(golden, run.name, generator);
      const { timestep, current_start_frame: startFrame } = run;
      const scale = run.vace_context_scale;
      const hints = await generator.hints(latents, timestep, text, { ...context, scale });
      const window = {
        pastFrames: 0,
        droppedFrames: 0,
        ownFrames: latents.frames,
        endFrame: latents.frames,
        firstPosition: startFrame,
      };
      const past = text.main.map(() => ({ k: new Float32Array(0), v: new Float32Array(0) }));
      const hintValues = await Promise.all(hints.values.map((values) => generator.read(values)));
      const result = await generator.forward({ latents, timestep, text, window, past, hints });
      freeHints(hints);
      comparison.tensor(`${run.name}.flow`, result.prediction);
      for (const [n, hint] of hintValues.entries()) {
        comparison.tensor(`${run.name}.hint${n}`, hint);
        const first = `${run.name}.hint${n}_first16tokens`;
        comparison.tensor(first, hint.subarray(0, 16 * generator.config.transformer.dim));
      }
    } finally {
      await generator.close();
    }
  }
}

/** A recorded context [channels, frames, h, w], its mask channels ones where they were not stored. */
function contextOf(golden: GoldenCase, run: string, generator: Generator): Latents {
  const { inChannels } = generator.config.vace!;
  const plane = generator.grid.height * generator.grid.width;
  const partial = `${run}.vace_context_first32`;
  const name = golden.inputs.has(partial) ? partial : `${run}.vace_context`;
  const stored = golden.inputs.read(name);
  const frames = golden.inputs.info(name).shape[1]!;
  const data = new Float32Array(frames * inChannels * plane).fill(1);
  for (let c = 0; c < golden.inputs.info(name).shape[0]!; c++) {
    for (let f = 0; f < frames; f++) {
      const from = (c * frames + f) * plane;
      data.set(stored.subarray(from, from + plane), (f * inChannels + c) * plane);
    }
  }
  return { frames, data };
}

type BlendUnit = { tensor: string; prompts: string[]; weights: number[]; method: BlendMethod };
type BlendChunk = {
  chunk: number;
  kwargs: ChunkKwargs;
  conditioning_embeds: string;
  conditioning_embeds_updated: boolean;
  transition_active: boolean;
  current_prompts_after: unknown;
};

export async function runBlending(golden: GoldenCase, comparison: Comparison, engine: EngineOptions): Promise<void> {
  const rows = golden.config().transformer.textLength;
  const encoder = await TextEncoder.create(golden.config().textEncoder, golden.weights("t5"), engine);
  const encoded = new PromptEncoder(recordedTokens(golden), encoder, golden.config().transformer);
  const encode = (texts: readonly string[]) => encoded.encode(texts);
  try {
    for (const { tensor, prompts, weights, method } of golden.json["unit"] as BlendUnit[]) {
      const embeddings = await encode(prompts);
      comparison.tensor(tensor, blendEmbeddings(embeddings, weights, method, rows, COMPAT.original.slerpRowFallback));
    }
    for (const sequence of golden.json["sequences"] as { name: string; chunks: BlendChunk[] }[]) {
      const blender = new PromptBlender(rows, encode, {
        rowFallback: COMPAT.original.slerpRowFallback,
        methodActs: COMPAT.original.interpolationMethodActs,
      });
      for (const chunk of sequence.chunks) {
        const result = await blender.next(blendInput(golden, chunk.kwargs));
        const where = `${sequence.name} chunk ${chunk.chunk}`;
        comparison.tensor(chunk.conditioning_embeds, result.embedding);
        comparison.fact(`${where} updated`, result.updated, chunk.conditioning_embeds_updated);
        comparison.fact(`${where} active`, result.active, chunk.transition_active);
        comparison.fact(`${where} prompts`, blender.current, chunk.current_prompts_after);
      }
    }
  } finally {
    await encoder.close();
  }
}

/** Prompts are named; their tokens are recorded. */
export function recordedTokens(golden: GoldenCase): PromptTokenizer {
  return { encode: (prompt) => [...golden.tokenIds(prompt)] };
}

function blendInput(golden: GoldenCase, kwargs: ChunkKwargs) {
  return {
    prompts: golden.prompts(kwargs.prompts ?? []),
    transition: transitionOf(golden, kwargs),
    method: kwargs.spatial_interpolation_method ?? "linear",
  };
}

/** The recorded transition in the form that streams take. */
export function transitionOf(golden: GoldenCase, { transition }: ChunkKwargs) {
  if (!transition) return undefined;
  return {
    targetPrompts: golden.prompts(transition.target_prompts ?? []),
    numSteps: transition.num_steps ?? 0,
    temporalInterpolationMethod: transition.temporal_interpolation_method ?? "linear",
  };
}

export async function runPreprocessing(golden: GoldenCase, comparison: Comparison): Promise<void> {
  const size = { height: golden.json.height!, width: golden.json.width! };
  for (const name of golden.expected.names()) {
    const [, count, target] = /^resample_(\d+)_to_(\d+)$/.exec(name) ?? [];
    if (count && target) comparison.tensor(name, resampleIndices(Number(count), Number(target)));
  }
  const frames: Frame[] = [];
  while (golden.inputs.has(`mixed.frame${frames.length}`)) {
    frames.push(...rgbFrames(golden, `mixed.frame${frames.length}`));
  }
  const plane = size.height * size.width;
  comparison.tensor("mixed.video", channelsFirst(toPixels(frames, size).data, frames.length, plane));
  compareReferences(golden, comparison, size);
  compareMasks(golden, comparison, size);
  if (golden.inputs.has("post.in")) {
    const [, count] = golden.inputs.info("post.in").shape as [number, number];
    const shown = golden.inputs.read("post.in").map(toUnit); // [frames, 3, H, W]
    const perFrame = shown.length / count;
    comparison.tensor(
      "post.out", // [frames, H, W, 3]
      Array.from({ length: count }, (_, f) => shown.subarray(f * perFrame, (f + 1) * perFrame)).flatMap((frame) => [
        ...transposed(frame, plane),
      ]),
    );
  }
}

/** The model's own adapter, in cases that were recorded with it. */
export function lorasOf(golden: GoldenCase): Loras {
  if (mergedLayers(golden).length === 0) return { merged: [], live: [] };
  const { lora } = golden.json.config;
  const file = golden.weights("lora");
  return { merged: [{ lora: modelLora(file.path, file, lora!.alpha / lora!.rank), scale: 1 }], live: [] };
}

/** Weights with the adapter merged into them. */
export async function compareMerged(golden: GoldenCase, comparison: Comparison): Promise<void> {
  const layers = mergedLayers(golden);
  if (layers.length === 0) return;
  const g = new Graph("merged weights");
  const adapters = new Adapters(g, lorasOf(golden));
  for (const layer of layers) {
    g.output(layer, adapters.merged(layer, g.weight(golden.weights("dit"), `${layer}.weight`)));
  }
  const session = await Session.create(g.build());
  try {
    for (const [layer, { data }] of Object.entries(await session.run({}))) {
      comparison.tensor(`merged.${layer}.weight`, data as Float32Array);
    }
  } finally {
    await session.close();
  }
}

function mergedLayers(golden: GoldenCase): string[] {
  return golden.expected.names().flatMap((name) => /^merged\.(.+)\.weight$/.exec(name)?.[1] ?? []);
}

/** Reference images as they are prepared for the encoder. */
export function compareReferences(
  golden: GoldenCase,
  comparison: Comparison,
  size: { height: number; width: number },
): void {
  for (const name of golden.expected.names().filter((name) => name.startsWith("prepared_"))) {
    const [image] = rgbFrames(golden, name.slice("prepared_".length));
    comparison.tensor(name, prepareReference(image!, size, COMPAT.original.wholeReferences).data);
  }
}

/** Masks as channels: of 12 frames behind a reference image, and of 13. */
function compareMasks(golden: GoldenCase, comparison: Comparison, size: { height: number; width: number }): void {
  if (!golden.inputs.has("mask.frames")) return;
  const recorded = rgbFrames(golden, "mask.frames");
  const plane = (size.height / SPACE_FACTOR) * (size.width / SPACE_FACTOR);
  for (const name of golden.expected.names().filter((name) => name.startsWith("mask.encoded_"))) {
    const [, count, reference] = /^mask\.encoded_(\d+)(_one_ref)?$/.exec(name) ?? [];
    const encoded = maskChannels(toMasks(resampleFrames(recorded, Number(count)), size), size);
    const blank = { frames: 1, data: new Float32Array(encoded.data.length / encoded.frames) };
    const { frames, data } = reference ? joinFrames([blank, encoded]) : encoded;
    comparison.tensor(name, channelsFirst(data, frames, plane));
  }
}

/** [frames, channels, plane] to [channels, frames, plane]. */
export function channelsFirst(data: Float32Array, frames: number, plane: number): Float32Array {
  const channels = data.length / frames / plane;
  const result = new Float32Array(data.length);
  for (let f = 0; f < frames; f++) {
    for (let c = 0; c < channels; c++) {
      const from = (f * channels + c) * plane;
      result.set(data.subarray(from, from + plane), (c * frames + f) * plane);
    }
  }
  return result;
}

/** A recorded video [T, H, W, 3], mask [T, H, W, 1] or picture [H, W, 3], 8 bits. */
export function rgbFrames(golden: GoldenCase, name: string): Frame[] {
  const { shape } = golden.inputs.info(name);
  const [height, width, channels] = shape.slice(-3) as [number, number, number];
  const bytes = golden.inputs.readRaw(name);
  const pixels = height * width;
  return Array.from({ length: bytes.length / pixels / channels }, (_, f) => {
    const data = new Uint8Array(pixels * 4).fill(255);
    for (let i = 0; i < pixels; i++) {
      const from = (f * pixels + i) * channels;
      data.set(bytes.subarray(from, from + channels), 4 * i);
    }
    return { width, height, data };
  });
}
