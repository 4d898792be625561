/** The published checkpoint's files with random numbers, small, loaded as a user would meet them. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { openWeights } from "@everframe/graph";
import { defaultParameters, type ParameterUpdate } from "@everframe/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findWan13b } from "./find-model.ts";
import { type LoadOptions, LongLiveModel } from "./model.ts";
import { SMALL_SIZES, writeRandomCheckpoint } from "./testing/random-checkpoint.ts";
import { stripeVideo } from "./testing/tiny-parts.ts";
import { writeWeights } from "./testing/weights.ts";

const SIZE = { width: 48, height: 32 };
const BASE = "LongLive-1.3B/models/longlive_base.pt";
const ADAPTER = "LongLive-1.3B/models/lora.pt";
const TEXT = "WanVideo_comfy/umt5-xxl-enc-fp8_e4m3fn.safetensors";
const VACE = "WanVideo_comfy/Wan2_1-VACE_module_1_3B_bf16.safetensors";
const VAE = "Wan2.1-T2V-1.3B/Wan2.1_VAE.pth";

const MODES: readonly ParameterUpdate[] = [
  { inputMode: "text", denoisingStepList: [1000, 500] },
  { inputMode: "video", vaceEnabled: false },
  { inputMode: "video", vaceEnabled: true },
];

let home: string;
let checkpoint: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "checkpoint-"));
  checkpoint = join(home, "models");
  writeRandomCheckpoint(checkpoint, SMALL_SIZES, { type: "BF16" });
}, 60_000);
afterAll(() => rmSync(home, { recursive: true }));

/** Pictures of one stream in every mode, one after the other. */
async function pictures(folder: string, options: LoadOptions = {}): Promise<Buffer[]> {
  const model = await LongLiveModel.load(folder, { ...SIZE, ...options });
  try {
    const stream = model.openStream({ seed: 1 });
    const made: Buffer[] = [];
    for (const mode of MODES) {
      const parameters = { ...defaultParameters(), prompts: [{ text: "a red cat", weight: 1 }], ...mode };
      const { frames } = await stream.generate({ parameters, frames: stripeVideo(5) });
      made.push(Buffer.concat(frames.map(({ data }) => data)));
    }
    return made;
  } finally {
    await model.close();
  }
}

/** Of 255. */
function largestDifference(a: Buffer, b: Buffer): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

/** The checkpoint's tensors in a model folder of ours, all in float32. */
function writePlainFolder(folder: string): void {
  mkdirSync(folder);
  const copy = (file: string, name: string, options = {}) => {
    const source = openWeights(join(checkpoint, file), options);
    const entries = source.names().map((tensor) => {
      const { shape } = source.info(tensor);
      return [tensor, { shape, data: source.read(tensor) }] as const;
    });
    writeWeights(join(folder, name), Object.fromEntries(entries));
  };
  copy(BASE, "transformer.safetensors", { entry: "generator", stripPrefix: "model." });
  copy(ADAPTER, "lora.safetensors", { entry: "generator_lora" });
  copy(VACE, "vace.safetensors");
  copy(TEXT, "text.safetensors");
  copy(VAE, "vae.safetensors");
  cpSync(join(checkpoint, "Wan2.1-T2V-1.3B/google/umt5-xxl/tokenizer.json"), join(folder, "tokenizer.json"));
  const { dim, ffnDim, heads, layers, rank, textDim, textFfnDim, textHeads, textLayers, textLength, vocabSize } =
    SMALL_SIZES;
  const config = {
    name: "plain",
    default_size: SIZE,
    prediction_type: "flow",
    num_frame_per_block: 3,
    local_attn_size: 12,
    sink_size: 3,
    timestep_shift: 5,
    transformer: {
      dim,
      ffn_dim: ffnDim,
      num_heads: heads,
      num_layers: layers,
      in_dim: 16,
      out_dim: 16,
      patch_size: [1, 2, 2],
      freq_dim: 256,
      text_dim: textDim,
      text_len: textLength,
      eps: 1e-6,
      weights: "transformer.safetensors",
    },
    lora: { rank, alpha: rank, weights: "lora.safetensors" },
    vace: { layers: [0, 2], in_dim: 96, weights: "vace.safetensors" },
    text_encoder: {
      vocab_size: vocabSize,
      dim: textDim,
      dim_attn: textDim,
      dim_ffn: textFfnDim,
      num_heads: textHeads,
      num_layers: textLayers,
      weights: "text.safetensors",
    },
    vae: { type: "wan", dim: SMALL_SIZES.autoencoderDim, weights: "vae.safetensors" },
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
}

describe("the 1.3B checkpoint", () => {
  it("makes the same pictures in all modes as its tensors do in a model folder of ours", async () => {
    expect(findWan13b(checkpoint).state).toBe("complete");
    const plain = join(home, "plain");
    writePlainFolder(plain);
    const [found, wanted] = [await pictures(checkpoint), await pictures(plain)];
    for (const [i, picture] of found.entries()) expect(largestDifference(picture, wanted[i]!)).toBeLessThanOrEqual(1);
    // The modes' last frames differ, so each did something.
    const [text, video, condition] = found.map((picture) => picture.subarray(-4 * SIZE.width * SIZE.height));
    expect(largestDifference(text!, video!)).toBeGreaterThan(16);
    expect(largestDifference(video!, condition!)).toBeGreaterThan(16);
  });

  it("is found behind links to blobs, as the hub's cache has it, with files in two places", async () => {
    const split = join(home, "split");
    const blobs = join(home, "hub", "blobs");
    mkdirSync(blobs, { recursive: true });
    cpSync(checkpoint, split, { recursive: true });
    const files: Record<string, string> = {};
    for (const file of [BASE, ADAPTER, TEXT, VAE, "Wan2.1-T2V-1.3B/google/umt5-xxl/tokenizer.json"]) {
      const blob = join(blobs, `b10b-${basename(file)}`);
      const link = join(home, "hub", "snapshots", "c0ffee", file);
      mkdirSync(dirname(link), { recursive: true });
      renameSync(join(split, file), blob);
      symlinkSync(blob, link);
      files[file] = link;
    }
    const [found, wanted] = [await pictures(split, { files }), await pictures(checkpoint)];
    for (const [i, picture] of found.entries()) expect(picture.equals(wanted[i]!)).toBe(true);
  });

  it("takes every kind of autoencoder", async () => {
    const kinds = ["wan", "lightvae", "tae", "lighttae"] as const;
    const made: Buffer[] = [];
    for (const vaeType of kinds) made.push((await pictures(checkpoint, { vaeType }))[1]!);
    for (const [i, picture] of made.entries()) {
      for (const other of made.slice(i + 1)) expect(largestDifference(picture, other)).toBeGreaterThan(16);
    }
  });

  it("has its own adapter in the pictures, at its full strength", async () => {
    const weak = join(home, "weak");
    cpSync(checkpoint, weak, { recursive: true });
    const file = openWeights(join(weak, ADAPTER), { entry: "generator_lora" });
    const bytes = readFileSync(file.path);
    for (const name of file.names()) {
      const { offset, length } = file.info(name);
      bytes.fill(0, offset, offset + length);
    }
    writeFileSync(file.path, bytes);
    const [found, without] = [await pictures(checkpoint), await pictures(weak)];
    expect(largestDifference(found[0]!, without[0]!)).toBeGreaterThan(0);
  });
});

describe("a damaged checkpoint", () => {
  /** Loads a copy with one thing changed. */
  async function loadChanged(change: (folder: string) => void, options: LoadOptions = {}): Promise<string> {
    const folder = mkdtempSync(join(home, "changed-"));
    cpSync(checkpoint, folder, { recursive: true });
    change(folder);
    const failure = await LongLiveModel.load(folder, { ...SIZE, ...options }).then(
      async (model) => {
        await model.close();
        return "loaded";
      },
      (error) => `${error.code}: ${error.message}`,
    );
    rmSync(folder, { recursive: true });
    return failure;
  }

  it("is refused with the file's name and what to do", async () => {
    for (const file of [BASE, ADAPTER, TEXT, VACE, VAE]) {
      const gone = await loadChanged((folder) => rmSync(join(folder, file)));
      expect(gone).toMatch(/^model_missing: /);
      const cut = await loadChanged((folder) => truncateSync(join(folder, file), 2000));
      expect(cut).toMatch(/^model_corrupt: /);
      for (const text of [gone, cut]) {
        expect(text).toContain(basename(file));
        expect(text).toContain("npm start -- download longlive");
        expect(text).not.toContain("..");
      }
    }
    const json = await loadChanged((folder) => writeFileSync(join(folder, "Wan2.1-T2V-1.3B/config.json"), "{"));
    expect(json).toMatch(/^model_corrupt: .*config\.json/);
  });

  it("is refused with the names of tensors that do not fit", async () => {
    const change = (fields: object) => (folder: string) => {
      const path = join(folder, "Wan2.1-T2V-1.3B/config.json");
      writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...fields }));
    };
    expect(await loadChanged(change({ ffn_dim: 95 }))).toMatch(
      /^model_corrupt: .*longlive_base\.pt: it does not hold the transformer.*blocks\.0\.ffn\.0\.weight is \[96, 64\] instead of \[95, 64\]/,
    );
    expect(await loadChanged(change({ num_layers: 5 }))).toMatch(/blocks\.4\.modulation is missing; .* more/);
    // Of another model: each file is whole, but they are not a set.
    const swapped = await loadChanged((folder) => cpSync(join(folder, ADAPTER), join(folder, BASE)));
    expect(swapped).toMatch(/^model_corrupt: .*longlive_base\.pt/);
  });

  it("needs no file that the load does not use", async () => {
    const withoutVace = await loadChanged((folder) => rmSync(join(folder, VACE)), { vace: false });
    const withoutWan = await loadChanged((folder) => rmSync(join(folder, VAE)), { vaeType: "lightvae" });
    expect([withoutVace, withoutWan]).toEqual(["loaded", "loaded"]);
  });
});
