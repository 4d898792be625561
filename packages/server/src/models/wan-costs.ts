/**
 * What LongLive on Wan2.1-T2V-1.3B costs, counted from its layer sizes (LongLive:
 * arXiv 2509.22622; Wan2.1: arXiv 2503.20314; VACE: arXiv 2503.07598). One
 * multiply-add is two operations; a steady chunk is 12 frames of 576x320 with a
 * full attention window.
 */

export const FRAMES_PER_CHUNK = 12;

/** 10^12 operations a chunk, the autoencoder Wan's own. */
export const CHUNK_TFLOP = {
  /** From text alone: 4 steps and the pass that renews the cache, decoding. */
  text: 64.0,
  /** From video: encoding, 2 steps and the cache pass, decoding. */
  video: 57.0,
  /** From video through the VACE branch: 2 encodings, 2 steps, the cache pass, decoding. */
  vace: 75.0,
} as const;

/** Of these, what the autoencoder takes, and what LightVAE takes in its place, for `video`. */
export const VIDEO_CODEC_TFLOP = { wan: 29.8, lightvae: 1.9 } as const;

/** Values of the parts; all are float32 in memory on a processor. */
const PARAMETERS = { transformer: 1.419e9, vace: 0.735e9, autoencoder: 0.127e9 } as const;
/** Keys and values of 12 latent frames of 720 tokens in 30 layers, and of the text. */
const ATTENTION_VALUES = 2 * 30 * 12 * 720 * 1536 + 2 * 45 * 512 * 1536;
/** What the autoencoder remembers of the frames before: one video encoded and one decoded. */
const CODEC_VALUES = 0.7e9;
/** The same of a second encoded video: the grey one that a condition is told of. */
const GREY_VALUES = 0.26e9;
/** For a layer of the text encoder at a time, activations, and everything else. */
const SPARE_BYTES = 2e9;

/** Bytes of memory on the processor: what all streams share, and what each takes. Default 576x320, the size of the counts. */
export function wanMemory({ vace, width = 576, height = 320 }: { vace: boolean; width?: number; height?: number }): {
  loadBytes: number;
  streamBytes: number;
} {
  const { transformer, autoencoder } = PARAMETERS;
  const sizes = (width * height) / (576 * 320);
  const weights = transformer + autoencoder + (vace ? PARAMETERS.vace : 0);
  const memories = ATTENTION_VALUES + CODEC_VALUES + (vace ? GREY_VALUES : 0);
  return { loadBytes: 4 * weights + SPARE_BYTES * Math.max(1, sizes), streamBytes: 4 * memories * sizes };
}

/** Bytes of memory that a run of 576x320 on the processor takes. */
export function wanMemoryBytes({ vace }: { vace: boolean }): number {
  const { loadBytes, streamBytes } = wanMemory({ vace });
  return loadBytes + streamBytes;
}
