/**
 * Low-rank adapters (LoRA, arXiv:2106.09685) as files hold them: for a linear
 * layer W two thin matrices A [rank, in] and B [out, rank], so that the layer
 * becomes W + factor * B A. Knows the key layouts in which adapters for Wan
 * models are passed around, and brings them to the model's own layer names.
 */
import { openWeights, type WeightFile, WeightFileError } from "@everframe/graph";
import { ApiError, errorText } from "@everframe/protocol";

export type LoraLayer = {
  /** Tensor names. */
  readonly a: string;
  readonly b: string;
  /** What B A is multiplied by, before the user's scale. */
  readonly factor: number;
};

export type LoraFile = {
  /** As the user named it. */
  readonly path: string;
  readonly file: WeightFile;
  /** By the model's name of the layer, e.g. "blocks.0.self_attn.q". */
  readonly layers: ReadonlyMap<string, LoraLayer>;
};

/** The layers that take adapters: all linear ones of the main blocks. */
const TARGET = /^blocks\.\d+\.(?:(?:self|cross)_attn\.[qkvo]|ffn\.[02])$/;

const WAN_PREFIX = "diffusion_model.";
const KOHYA_PREFIX = "lora_unet_";
const PEFT_PREFIX = "base_model.model.";

/** The two matrices' endings in both common layouts. */
const PAIRS = [
  { a: ".lora_A.weight", b: ".lora_B.weight", converted: false },
  { a: ".lora_down.weight", b: ".lora_up.weight", converted: true },
] as const;

/**
 * A model's own adapter, in the layout that training leaves behind.
 * @param factor alpha / rank, from the model's description
 */
export function modelLora(path: string, file: WeightFile, factor: number): LoraFile {
  const layers = new Map<string, LoraLayer>();
  for (const { name, a, b } of pairsOf(file)) {
    const layer = name.startsWith(PEFT_PREFIX) ? name.slice(PEFT_PREFIX.length) : name;
    if (TARGET.test(layer)) layers.set(layer, { a, b, factor });
  }
  return { path, file, layers };
}

/**
 * A user's adapter. Tensors that fit no layer of the model are passed over.
 * @param log told of what may surprise: values that are passed over, an `alpha` that does not count
 * @throws ApiError lora_unusable when the file cannot be read or nothing of it fits
 */
export function openLora(path: string, log: (line: string) => void = () => {}): LoraFile {
  let file: WeightFile;
  try {
    file = openWeights(path);
  } catch (cause) {
    if (!(cause instanceof WeightFileError)) throw cause;
    throw new ApiError("lora_unusable", { path, reason: errorText(cause) }, { cause });
  }
  const found = pairsOf(file);
  const plain = found.every(({ name, converted }) => name.startsWith(WAN_PREFIX) && !converted);
  const layers = new Map<string, LoraLayer>();
  let alphas = 0;
  for (const { name, a, b } of found) {
    const layer = layerOf(name);
    if (!TARGET.test(layer)) continue;
    const alpha = file.has(`${name}.alpha`) ? file.read(`${name}.alpha`)[0] : undefined;
    if (alpha !== undefined) alphas++;
    const rank = file.info(a).shape[0]!;
    // The pipeline that users know takes files in the model's own layout as they are, without their alpha.
    layers.set(layer, { a, b, factor: plain || alpha === undefined ? 1 : alpha / rank });
  }
  if (layers.size === 0) {
    throw new ApiError("lora_unusable", { path, reason: "none of its tensors fits a layer of the model" });
  }
  if (plain && alphas > 0) log(`The LoRA ${path} has alpha values; files in this layout are used without them.`);
  if (found.length > layers.size) {
    log(`The LoRA ${path} has ${found.length - layers.size} layers that the model does not have; they are left out.`);
  }
  return { path, file, layers };
}

function pairsOf(file: WeightFile) {
  return PAIRS.flatMap(({ a, b, converted }) =>
    file
      .names()
      .filter((tensor) => tensor.endsWith(a))
      .map((tensor) => tensor.slice(0, -a.length))
      .filter((name) => file.has(`${name}${b}`))
      .map((name) => ({ name, a: `${name}${a}`, b: `${name}${b}`, converted })),
  );
}

function layerOf(name: string): string {
  if (name.startsWith(WAN_PREFIX)) return name.slice(WAN_PREFIX.length);
  if (!name.startsWith(KOHYA_PREFIX)) return name;
  // Dots were written as underscores, but two names have one of their own.
  return name
    .slice(KOHYA_PREFIX.length)
    .replace(/(cross|self)_attn/g, "$1-attn")
    .replaceAll("_", ".")
    .replaceAll("-attn", "_attn");
}
