/**
 * LongLive video diffusion (arXiv 2509.22622) as a pipeline: the model runs in
 * an engine thread of its own, one for each load.
 */
import type { LoadParams } from "@everframe/protocol";
import { Engine } from "../engine/engine.ts";
import type { ModelPlaces } from "../models/installed-models.ts";
import { longliveNeeds } from "./longlive-needs.ts";
import { resolveLora } from "./lora-folder.ts";
import { locateModel } from "./model-locator.ts";
import type { ChunkStream, LoadContext, Needs, Pipeline, PipelineDefinition } from "./pipeline.ts";
import type { PipelineAbout } from "./pipeline-schema.ts";

export type LongLiveOptions = {
  /** Where models are looked for. */
  places: ModelPlaces;
  /** The folder, absolute, that LoRA files must be in. */
  loraDir: string;
  /** Bytes of memory that a model may take; default what this machine has. */
  memoryBytes?: number;
  /** What computes; default the CPU. */
  device?: "cpu" | "webgpu";
  /** Another module with `LongLiveModel`, for tests. */
  modelModule?: string;
};

const ABOUT: Record<"longlive" | "longlive-tiny", PipelineAbout> = {
  longlive: {
    name: "LongLive",
    description:
      "Live video diffusion on Wan2.1 1.3B with VACE, from a camera, from a control video, or from text alone. " +
      "Where its files are not installed the small model that ships runs in its place.",
    docsUrl: "https://github.com/NVlabs/LongLive",
    isModel: true,
    requiresModels: true,
    estimatedVramGb: 20,
  },
  "longlive-tiny": {
    name: "LongLive tiny",
    description: "A small model of the same architecture that ships with the server and runs on a processor.",
    isModel: true,
  },
};

/** The pipeline under one of its ids: "longlive" picks the weights, "longlive-tiny" names them. */
export function longlive(id: "longlive" | "longlive-tiny", options: LongLiveOptions): PipelineDefinition {
  return {
    id,
    about: ABOUT[id],
    needs: (params) => needs(id, options, params),
    weights: () => locateModel(id, options.places, options.memoryBytes).folder,
    load: (params, context) => load(id, options, params, context),
  };
}

/** Known of the real models on the processor. */
function needs(id: "longlive" | "longlive-tiny", options: LongLiveOptions, params: LoadParams): Needs | undefined {
  if (options.modelModule !== undefined || options.device === "webgpu") return undefined;
  const { width, height, vaceEnabled } = params;
  const size = { ...(width === undefined ? {} : { width }), ...(height === undefined ? {} : { height }) };
  return longliveNeeds(locateModel(id, options.places, options.memoryBytes), { ...size, vace: vaceEnabled });
}

async function load(
  id: "longlive" | "longlive-tiny",
  options: LongLiveOptions,
  params: LoadParams,
  context: LoadContext,
): Promise<Pipeline> {
  const loras = params.loras.map((lora) => ({ ...lora, path: resolveLora(options.loraDir, lora.path) }));
  if (params.quantization !== null) context.onNotice("quantization has no effect: the weights are used as they are");
  let isLoaded = false;
  const engine = new Engine({
    ...(options.modelModule === undefined ? {} : { modelModule: options.modelModule }),
    onStage: context.onStage,
    onNotice: context.onNotice,
    onCrash: (error) => {
      if (isLoaded) context.onCrash(error);
    },
  });
  try {
    const { width, height } = params;
    const size = { ...(width === undefined ? {} : { width }), ...(height === undefined ? {} : { height }) };
    const { folder, files, notice } = locateModel(id, options.places, options.memoryBytes);
    if (notice !== undefined) context.onNotice(notice);
    const { vaceEnabled: vace, vaceContextScale, vaeType, compat } = params;
    const device = options.device === undefined ? {} : { device: options.device };
    const scale = vaceContextScale === undefined ? {} : { vaceContextScale };
    const info = await engine.load(
      folder,
      { ...size, ...scale, ...device, vace, vaeType, compat, loras, ...(files === undefined ? {} : { files }) },
      context.signal,
    );
    isLoaded = true;
    const live = params.loras.filter(({ mergeMode }) => mergeMode === "runtime_peft");
    const realPaths = new Map(params.loras.map(({ path }, i) => [path, loras[i]!.path]));
    return {
      id,
      model: info.model,
      weights: folder,
      size: info.size,
      defaultSize: info.defaultSize,
      loadParams: params,
      needs: needs(id, options, { ...params, ...info.size }),
      ...(live.length === 0 ? {} : { liveLoras: live }),
      silentMs: () => engine.silentMs,
      openStream: async ({ seed }) => withLoraPaths(await engine.openStream(seed), realPaths),
      close: () => engine.stop(),
    };
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

/** The stream, with LoRAs named as the load named them: the model knows them by their real paths. */
function withLoraPaths(stream: ChunkStream, realPaths: ReadonlyMap<string, string>): ChunkStream {
  return {
    ...stream,
    generate: (input, signal) => {
      const { loraScales } = input.parameters;
      if (loraScales === undefined) return stream.generate(input, signal);
      const renamed = loraScales.map((lora) => ({ ...lora, path: realPaths.get(lora.path) ?? lora.path }));
      return stream.generate({ ...input, parameters: { ...input.parameters, loraScales: renamed } }, signal);
    },
  };
}
