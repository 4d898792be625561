/**
 * Opens the two halves of a causal autoencoder that keeps feature caches, and
 * decides how much of a video goes through them at once.
 */
import type { Model } from "@everframe/graph";
import { SPACE_FACTOR, TIME_FACTOR } from "./autoencoder.ts";
import { type EngineOptions, openSession, openTogether } from "./engine.ts";
import type { CacheLayout } from "./feature-caches.ts";
import { type NetworkHalf, planPasses } from "./network-stream.ts";
import { RGB_CHANNELS } from "./preprocess.ts";
import type { LatentGrid } from "./wan-block.ts";

export type HalvesOptions = EngineOptions & {
  /** Latents of one pass. Default: as many as memory allows. */
  readonly latentsPerPass?: number;
};

export type NetworkHalves = { encoder: NetworkHalf; decoder: NetworkHalf; latentsPerPass: number };

type HalfGraph = { readonly model: Model; readonly caches: CacheLayout };

/**
 * @param network.liveChannels Values for each pixel that are alive at once: they decide how many latents fit a pass.
 * @throws what the engine throws; then neither half stays open.
 */
export async function openHalves(
  network: { encoder: HalfGraph; decoder: HalfGraph; latentChannels: number; liveChannels: number },
  grid: LatentGrid,
  options: HalvesOptions,
): Promise<NetworkHalves> {
  const picture: [number, number] = [grid.height * SPACE_FACTOR, grid.width * SPACE_FACTOR];
  const pixels = { name: "pixels", dims: [RGB_CHANNELS, ...picture] as const };
  const latents = { name: "latents", dims: [network.latentChannels, grid.height, grid.width] as const };
  const latentBytes = 4 * TIME_FACTOR * network.liveChannels * picture[0] * picture[1];
  const plan = planPasses(latentBytes, options.device ?? "cpu");
  const { latentsPerPass = plan.latentsPerPass } = options;
  return openTogether(async (noted) => {
    const open = ({ model, caches }: HalfGraph) =>
      noted(openSession(model, options, { arena: plan.arena, keep: caches.outputs }));
    const [encoder, decoder] = [await open(network.encoder), await open(network.decoder)];
    return {
      encoder: { session: encoder, caches: network.encoder.caches, input: pixels, output: latents },
      decoder: { session: decoder, caches: network.decoder.caches, input: latents, output: pixels },
      latentsPerPass,
    };
  });
}

/** Frees the weights of both halves. */
export async function closeHalves({ encoder, decoder }: NetworkHalves): Promise<void> {
  await encoder.session.close();
  await decoder.session.close();
}
