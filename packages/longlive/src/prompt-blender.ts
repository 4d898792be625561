/**
 * From weighted prompts to one conditioning embedding, and smoothly from one
 * to the next: linear or spherical blending of the prompts' embeddings, and
 * transitions that step over several chunks. Embeddings are whole tensors of
 * `rows` tokens, padding rows zero. A stream owns one blender.
 */
import type { Prompt, Transition } from "@everframe/protocol";

export type BlendMethod = "linear" | "slerp";

/** Below this distance a transition would not be seen. */
const SAME_EMBEDDING = 0.01;
const TINY = 1e-8;
/** Rows closer than this angle (radians) hardly have a plane to turn in; a straight line then differs by 1e-7. */
const PARALLEL_ANGLE = 1e-3;
/** The original looks at all rows at once, padding included, and at smaller angles. */
const ORIGINAL_PARALLEL_ANGLE = 1e-4;

/**
 * Embeddings blended by weight (weights need not add up to 1; if they add up to 0, all count alike).
 *
 * Linear blends keep the weighted mean of the embeddings' norms. `slerp` acts on exactly two embeddings, row by
 * row; other numbers of them blend linearly. All of one length [rows, dim].
 * @param rowFallback false repeats the original, where rows of equal direction come out near zero.
 */
export function blendEmbeddings(
  embeddings: readonly Float32Array[],
  weights: readonly number[],
  method: BlendMethod,
  rows: number,
  rowFallback = true,
): Float32Array {
  const sum = weights.reduce((a, b) => a + b, 0);
  const shares = weights.map((weight) => (sum > 0 ? weight / sum : 1 / weights.length));
  const [first, second] = embeddings;
  if (!first) throw new Error("internal: there is no embedding to blend.");
  if (method === "slerp" && second && embeddings.length === 2) {
    return slerpRows(first, second, shares[1]!, rows, rowFallback);
  }
  const blended = new Float64Array(first.length);
  let norm = 0;
  for (const [i, embedding] of embeddings.entries()) {
    const share = shares[i]!;
    for (let j = 0; j < embedding.length; j++) blended[j]! += share * embedding[j]!;
    norm += share * frobenius(embedding);
  }
  const blendedNorm = frobenius(blended);
  const scale = blendedNorm > TINY ? norm / blendedNorm : 1;
  return Float32Array.from(blended, (value) => value * scale);
}

/** The embedding a share `t` (0 to 1) of the way from `a` to `b`. All [rows, dim]. */
export function interpolateEmbeddings(
  a: Float32Array,
  b: Float32Array,
  t: number,
  method: BlendMethod,
  rows: number,
  rowFallback = true,
): Float32Array {
  if (method === "slerp") return slerpRows(a, b, t, rows, rowFallback);
  // Two forms, so that both ends are met exactly.
  return t < 0.5
    ? a.map((value, i) => value + t * (b[i]! - value))
    : b.map((value, i) => value - (1 - t) * (value - a[i]!));
}

function slerpRows(a: Float32Array, b: Float32Array, t: number, rows: number, rowFallback: boolean): Float32Array {
  const dim = a.length / rows;
  const rowOf = (values: Float32Array, row: number) => values.subarray(row * dim, (row + 1) * dim);
  const angles = Array.from({ length: rows }, (_, row) => {
    const cosine = cosineOf(rowOf(a, row), rowOf(b, row));
    // Float32 tells near angles from none at 3e-4 radians only, which is the original's fault with equal rows.
    return Math.acos(Math.min(1, Math.max(-1, rowFallback ? cosine : Math.fround(cosine))));
  });
  const allParallel = Math.max(...angles) < ORIGINAL_PARALLEL_ANGLE;
  const result = new Float32Array(a.length);
  for (const [row, omega] of angles.entries()) {
    const parallel = rowFallback ? omega < PARALLEL_ANGLE : allParallel;
    const sine = Math.sin(omega) + TINY;
    const aShare = parallel ? 1 - t : Math.sin((1 - t) * omega) / sine;
    const bShare = parallel ? t : Math.sin(t * omega) / sine;
    for (let i = row * dim; i < (row + 1) * dim; i++) result[i] = aShare * a[i]! + bShare * b[i]!;
  }
  return result;
}

/** Cosine of the angle between two vectors; 0 when one has no length. */
function cosineOf(a: Float32Array, b: Float32Array): number {
  const lengths = (frobenius(a) + TINY) * (frobenius(b) + TINY);
  return a.reduce((dot, value, i) => dot + value * b[i]!, 0) / lengths;
}

function frobenius(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

/** Gives the embeddings of prompts, each [rows, dim]. */
export type EncodePrompts = (texts: readonly string[], signal?: AbortSignal) => Promise<Float32Array[]>;

export type BlendInput = {
  readonly prompts: readonly Prompt[];
  readonly transition?: Transition | undefined;
  readonly method: BlendMethod;
};

export type BlendResult = {
  /** [rows, dim] */
  readonly embedding: Float32Array;
  /** True when the embedding is another one than in the chunk before. */
  readonly updated: boolean;
  /** True when a transition goes on in the next chunk. */
  readonly active: boolean;
};

export type BlenderOptions = {
  /** See `blendEmbeddings`. Default true. */
  readonly rowFallback?: boolean;
  /** Another method for the same two prompts blends them anew. Default true; else it waits for other prompts. */
  readonly methodActs?: boolean;
};

/** Follows the prompts of a stream from chunk to chunk. */
export class PromptBlender {
  readonly #rows: number;
  readonly #encode: EncodePrompts;
  readonly #rowFallback: boolean;
  readonly #methodActs: boolean;
  #lastIncoming: readonly Prompt[] | undefined;
  #lastMethod: BlendMethod | undefined;
  #lastEncoded: readonly Prompt[] | undefined;
  #current: readonly Prompt[] | undefined;
  #embedding: Float32Array | undefined;
  #queue: Float32Array[] = [];

  constructor(rows: number, encode: EncodePrompts, options: BlenderOptions = {}) {
    this.#rows = rows;
    this.#encode = encode;
    this.#rowFallback = options.rowFallback ?? true;
    this.#methodActs = options.methodActs ?? true;
  }

  /** True while a transition has steps left. */
  get active(): boolean {
    return this.#queue.length > 0;
  }

  /** Prompts that are shown now; undefined before the first chunk. */
  get current(): readonly Prompt[] | undefined {
    return this.#current;
  }

  /** Forgets prompts, embedding and transition. */
  reset(): void {
    this.#lastIncoming = undefined;
    this.#lastMethod = undefined;
    this.#lastEncoded = undefined;
    this.#current = undefined;
    this.#embedding = undefined;
    this.#queue = [];
  }

  /**
   * The embedding of the next chunk. The caller passes a transition on every chunk until it is no longer active;
   * prompts that it replaced are then ignored until they change. When encoding fails, nothing has changed.
   */
  async next({ prompts, transition, method }: BlendInput, signal?: AbortSignal): Promise<BlendResult> {
    const changed = !samePrompts(this.#lastIncoming, prompts);
    const target = this.#target(prompts, transition, changed);
    // During a transition another method waits: it would cut the transition short.
    const otherMethod = this.#methodActs && !this.active && target.length === 2 && method !== this.#lastMethod;
    const known = samePrompts(this.#lastEncoded, target) && !otherMethod;
    const encoded = known ? undefined : await this.#blend(target, method, signal);
    this.#lastIncoming = prompts;
    if (encoded) this.#lastMethod = method;
    let updated = false;
    if (encoded) {
      this.#lastEncoded = target;
      this.#queue = [];
      const steps = transition?.numSteps ?? 0;
      if (transition && steps > 0 && this.#embedding) {
        this.#queue = this.#transitionTo(encoded, this.#embedding, steps, transition.temporalInterpolationMethod);
        updated = this.#step();
      } else {
        this.#embedding = encoded;
        updated = true;
      }
    } else {
      updated = this.#step();
    }
    if (!this.active) this.#current = target;
    if (!this.#embedding) throw new Error("There is no prompt yet: send `prompts` first.");
    return { embedding: this.#embedding, updated, active: this.active };
  }

  #target(prompts: readonly Prompt[], transition: Transition | undefined, changed: boolean): readonly Prompt[] {
    if (transition && transition.targetPrompts.length > 0) return transition.targetPrompts;
    if (transition || changed || !this.#current) return prompts.length > 0 ? prompts : (this.#current ?? prompts);
    return this.#current;
  }

  async #blend(
    prompts: readonly Prompt[],
    method: BlendMethod,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array | undefined> {
    if (prompts.length === 0) return undefined;
    const texts = prompts.map(({ text }) => text);
    const embeddings = await this.#encode(texts, signal);
    const weights = prompts.map(({ weight }) => weight);
    return blendEmbeddings(embeddings, weights, method, this.#rows, this.#rowFallback);
  }

  #transitionTo(target: Float32Array, source: Float32Array, steps: number, method: BlendMethod): Float32Array[] {
    if (frobenius(target.map((value, i) => value - source[i]!)) < SAME_EMBEDDING) return [];
    return Array.from({ length: steps }, (_, i) =>
      interpolateEmbeddings(source, target, steps > 1 ? i / (steps - 1) : 0, method, this.#rows, this.#rowFallback),
    );
  }

  /** Takes the next step of a transition; false when there is none. */
  #step(): boolean {
    const next = this.#queue.shift();
    if (next) this.#embedding = next;
    return next !== undefined;
  }
}

function samePrompts(a: readonly Prompt[] | undefined, b: readonly Prompt[]): boolean {
  return a?.length === b.length && a.every(({ text, weight }, i) => text === b[i]!.text && weight === b[i]!.weight);
}
