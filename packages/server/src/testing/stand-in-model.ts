/**
 * A model for the engine thread that does what its prompt says, to test what
 * no real model does on demand: fail (once, with `reset_cache`), be slow, die,
 * and lack memory for the largest pictures.
 * Images that a chunk gets it describes in a notice; "warn" gives one each chunk.
 * Otherwise it answers video with the same frames and text with frames of one
 * grey, the seed's.
 */
import { ApiError } from "@everframe/protocol";
import type { Model, ModelOptions, ModelStream } from "../engine/model.ts";
import type { RgbaFrame } from "../webrtc/media-peer.ts";

const SIZE = { width: 32, height: 16 };
/** Chunks are numbered over all streams, so that a test sees their order. */
let chunks = 0;

export const LongLiveModel = {
  async load(folder: string, options: ModelOptions): Promise<Model> {
    options.onStage?.("stand-in");
    options.log?.("a stand-in notice");
    for (const { path, scale, mergeMode } of options.loras ?? []) options.log?.(`lora ${path} ${scale} ${mergeMode}`);
    if (folder.endsWith("unreadable")) throw new Error("a stand-in surprise");
    if (folder.endsWith("broken")) throw new ApiError("model_corrupt", { folder, reason: "it is a stand-in" });
    if (folder.endsWith("endless")) await aborted(options.signal);
    const size = { width: options.width ?? SIZE.width, height: options.height ?? SIZE.height };
    if (size.width >= 2048) throw new ApiError("out_of_memory", { reason: "a stand-in shortage" });
    return {
      config: { name: "stand-in", defaultSize: SIZE },
      size,
      openStream: ({ seed }) => openStream(size, seed),
      close: async () => {},
    };
  },
};

function openStream(size: { width: number; height: number }, seed: number): ModelStream {
  let streamChunk = 0;
  return {
    inputFramesPerChunk: 12,
    async generate({ parameters, frames, references, firstImage, lastImage }, signal) {
      const words = parameters.prompts[0]?.text.split(" ") ?? [];
      if (words.includes("die")) setImmediate(() => process.exit(7));
      if (parameters.resetCache) throw new ApiError("chunk_failed", { reason: "a stand-in failure, once" });
      if (words.includes("throw")) throw new Error("a stand-in failure");
      if (words.includes("exhaust")) throw new ApiError("out_of_memory", { reason: "a stand-in shortage" });
      if (words.includes("die") || words.includes("endless")) await aborted(signal);
      await new Promise((resolve) => setTimeout(resolve, words.includes("slow") ? 400 : 100));
      const made = frames ?? Array.from({ length: 12 }, () => grey(size, parameters.baseSeed ?? seed));
      const order = chunks++;
      const seen = [
        ...(references === undefined ? [] : [`references [${references.map(describe).join(" ")}]`]),
        ...(firstImage === undefined ? [] : [`first ${describe(firstImage)}`]),
        ...(lastImage === undefined ? [] : [`last ${describe(lastImage)}`]),
      ];
      const notices = [
        ...(parameters.loraScales ?? []).map(({ path, scale }) => `The scale of ${path} is ${scale}.`),
        ...(seen.length === 0 ? [] : [`Chunk ${order} got ${seen.join(", ")}.`]),
        ...(words.includes("warn") ? ["A stand-in warning."] : []),
      ];
      return { frames: made, timingsMs: { denoise: [1, 2], order, stream_chunk: ++streamChunk, total: 3 }, notices };
    },
    close: () => {},
  };
}

/** Size and first pixel of a picture. */
function describe({ width, height, data }: RgbaFrame): string {
  return `${width}x${height}:${data.subarray(0, 4).join("/")}`;
}

function grey({ width, height }: { width: number; height: number }, level: number): RgbaFrame {
  return { width, height, data: new Uint8Array(width * height * 4).fill(level % 256) };
}

/** Rejects when the signal fires; never without one. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const fire = () => reject(signal?.reason);
    if (signal?.aborted) fire();
    signal?.addEventListener("abort", fire);
  });
}
