/**
 * LongLive video diffusion (arXiv 2509.22622) as a pipeline: the model runs in
 * an engine thread of its own, one for each load.
 */
import { ApiError, type LoadParams } from "@everframe/protocol";
import { Engine } from "../engine/engine.ts";
import type { ModelPlaces } from "../models/installed-models.ts";
import { locateModel } from "./model-locator.ts";
import type { LoadContext, Pipeline, PipelineDefinition } from "./pipeline.ts";

export type LongLiveOptions = {
  /** Where models are looked for. */
  places: ModelPlaces;
  /** Another module with `LongLiveModel`, for tests. */
  modelModule?: string;
};

/** The pipeline under one of its ids: "longlive" picks the weights, "longlive-tiny" names them. */
export function longlive(id: "longlive" | "longlive-tiny", options: LongLiveOptions): PipelineDefinition {
  return { id, load: (params, context) => load(id, options, params, context) };
}

async function load(
  id: "longlive" | "longlive-tiny",
  options: LongLiveOptions,
  params: LoadParams,
  context: LoadContext,
): Promise<Pipeline> {
  if (params.loras.length > 0) {
    throw new ApiError("invalid_request", { reason: "LoRA adapters cannot be loaded yet; leave out loras" });
  }
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
    const { folder, files, notice } = locateModel(id, options.places);
    if (notice !== undefined) context.onNotice(notice);
    const { vaceEnabled: vace, vaceContextScale, vaeType, compat } = params;
    const scale = vaceContextScale === undefined ? {} : { vaceContextScale };
    const info = await engine.load(
      folder,
      { ...size, ...scale, vace, vaeType, compat, ...(files === undefined ? {} : { files }) },
      context.signal,
    );
    isLoaded = true;
    return {
      id,
      model: info.model,
      size: info.size,
      defaultSize: info.defaultSize,
      loadParams: params,
      openStream: ({ seed }) => engine.openStream(seed),
      close: () => engine.stop(),
    };
  } catch (error) {
    await engine.stop();
    throw error;
  }
}
