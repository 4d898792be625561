// A pipeline's parameters as the server tells them, for tests: those of LongLive that have a control.
import type { ParameterInfo } from "../state/controls.ts";

function describe(name: string, control: string, other: Partial<ParameterInfo> = {}): ParameterInfo {
  return {
    name,
    help: "What it does.",
    control,
    default: null,
    when_absent: null,
    minimum: null,
    maximum: null,
    step: null,
    choices: null,
    modes: ["text", "video"],
    acts: "next chunk",
    needs: null,
    ...other,
  };
}

const range = (minimum: number, maximum: number, step: number) => ({ minimum, maximum, step });
const video = { modes: ["video"] };
const vace = { needs: "vace" };

export const LIVE_PARAMETERS: readonly ParameterInfo[] = [
  describe("input_mode", "choice", { choices: ["text", "video"], default: "text" }),
  describe("prompts", "prompts"),
  describe("prompt_interpolation_method", "choice", { choices: ["linear", "slerp"], default: "linear" }),
  describe("noise_scale", "slider", { ...range(0, 1, 0.01), ...video, default: 0.7 }),
  describe("noise_controller", "switch", video),
  describe("denoising_step_list", "steps", { step: 10 }),
  describe("manage_cache", "switch", { default: true }),
  describe("reset_cache", "button", { acts: "once" }),
  describe("kv_cache_attention_bias", "slider", { ...range(0.01, 1, 0.01), acts: "never", default: 1 }),
  describe("vace_enabled", "switch", vace),
  describe("vace_use_input_video", "switch", { ...video, ...vace, default: true }),
  describe("vace_context_scale", "slider", { ...range(0, 2, 0.05), ...vace }),
  describe("vace_ref_images", "images", vace),
  describe("first_frame_image", "image", { ...vace, acts: "once" }),
  describe("last_frame_image", "image", { ...vace, acts: "once" }),
  describe("lora_scales", "loras", { needs: "loras", acts: "once", step: 0.1 }),
  describe("paused", "switch", { acts: "at once", default: false }),
  describe("base_seed", "number", { minimum: 0, step: 1 }),
];

export const LOAD_PARAMETERS: readonly ParameterInfo[] = [
  describe("height", "number", { ...range(16, 2048, 16), acts: "load" }),
  describe("width", "number", { ...range(16, 2048, 16), acts: "load" }),
  describe("seed", "number", { step: 1, default: 42, acts: "load" }),
  describe("vae_type", "choice", { choices: ["wan", "lightvae", "tae", "lighttae"], default: "wan", acts: "load" }),
  describe("loras", "loras", { acts: "load" }),
  describe("lora_merge_mode", "choice", { choices: ["permanent_merge", "runtime_peft"], acts: "load" }),
  describe("quantization", "choice", { choices: ["fp8_e4m3fn"], acts: "load" }),
];
