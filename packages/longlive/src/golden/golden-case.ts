/**
 * A folder of recorded inputs and outputs of the original pipeline on tiny
 * random weights: `case.json`, `inputs.safetensors`, `expected.safetensors`
 * (format: README.md beside the recordings). Every size comes from the case.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { SafetensorsFile } from "@everframe/graph";
import { WAN_LATENTS, type WanAutoencoderConfig } from "../autoencoder-config.ts";
import type { NetworkConfig } from "../config.ts";

export type Tolerance = { readonly dtype: string; readonly suggested_atol: number };

export type RecordedPrompts = string | readonly (string | { readonly text: string; readonly weight?: number })[];

export type ChunkKwargs = {
  readonly prompts?: RecordedPrompts;
  readonly transition?: {
    readonly target_prompts?: RecordedPrompts;
    readonly num_steps?: number;
    readonly temporal_interpolation_method?: "linear" | "slerp";
  };
  readonly spatial_interpolation_method?: "linear" | "slerp";
  readonly video?: string;
  readonly vace_input_frames?: string;
  readonly vace_input_masks?: string;
  readonly vace_ref_images?: readonly string[];
  readonly vace_context_scale?: number;
  readonly first_frame_image?: string;
  readonly last_frame_image?: string;
  readonly noise_scale?: number;
  readonly noise_controller?: boolean;
  readonly denoising_step_list?: readonly number[];
  readonly manage_cache?: boolean;
  readonly init_cache?: boolean;
  readonly base_seed?: number;
  readonly [other: string]: unknown;
};

export type RecordedChunk = {
  readonly chunk: number;
  readonly kwargs: ChunkKwargs;
  readonly noise: readonly { readonly tensor: string }[];
  readonly generator_calls: readonly {
    readonly kind: "denoise" | "recache" | "clean_kv";
    readonly timestep: number;
    readonly frames: number;
    readonly current_start_frame: number;
  }[];
  readonly vae_encode_calls: readonly { readonly tensor?: string; readonly latent_shape: readonly number[] }[];
  readonly conditioning_embeds_updated: boolean;
  readonly transition_active: boolean;
  readonly current_start_frame: number;
  readonly hard_reset: boolean;
  readonly noise_scale_used: number | null;
  readonly output_shape: readonly number[];
};

export type CaseJson = {
  readonly case: string;
  readonly config: {
    readonly dit: {
      readonly dim: number;
      readonly num_heads: number;
      readonly num_layers: number;
      readonly ffn_dim: number;
      readonly freq_dim: number;
      readonly text_dim: number;
      readonly text_len: number;
      readonly in_dim: number;
      readonly out_dim: number;
      readonly eps: number;
      readonly patch_size: readonly [1, number, number];
    };
    readonly vace: { readonly vace_in_dim: number; readonly vace_layers: readonly number[] };
    readonly t5: {
      readonly vocab_size: number;
      readonly dim: number;
      readonly dim_attn: number;
      readonly dim_ffn: number;
      readonly num_heads: number;
      readonly encoder_layers: number;
      readonly num_buckets: number;
    };
    readonly vae: {
      readonly dim: number;
      readonly z_dim: number;
      readonly dim_mult: readonly number[];
      readonly num_res_blocks: number;
      readonly temperal_downsample: readonly boolean[];
    };
    readonly lora?: { readonly rank: number; readonly alpha: number };
    readonly base_seed: number;
  };
  readonly pipeline_config: {
    readonly base_model_kwargs: { readonly timestep_shift: number; readonly sink_size: number };
    readonly num_frame_per_block: number;
    readonly local_attn_size: number;
    readonly max_rope_freq_table_seq_len: number;
  };
  readonly max_rope_freq_table_seq_len?: number;
  readonly weights: Readonly<Record<string, string>>;
  readonly prompts?: Readonly<Record<string, { readonly token_ids: readonly number[]; readonly embeds: string }>>;
  readonly chunks?: readonly RecordedChunk[];
  readonly height?: number;
  readonly width?: number;
  readonly vace_wrapper_loaded?: boolean;
  readonly tolerances: Readonly<Record<string, Tolerance>>;
  readonly [other: string]: unknown;
};

export class GoldenCase {
  readonly name: string;
  readonly json: CaseJson;
  readonly inputs: SafetensorsFile;
  readonly expected: SafetensorsFile;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.json = JSON.parse(readFileSync(join(folder, "case.json"), "utf8")) as CaseJson;
    this.name = this.json.case;
    this.inputs = SafetensorsFile.open(join(folder, "inputs.safetensors"));
    this.expected = SafetensorsFile.open(join(folder, "expected.safetensors"));
  }

  /** Number at the front of the name: "05", "12a", "x3". */
  get number(): string {
    return this.name.split("_")[0]!;
  }

  /** @param kind dit, vace, t5, vae or lora */
  weights(kind: string): SafetensorsFile {
    const path = this.json.weights[kind];
    if (!path) throw new Error(`${this.name} names no ${kind} weights.`);
    return SafetensorsFile.open(resolve(this.#folder, path));
  }

  /** The case's sizes as a model's description. */
  config(): NetworkConfig {
    const { dit, vace, t5 } = this.json.config;
    const { pipeline_config: pipeline } = this.json;
    return {
      name: this.name,
      defaultSize: { width: this.json.width ?? 0, height: this.json.height ?? 0 },
      predictionType: "flow",
      framesPerBlock: pipeline.num_frame_per_block,
      windowFrames: pipeline.local_attn_size,
      sinkFrames: pipeline.base_model_kwargs.sink_size,
      timestepShift: pipeline.base_model_kwargs.timestep_shift,
      maxFrames: this.json.max_rope_freq_table_seq_len ?? pipeline.max_rope_freq_table_seq_len,
      context: "clean_pass",
      noise: "fresh",
      noiseGain: 1,
      result: "last_step",
      evenPictures: false,
      transformer: {
        dim: dit.dim,
        ffnDim: dit.ffn_dim,
        heads: dit.num_heads,
        layers: dit.num_layers,
        inChannels: dit.in_dim,
        outChannels: dit.out_dim,
        patch: dit.patch_size,
        freqDim: dit.freq_dim,
        textDim: dit.text_dim,
        textLength: dit.text_len,
        eps: dit.eps,
        weights: "",
      },
      vace: { layers: vace.vace_layers, inChannels: vace.vace_in_dim, hints: "each_step", weights: "" },
      textEncoder: {
        vocabSize: t5.vocab_size,
        dim: t5.dim,
        attentionDim: t5.dim_attn,
        ffnDim: t5.dim_ffn,
        heads: t5.num_heads,
        layers: t5.encoder_layers,
        buckets: t5.num_buckets,
        maxDistance: 128,
        weights: "",
      },
    };
  }

  autoencoderConfig(): WanAutoencoderConfig {
    const { vae } = this.json.config;
    return {
      type: "wan",
      latentChannels: vae.z_dim,
      dim: vae.dim,
      channelMultiples: vae.dim_mult,
      resBlocks: vae.num_res_blocks,
      temporalDownsample: vae.temperal_downsample,
      ...WAN_LATENTS,
      weights: "",
    };
  }

  /** Recorded prompts in one form. Prompts are named by their key in `case.json`. */
  prompts(recorded: RecordedPrompts): { text: string; weight: number }[] {
    const list = typeof recorded === "string" ? [recorded] : recorded;
    return list.map((item) =>
      typeof item === "string" ? { text: item, weight: 1 } : { text: item.text, weight: item.weight ?? 1 },
    );
  }

  /** Token ids of a named prompt. */
  tokenIds(prompt: string): readonly number[] {
    const found = this.json.prompts?.[prompt];
    if (!found) throw new Error(`${this.name} has no prompt ${prompt}.`);
    return found.token_ids;
  }
}
