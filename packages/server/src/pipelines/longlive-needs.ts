/**
 * How much memory LongLive takes on the processor. For the models of a folder
 * the figures were measured on longlive-tiny and grow with the picture and the
 * width of the transformer; those of the 1.3B model are counted.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { readModelConfig } from "@everframe/longlive";
import { wanMemory } from "../models/wan-costs.ts";
import type { LocatedModel } from "./model-locator.ts";
import type { Needs, Size } from "./pipeline.ts";

/** Pixels of a token in each direction. */
const TOKEN_SIDE = 16;
/** The inference library, and the rest of a thread. */
const THREAD_BYTES = 100e6;
/** Weight files are smaller than the weights in memory, and for a while both are there. */
const WEIGHT_FACTOR = 4;
/** What a chunk needs while it is made: at 576x320 of longlive-tiny 650 MB. */
const CHUNK_BYTES_PER_PIXEL = 4e3;
const MEASURED_DIM = 256;
/** Pictures that come, wait and leave. */
const STREAM_BYTES_PER_PIXEL = 400;

/** Undefined where the model's folder cannot be read, which loading it then says. */
export function longliveNeeds(model: LocatedModel, load: Partial<Size> & { vace: boolean }): Needs | undefined {
  if (model.files !== undefined) return wanMemory(load);
  try {
    return folderNeeds(model.folder, load);
  } catch {
    return undefined;
  }
}

function folderNeeds(folder: string, load: Partial<Size>): Needs {
  const { transformer, textEncoder, autoencoder, windowFrames, defaultSize } = readModelConfig(folder);
  const { width = defaultSize.width, height = defaultSize.height } = load;
  const pixels = width * height;
  const files = new Set([transformer, textEncoder, autoencoder].map(({ weights }) => join(folder, weights)));
  const weightBytes = [...files].reduce((sum, file) => sum + statSync(file).size, 0);
  const frameTokens = pixels / TOKEN_SIDE ** 2;
  const keyBytes = 4 * 2 * transformer.layers * windowFrames * frameTokens * transformer.dim;
  const chunkBytes = pixels * CHUNK_BYTES_PER_PIXEL * Math.max(1, transformer.dim / MEASURED_DIM);
  return {
    loadBytes: THREAD_BYTES + weightBytes * WEIGHT_FACTOR + chunkBytes,
    streamBytes: keyBytes + pixels * STREAM_BYTES_PER_PIXEL,
  };
}
