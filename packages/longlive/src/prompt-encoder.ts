/**
 * Prompts to embeddings: tokenizer and text encoder, with the newest results
 * kept, since prompts come back and a large encoder takes its time.
 */
import type { TextEncoder } from "./text-encoder.ts";
import type { PromptTokenizer } from "./tokenizer.ts";

/** Prompts whose embeddings are kept. */
const KEPT_PROMPTS = 64;
const REPORT_EVERY_MS = 10_000;

/** Size of an embedding, padding included. */
type EmbeddingSize = { readonly textLength: number; readonly textDim: number };

export class PromptEncoder {
  readonly #tokenizer: PromptTokenizer;
  readonly #encoder: TextEncoder;
  readonly #size: EmbeddingSize;
  readonly #log: (line: string) => void;
  /** Embeddings without padding, the newest last. */
  readonly #kept = new Map<string, Float32Array>();

  /** @param log told now and then how far a large encoder is */
  constructor(
    tokenizer: PromptTokenizer,
    encoder: TextEncoder,
    size: EmbeddingSize,
    log: (line: string) => void = () => {},
  ) {
    this.#tokenizer = tokenizer;
    this.#encoder = encoder;
    this.#size = size;
    this.#log = log;
  }

  /** @returns of each prompt [textLength, textDim], rows beyond its tokens zero */
  async encode(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
    const absent = [...new Set(texts)].filter((text) => !this.#kept.has(text));
    const embeddings = await this.#encode(absent, signal);
    const found = texts.map((text) => this.#kept.get(text) ?? embeddings[absent.indexOf(text)]!);
    for (const [i, text] of absent.entries()) {
      if (this.#kept.size >= KEPT_PROMPTS) this.#kept.delete(this.#kept.keys().next().value!);
      this.#kept.set(text, embeddings[i]!);
    }
    const { textLength, textDim } = this.#size;
    return found.map((embedding) => {
      const padded = new Float32Array(textLength * textDim);
      padded.set(embedding);
      return padded;
    });
  }

  async #encode(texts: readonly string[], signal: AbortSignal | undefined): Promise<Float32Array[]> {
    if (texts.length === 0) return [];
    let reportedMs = performance.now();
    const onProgress = (done: number, layers: number) => {
      if (performance.now() - reportedMs < REPORT_EVERY_MS) return;
      reportedMs = performance.now();
      this.#log(`The text encoder has done ${done} of ${layers} layers.`);
    };
    const prompts = texts.map((text) => this.#tokenizer.encode(text));
    return this.#encoder.encode(prompts, { signal, onProgress });
  }
}
