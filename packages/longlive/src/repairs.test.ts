/**
 * Each repair against the behaviour that it repairs: the same stream with all repairs off, and with this one on.
 * Streams of longlive-tiny at a small size: real weights, real sessions.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defaultParameters, type ParameterUpdate } from "@everframe/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMPAT, type Compat, compatOf, numericsOf, type Repair } from "./compat.ts";
import type { ModelParts } from "./model.ts";
import { resampleFrames, toPixels } from "./preprocess.ts";
import { blendEmbeddings } from "./prompt-blender.ts";
import { prepareReference } from "./references.ts";
import { type Chunk, type ChunkInput, LongLiveStream } from "./stream.ts";
import type { StreamEvent } from "./stream-event.ts";
import { openTinyParts, stripes, stripeVideo } from "./testing/tiny-parts.ts";

const SIZE = { width: 64, height: 48 };
/** Repairs whose behaviour is not this package's. */
const ELSEWHERE: readonly Repair[] = ["oneShotsWait"];

let parts: Awaited<ReturnType<typeof openTinyParts>>;
beforeAll(async () => {
  parts = await openTinyParts(SIZE);
});
afterAll(() => parts.close());

const tried = new Set<Repair>();

/** What `run` gives without any repair, and with this one. */
async function both<T>(repair: Repair, run: (compat: Compat) => T | Promise<T>): Promise<{ original: T; repaired: T }> {
  tried.add(repair);
  return { original: await run(COMPAT.original), repaired: await run({ ...COMPAT.original, [repair]: true }) };
}

type Step = Omit<ChunkInput, "parameters"> & { readonly update: ParameterUpdate };

const prompts = (text: string) => ({ prompts: [{ text, weight: 1 }] });
const STEPS = { denoisingStepList: [800, 400], ...prompts("photo") };
const TEXT: Step = { update: { ...STEPS, inputMode: "text" } };
const NORMAL: Step = {
  update: { ...STEPS, inputMode: "video", vaceUseInputVideo: false, noiseController: false },
  frames: stripeVideo(0),
};
const VACE: Step = { update: { ...STEPS, inputMode: "video" }, frames: stripeVideo(0) };

const changed = (step: Step, update: ParameterUpdate): Step => ({ ...step, update: { ...step.update, ...update } });

type Run = { chunks: Chunk[]; events: StreamEvent[] };

/** The chunks of a stream, and what happened in it. */
async function play(compat: Compat, steps: readonly Step[], model: ModelParts = parts): Promise<Run> {
  const events: StreamEvent[] = [];
  const stream = new LongLiveStream(model, { seed: 7, compat, observe: (event) => events.push(copied(event)) });
  const chunks: Chunk[] = [];
  for (const { update, ...input } of steps) {
    chunks.push(await stream.generate({ ...input, parameters: { ...defaultParameters(), ...update } }));
  }
  stream.close();
  return { chunks, events };
}

/** The stream goes on with its arrays. */
function copied(event: StreamEvent): StreamEvent {
  return event.type === "pass" ? event : structuredClone({ ...event, cache: undefined } as unknown as StreamEvent);
}

function eventsOf<T extends StreamEvent["type"]>({ events }: Run, type: T) {
  return events.filter((event): event is Extract<StreamEvent, { type: T }> => event.type === type);
}

const resets = ({ chunks }: Run) => chunks.map(({ reset }) => reset);
const counts = ({ chunks }: Run) => chunks.map(({ frames }) => frames.length);
const contexts = (run: Run) => eventsOf(run, "conditioned").map(({ context }) => context);
const pictures = (chunk: Chunk) => Buffer.concat(chunk.frames.map(({ data }) => data));
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: Error) => error.message,
  );

describe("repairs", () => {
  it("controllerOnRequest: the controller rests until it is asked for", async () => {
    const step = { ...NORMAL, update: { ...NORMAL.update } };
    delete step.update.noiseController;
    const scaleOf = async (compat: Compat) => eventsOf(await play(compat, [step]), "start")[0]!.noiseScale;
    const { original, repaired } = await both("controllerOnRequest", scaleOf);
    expect(repaired).toBe(0.7);
    expect(original).not.toBe(0.7);
  });

  it("smoothModeChange: the stream goes on when the mode changes", async () => {
    const steps = [TEXT, TEXT, NORMAL, NORMAL, VACE, VACE, TEXT];
    const { original, repaired } = await both("smoothModeChange", (compat) => play(compat, steps));
    expect(resets(original)).toEqual([true, false, true, false, true, false, false]);
    expect(counts(original)).toEqual([9, 12, 13, 12, 9, 12, 12]);
    expect(resets(repaired)).toEqual([true, false, false, false, false, false, false]);
    expect(counts(repaired)).toEqual([9, 12, 12, 12, 12, 12, 12]);
    expect(contexts(repaired)[0]!.frames).toBe(3);
    // Told not to restart, the original's autoencoder does so all the same.
    const kept = [TEXT, TEXT, changed(NORMAL, { resetCache: false })];
    const told = await both("smoothModeChange", (compat) => play(compat, kept));
    expect(resets(told.original)).toEqual([true, false, false]);
    expect(counts(told.original)).toEqual([9, 12, 9]);
    expect(counts(told.repaired)).toEqual([9, 12, 12]);
  });

  it("separateEncoderCaches: what is painted anew is encoded as the video that it is", async () => {
    const second = stripeVideo(90);
    const steps = [VACE, { ...VACE, frames: second }];
    const { original, repaired } = await both("separateEncoderCaches", (compat) => play(compat, steps));
    const encoder = parts.autoencoder.openEncoder();
    await encoder.encode(toPixels(resampleFrames(VACE.frames!, 13), SIZE));
    const alone = await encoder.encode(toPixels(second, SIZE));
    const latentSize = alone.data.length / alone.frames;
    const reactive = (run: Run) => contexts(run)[1]!.data.slice(latentSize, 2 * latentSize);
    expect([...reactive(repaired)]).toEqual([...alone.data.subarray(0, latentSize)]);
    expect([...reactive(original)]).not.toEqual([...alone.data.subarray(0, latentSize)]);
  });

  it("conditionCachesRestart: encoders of a condition begin anew with the stream", async () => {
    const { autoencoder } = parts;
    const own: ModelParts = {
      ...parts,
      autoencoder: {
        latentChannels: autoencoder.latentChannels,
        settledAfter: autoencoder.settledAfter,
        conditionCaches: "own",
        openEncoder: () => autoencoder.openEncoder(),
        openDecoder: () => autoencoder.openDecoder(),
        close: async () => {},
      },
    };
    const steps = [VACE, changed(VACE, { resetCache: true })];
    const { original, repaired } = await both("conditionCachesRestart", (compat) => play(compat, steps, own));
    expect(contexts(original).map(({ frames }) => frames)).toEqual([4, 3]);
    expect(contexts(repaired).map(({ frames }) => frames)).toEqual([4, 4]);
  });

  it("noZeroKeys: the branch attends to its own tokens only", async () => {
    // 32 tokens a frame: four frames need no zero keys, three do.
    const hintsOf = async (compat: Compat) => {
      const model = await openTinyParts({ width: 128, height: 64 }, numericsOf(compat, true));
      try {
        const { generator, config } = model;
        const text = await generator.encodeText((await model.prompts.encode(["photo"]))[0]!);
        const hints = async (frames: number) => {
          const latents = { frames, data: new Float32Array(frames * config.transformer.inChannels * 128).fill(0.3) };
          const context = {
            frames,
            data: new Float32Array(frames * config.vace!.inChannels * 128).fill(0.5),
            scale: 1,
          };
          return [...(await generator.read((await generator.hints(latents, 500, text, context)).values[0]!))];
        };
        return { three: await hints(3), four: await hints(4) };
      } finally {
        await model.close();
      }
    };
    const { original, repaired } = await both("noZeroKeys", hintsOf);
    expect(repaired.four).toEqual(original.four);
    const difference = repaired.three.reduce((most, x, i) => Math.max(most, Math.abs(x - original.three[i]!)), 0);
    expect(difference).toBeGreaterThan(1e-3);
  });

  it("absentConditionCleared: a condition ends with its frames", async () => {
    const { original, repaired } = await both("absentConditionCleared", (compat) => play(compat, [VACE, TEXT]));
    expect(contexts(original)).toHaveLength(2);
    expect(contexts(repaired)).toHaveLength(1);
  });

  it("everyReference: every one of several references acts, with and without video", async () => {
    const [a, b, c] = [stripes(0), stripes(50), stripes(100)];
    const alone = await both("everyReference", async (compat) => {
      const first = await play(compat, [{ ...TEXT, references: [a, b] }]);
      const other = await play(compat, [{ ...TEXT, references: [a, c] }]);
      return [pictures(first.chunks[0]!), pictures(other.chunks[0]!)];
    });
    expect(alone.original[0]!.equals(alone.original[1]!)).toBe(true);
    expect(alone.repaired[0]!.equals(alone.repaired[1]!)).toBe(false);
    const frames = { ...VACE, references: [a, b] };
    const beside = await both("everyReference", (compat) =>
      play(compat, [frames]).then(
        (run) => contexts(run)[0]!.frames,
        (error: Error) => error.message,
      ),
    );
    expect(beside.original).toContain("do not fit together");
    expect(beside.repaired).toBe(6);
  });

  it("wholeReferences: a reference of any size fills the picture", async () => {
    const heights = Array.from({ length: 400 }, (_, i) => i + 1);
    const short = heights.find((height) => Math.trunc(height * (SIZE.height / height)) < SIZE.height)!;
    const image = stripes(0, { width: Math.ceil((short * SIZE.width) / SIZE.height), height: short });
    const references = [{ ...TEXT, references: [image] }];
    const { original, repaired } = await both("wholeReferences", (compat) => failure(play(compat, references)));
    expect(original).toContain("is left short");
    expect(repaired).toBeUndefined();
    for (const height of heights.slice(0, 120)) {
      const { data } = prepareReference(stripes(0, { width: height, height }), SIZE, true);
      expect(data).toHaveLength(3 * SIZE.width * SIZE.height);
    }
  });

  it("slerpRowFallback: slerp gives rows of one direction back", async () => {
    const same = Float32Array.of(3, 4, 0, 0);
    const { original, repaired } = await both("slerpRowFallback", ({ slerpRowFallback }) =>
      blendEmbeddings([same, same], [1, 1], "slerp", 2, slerpRowFallback),
    );
    expect([...repaired]).toEqual([3, 4, 0, 0].map((value) => expect.closeTo(value, 5)));
    expect(Math.hypot(...original)).toBeLessThan(1);
  });

  it("interpolationMethodActs: the live parameter chooses the interpolation, also while prompts stay", async () => {
    const two = { prompts: [prompts("sepia"), prompts("anime")].map((one) => one.prompts[0]!) };
    const steps = [
      changed(TEXT, { ...two, promptInterpolationMethod: "linear" }),
      changed(TEXT, { ...two, promptInterpolationMethod: "slerp" }),
    ];
    const { original, repaired } = await both("interpolationMethodActs", async (compat) => {
      const [linear, slerp] = eventsOf(await play(compat, steps), "start");
      return [...slerp!.embedding].every((value, i) => value === linear!.embedding[i]);
    });
    expect([original, repaired]).toEqual([true, false]);
  });

  it("exactSinusoid: the sinusoid is exact with a condition branch, too", async () => {
    const { original, repaired } = await both("exactSinusoid", (compat) =>
      [true, false].map((hasBranch) => numericsOf(compat, hasBranch).sinusoid),
    );
    expect(original).toEqual(["float32", "float64"]);
    expect(repaired).toEqual(["float64", "float64"]);
  });

  it("firstStepNotNegative: a small noise scale starts at step 0", async () => {
    const step = changed(NORMAL, { noiseScale: 0.05 });
    const { original, repaired } = await both("firstStepNotNegative", async (compat) =>
      eventsOf(await play(compat, [step]), "start").map(({ steps }) => steps),
    );
    expect(original).toEqual([[-50, 400]]);
    expect(repaired).toEqual([[0, 400]]);
  });

  it("noTokenLimit: a pass may have any number of tokens", async () => {
    const { original, repaired } = await both("noTokenLimit", (compat) => numericsOf(compat, true).maxTokens);
    expect([original, repaired]).toEqual([32760, Number.POSITIVE_INFINITY]);
    const limited = await openTinyParts({ width: 32, height: 32 }, { maxTokens: 11, vace: false });
    try {
      // 4 tokens a frame, 3 frames.
      expect(await failure(play(COMPAT.original, [TEXT], limited))).toContain("12 tokens");
    } finally {
      await limited.close();
    }
  });

  it("conditionNeedsBranch: without branch an input video is noised instead", async () => {
    const bare = await openTinyParts({ width: 32, height: 32 }, { vace: false });
    try {
      const { original, repaired } = await both("conditionNeedsBranch", (compat) => play(compat, [VACE], bare));
      expect([counts(original), counts(repaired)]).toEqual([[9], [13]]);
    } finally {
      await bare.close();
    }
  });

  it("scaleZeroSkipsBranch: scale 0 gives the same pictures without running the branch", async () => {
    const step = changed(VACE, { vaceContextScale: 0 });
    const { original, repaired } = await both("scaleZeroSkipsBranch", (compat) => play(compat, [step]));
    expect(eventsOf(original, "hinted").length).toBeGreaterThan(0);
    expect(eventsOf(repaired, "hinted")).toHaveLength(0);
    expect(pictures(repaired.chunks[0]!).equals(pictures(original.chunks[0]!))).toBe(true);
  });

  it("loadScaleActs: the scale given at load is the start value", async () => {
    const half = { ...parts, vaceContextScale: 0.5 };
    const steps = [VACE, changed(VACE, { vaceContextScale: 1.5 })];
    const { original, repaired } = await both("loadScaleActs", async (compat) =>
      contexts(await play(compat, steps, half)).map(({ scale }) => scale),
    );
    expect(original).toEqual([1, 1.5]);
    expect(repaired).toEqual([0.5, 1.5]);
  });

  it("badReferenceReportedOnce: a broken reference is reported once and left out", async () => {
    const references = [stripes(0), { width: 4, height: 4, data: new Uint8Array(3) }];
    const step = { ...TEXT, references };
    const { original, repaired } = await both("badReferenceReportedOnce", (compat) =>
      play(compat, [step, step]).then(
        ({ chunks }) => chunks.map(({ notices }) => notices.length),
        (error: Error) => error.message,
      ),
    );
    expect(original).toContain("bytes");
    expect(repaired).toEqual([1, 0]);
  });

  it("restartKeepsPrompts: a restart keeps what a transition has led to", async () => {
    const target = { targetPrompts: prompts("sepia").prompts, temporalInterpolationMethod: "linear" as const };
    const moving = changed(TEXT, { transition: { ...target, numSteps: 2 } });
    const steps = [TEXT, moving, moving, TEXT, changed(TEXT, { resetCache: true })];
    const { original, repaired } = await both("restartKeepsPrompts", async (compat) => {
      const run = await play(compat, steps);
      expect(resets(run)).toEqual([true, false, false, false, true]);
      return eventsOf(run, "start").map(({ embedding }) => embedding[5]);
    });
    expect(original[3]).toBe(repaired[3]);
    expect(original[4]).toBe(original[0]);
    expect(repaired[4]).toBe(repaired[3]);
    expect(repaired[4]).not.toBe(repaired[0]);
  });

  it("failureRestarts: a stream starts anew after a chunk that failed half-way", async () => {
    const { original, repaired } = await both("failureRestarts", async (compat) => {
      const abort = new AbortController();
      let chunk = 0;
      const observe = ({ type }: StreamEvent) => type === "noised" && chunk === 1 && abort.abort(new Error("stop"));
      const stream = new LongLiveStream(parts, { seed: 7, compat, observe });
      const next = (signal?: AbortSignal) =>
        stream.generate({ frames: NORMAL.frames!, parameters: { ...defaultParameters(), ...NORMAL.update } }, signal);
      await next();
      chunk = 1;
      await expect(next(abort.signal)).rejects.toThrow("stop");
      chunk = 2;
      return (await next()).reset;
    });
    expect([original, repaired]).toEqual([false, true]);
  });

  it("endlessPositions: a stream outlasts the table of positions without a cut", async () => {
    const short = { ...parts, config: { ...parts.config, maxFrames: 12 } };
    const steps = Array.from({ length: 5 }, () => TEXT);
    const { original, repaired } = await both("endlessPositions", (compat) => play(compat, steps, short));
    expect(resets(original)).toEqual([true, false, false, true, false]);
    expect(resets(repaired)).toEqual([true, false, false, false, false]);
    // Without sink only distances count, so places in the window give what absolute positions would have given.
    const absolute = await play(COMPAT.original, steps);
    const differences = repaired.chunks.map((chunk, i) => {
      const wanted = pictures(absolute.chunks[i]!);
      return pictures(chunk).reduce((most, byte, at) => Math.max(most, Math.abs(byte - wanted[at]!)), 0);
    });
    expect(Math.max(...differences)).toBeLessThanOrEqual(1);
  });

  it("referencesPersist: references act until they are cleared", async () => {
    const steps = [{ ...TEXT, references: [stripes(0)] }, TEXT, { ...TEXT, references: [] }, TEXT];
    const { original, repaired } = await both("referencesPersist", (compat) => play(compat, steps));
    expect(contexts(original)).toHaveLength(1);
    expect(contexts(repaired)).toHaveLength(2);
  });

  it("noVideoFrameLost: the end of a chunk's video acts beside references, too", async () => {
    const references = [stripes(30), stripes(80)];
    const video = stripeVideo(0);
    const { original, repaired } = await both("noVideoFrameLost", async (repairs) => {
      const compat = { ...repairs, everyReference: true };
      const second = async (frames: typeof video) => {
        const run = await play(compat, [
          { ...VACE, references },
          { ...VACE, references, frames },
        ]);
        // A decoder may glance at the whole video all the same.
        return Buffer.from(eventsOf(run, "finished")[1]!.latents.data.buffer);
      };
      const same = await second(video);
      return (await second([...video.slice(0, 8), ...stripeVideo(120, 4)])).equals(same);
    });
    expect([original, repaired]).toEqual([true, false]);
  });

  it("noVideoFrameLost: the first chunk's condition has no frame too many", async () => {
    const { original, repaired } = await both("noVideoFrameLost", (compat) => play(compat, [VACE, VACE]));
    expect(contexts(original).map(({ frames }) => frames)).toEqual([4, 3]);
    expect(contexts(repaired).map(({ frames }) => frames)).toEqual([3, 3]);
    expect(counts(repaired)).toEqual(counts(original));
  });

  it("freshNoise: noise does not repeat after a restart", async () => {
    const steps = [TEXT, changed(TEXT, { resetCache: true })];
    const { original, repaired } = await both("freshNoise", async (compat) => {
      const [first, second] = eventsOf(await play(compat, steps), "noised");
      return Buffer.from(first!.latents.data.buffer).equals(Buffer.from(second!.latents.data.buffer));
    });
    expect([original, repaired]).toEqual([true, false]);
  });

  it("noiseScaleEnds: 0 gives the input back, 1 starts from pure noise", async () => {
    const steps = [0, 1].map((noiseScale) => changed(NORMAL, { noiseScale }));
    const { original, repaired } = await both("noiseScaleEnds", (compat) => play(compat, steps));
    const stepsOf = (run: Run) => eventsOf(run, "start").map((event) => event.steps);
    expect(stepsOf(original)).toEqual([
      [-100, 400],
      [900, 400],
    ]);
    expect(stepsOf(repaired)).toEqual([[], [1000, 400]]);
    const encoded = eventsOf(repaired, "encoded")[0]!.latents;
    expect([...eventsOf(repaired, "finished")[0]!.latents.data]).toEqual([...encoded.data]);
  });

  it("promptChangeWithoutCut: a new prompt over video renews keys instead of starting anew", async () => {
    const steps = [NORMAL, changed(NORMAL, prompts("sepia")), changed(VACE, prompts("sepia")), VACE];
    const { original, repaired } = await both("promptChangeWithoutCut", (repairs) =>
      play({ ...repairs, smoothModeChange: true }, steps),
    );
    expect(resets(original)).toEqual([true, true, false, true]);
    expect(resets(repaired)).toEqual([true, false, false, false]);
    expect(counts(repaired)).toEqual([13, 12, 12, 12]);
    const recached = eventsOf(repaired, "pass").filter(({ kind }) => kind === "recache");
    expect(recached.map(({ frames }) => frames)).toEqual([4, 6]);
  });

  it("mergedScalesIgnored: scales of adapters that are not live change nothing but tell so", async () => {
    const steps = [TEXT, changed(TEXT, { loraScales: [{ path: "merged.safetensors", scale: 2 }] })];
    const { original, repaired } = await both("mergedScalesIgnored", (compat) => play(compat, steps));
    expect(resets(original)).toEqual([true, true]);
    expect(resets(repaired)).toEqual([true, false]);
    expect(repaired.chunks[1]!.notices).toEqual([expect.stringContaining("merged.safetensors")]);
  });

  it("are all tried here or in the package that they belong to, and documented", () => {
    const names = Object.keys(COMPAT.everframe) as Repair[];
    expect([...tried, ...ELSEWHERE].sort()).toEqual([...names].sort());
    const page = readFileSync(fileURLToPath(new URL("../../../docs/compat.md", import.meta.url)), "utf8");
    const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(rows.sort()).toEqual([...names].sort());
  });
});

describe("compatOf", () => {
  it("knows the presets by name and takes records as they are", () => {
    expect(new Set(Object.values(compatOf("original")))).toEqual(new Set([false]));
    expect(new Set(Object.values(compatOf("everframe")))).toEqual(new Set([true]));
    const mixed = { ...COMPAT.original, freshNoise: true };
    expect(compatOf(mixed)).toBe(mixed);
  });
});
