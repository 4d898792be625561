/**
 * Frames out are frames in: to try cameras and connections without a model.
 * Works frame by frame, so the picture is as late as the network makes it.
 * A load that names a size gets pictures stretched to it; without one they
 * keep their own.
 */
import type { LoadParams } from "@everframe/protocol";
import type { FrameStream, Pipeline, PipelineDefinition, Size } from "./pipeline.ts";
import { resizeI420 } from "./resize.ts";

const FALLBACK_SIZE: Size = { width: 576, height: 320 };

export const passthrough: PipelineDefinition = {
  id: "passthrough",
  about: {
    name: "Passthrough",
    description: "Sends the client's video back, to try cameras and connections without a model.",
    isModel: false,
  },
  async load(loadParams: LoadParams): Promise<Pipeline> {
    const { width, height } = loadParams;
    const size =
      width === undefined && height === undefined
        ? undefined
        : { width: width ?? FALLBACK_SIZE.width, height: height ?? FALLBACK_SIZE.height };
    return {
      id: "passthrough",
      model: "passthrough",
      size,
      defaultSize: undefined,
      loadParams,
      openStream: async (): Promise<FrameStream> => ({
        kind: "frames",
        transform: (frame) => (size === undefined ? frame : resizeI420(frame, size)),
        close: () => {},
      }),
      close: async () => {},
    };
  },
};
