/** Opens an autoencoder of any kind, and picks the one that was asked for. */
import type { WeightFile } from "@everframe/graph";
import { ApiError } from "@everframe/protocol";
import type { Autoencoder } from "./autoencoder.ts";
import type { AutoencoderConfig, VaeType } from "./autoencoder-config.ts";
import type { ModelConfig } from "./config.ts";
import type { EngineOptions } from "./engine.ts";
import { TaeAutoencoder } from "./tae-autoencoder.ts";
import { TinyAutoencoder } from "./tiny-autoencoder.ts";
import { WanAutoencoder } from "./wan-autoencoder.ts";
import type { LatentGrid } from "./wan-block.ts";

/** @throws WeightFileError or ShapeError when the tensors do not fit the description. */
export function openAutoencoder(
  config: AutoencoderConfig,
  file: WeightFile,
  grid: LatentGrid,
  options: EngineOptions = {},
): Promise<Autoencoder> {
  switch (config.type) {
    case "tiny":
      return TinyAutoencoder.create(config, file, grid, options);
    case "wan":
    case "lightvae":
      return WanAutoencoder.create(config, file, grid, options);
    case "tae":
    case "lighttae":
      return TaeAutoencoder.create(config, file, grid, options);
  }
}

/**
 * The model's autoencoder of the asked kind, default its own. Of longlive-tiny, whose latents no other autoencoder
 * knows, it is always its own; `log` is told when another was asked for by name.
 * @throws ApiError model_missing when the model has none of that kind.
 */
export function chosenAutoencoder(
  config: ModelConfig,
  folder: string,
  options: { vaeType?: VaeType; log?: (line: string) => void } = {},
): AutoencoderConfig {
  const { vaeType, log } = options;
  const { autoencoder, otherAutoencoders } = config;
  if (vaeType === undefined) return autoencoder;
  if (autoencoder.type === "tiny") {
    // "wan" is what clients send that have not chosen.
    if (vaeType !== "wan") log?.(`vae_type ${vaeType} has no effect: ${config.name} has an autoencoder of its own`);
    return autoencoder;
  }
  const all = [autoencoder, ...otherAutoencoders];
  const found = all.find(({ type }) => type === vaeType);
  if (found) return found;
  const types = all.map(({ type }) => type).join(", ");
  throw new ApiError("model_missing", { folder, reason: `it has no autoencoder "${vaeType}", but ${types}` });
}
