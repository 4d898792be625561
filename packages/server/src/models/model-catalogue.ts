/**
 * What can be downloaded: the files of LongLive on Wan2.1-T2V-1.3B with VACE,
 * where they are on the Hugging Face hub, and under which terms. Below a models
 * folder they lie as Daydream Scope keeps them: one folder a repository,
 * without its owner.
 */

/** One file of a repository. */
export type CatalogueFile = {
  /** Inside the repository. */
  readonly path: string;
  /** What it is for, in words. */
  readonly use: string;
  /** Roughly; the hub knows the exact size. */
  readonly aboutBytes: number;
};

/** Files of one repository. */
export type Artifact = {
  /** The repository's name without its owner: the folder below the models folder. */
  readonly name: string;
  /** Repositories that hold these files, `owner/name`; the first that answers is used. */
  readonly repos: readonly [string, ...string[]];
  /** Shown where the hub states none. */
  readonly licence: string;
  readonly files: readonly CatalogueFile[];
};

/** What `everframe download` takes. */
export const GROUP_NAMES = ["longlive", "vae", "all"] as const;
export type GroupName = (typeof GROUP_NAMES)[number];

const WAN: Artifact = {
  name: "Wan2.1-T2V-1.3B",
  repos: ["daydreamlive/Wan2.1-T2V-1.3B", "Wan-AI/Wan2.1-T2V-1.3B"],
  licence: "apache-2.0",
  files: [
    { path: "config.json", use: "sizes of the transformer", aboutBytes: 250 },
    { path: "Wan2.1_VAE.pth", use: "autoencoder", aboutBytes: 508e6 },
    { path: "google/umt5-xxl/tokenizer.json", use: "tokenizer", aboutBytes: 17e6 },
  ],
};

const COMFY: Artifact = {
  name: "WanVideo_comfy",
  repos: ["daydreamlive/WanVideo_comfy", "Kijai/WanVideo_comfy"],
  licence: "not stated; umT5, Wan2.1 and VACE themselves are apache-2.0",
  files: [
    { path: "umt5-xxl-enc-fp8_e4m3fn.safetensors", use: "text encoder", aboutBytes: 6.73e9 },
    { path: "Wan2_1-VACE_module_1_3B_bf16.safetensors", use: "VACE branch", aboutBytes: 1.47e9 },
  ],
};

const LONGLIVE: Artifact = {
  name: "LongLive-1.3B",
  repos: ["daydreamlive/LongLive-1.3B", "Efficient-Large-Model/LongLive-1.3B"],
  licence: "see its page on the hub (the weights may be for non-commercial use only)",
  files: [
    { path: "models/longlive_base.pt", use: "transformer", aboutBytes: 5.68e9 },
    { path: "models/lora.pt", use: "LongLive's adapter", aboutBytes: 1.4e9 },
  ],
};

const AUTOENCODERS: Artifact = {
  name: "Autoencoders",
  repos: ["daydreamlive/Autoencoders", "lightx2v/Autoencoders"],
  licence: "apache-2.0",
  files: [
    { path: "lightvaew2_1.pth", use: "autoencoder, vae_type lightvae", aboutBytes: 32e6 },
    { path: "taew2_1.pth", use: "autoencoder, vae_type tae", aboutBytes: 23e6 },
    { path: "lighttaew2_1.pth", use: "autoencoder, vae_type lighttae", aboutBytes: 23e6 },
  ],
};

const LONGLIVE_ARTIFACTS = [WAN, COMFY, LONGLIVE, AUTOENCODERS];

export const GROUPS: Readonly<Record<GroupName, readonly Artifact[]>> = {
  /** Everything that the pipeline "longlive" can use. */
  longlive: LONGLIVE_ARTIFACTS,
  /** Every autoencoder for its latents. */
  vae: [{ ...WAN, files: WAN.files.filter((file) => file.path === "Wan2.1_VAE.pth") }, AUTOENCODERS],
  all: LONGLIVE_ARTIFACTS,
};

/** The artifacts of a pipeline or group; none for what is not in the catalogue. */
export function artifactsOf(id: string): readonly Artifact[] {
  return Object.hasOwn(GROUPS, id) ? GROUPS[id as GroupName] : [];
}

/** Where a file lies below a models folder, with forward slashes. */
export function modelPath(artifact: Artifact, file: CatalogueFile): string {
  return `${artifact.name}/${file.path}`;
}
