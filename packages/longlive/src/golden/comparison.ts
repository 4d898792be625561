/**
 * Holds what was computed against what was recorded, tensor by tensor, at the
 * tolerances of the case. A recorded tensor that nobody computed is a failure,
 * so a case cannot pass by leaving something out.
 */
import type { GoldenCase } from "./golden-case.ts";

export type CaseResult = {
  readonly name: string;
  readonly pass: boolean;
  /** Tensors compared. */
  readonly compared: number;
  /** The tensor nearest to its tolerance or furthest beyond it. */
  readonly worst?: { readonly tensor: string; readonly error: number; readonly tolerance: number };
  /** Everything that is not as recorded. */
  readonly failures: readonly string[];
};

/** Half floats round values up to 1 by up to 2.5e-4. */
const F16_TOLERANCE = 1e-3;
/** The only doubles are cosines and sines, which are computed in float32 here. */
const F64_TOLERANCE = 1e-6;

export class Comparison {
  readonly #case: GoldenCase;
  readonly #groups: readonly string[] | undefined;
  readonly #open: Set<string>;
  readonly #failures: string[] = [];
  #compared = 0;
  #worst: CaseResult["worst"];

  /** @param groups only tensors of these groups; default all. */
  constructor(golden: GoldenCase, groups?: readonly string[]) {
    this.#case = golden;
    this.#groups = groups;
    this.#open = new Set(golden.expected.names().filter((name) => this.#inGroups(name)));
    if (this.#open.size === 0) this.#failures.push(`no tensor is in the groups ${groups?.join("+")}`);
  }

  /** True when the tensor was recorded and is asked for. */
  wants(name: string): boolean {
    return this.#case.expected.has(name) && this.#inGroups(name);
  }

  /**
   * Compares a computed tensor; does nothing when it is not wanted.
   * @param options.tolerance in place of the case's own
   */
  tensor(name: string, computed: ArrayLike<number>, options: { tolerance?: (expected: number) => number } = {}): void {
    if (!this.wants(name)) return;
    this.#open.delete(name);
    this.#compared++;
    const expected = this.#case.expected.read(name);
    if (computed.length !== expected.length) {
      this.#failures.push(`${name} has ${computed.length} elements instead of ${expected.length}`);
      return;
    }
    const suggested = this.#toleranceOf(name);
    let worst = { tensor: name, error: 0, tolerance: options.tolerance?.(expected[0] ?? 0) ?? suggested };
    for (let i = 0; i < computed.length; i++) {
      const error = Math.abs(computed[i]! - expected[i]!);
      const tolerance = options.tolerance?.(expected[i]!) ?? suggested;
      if (Number.isNaN(error) || share(error, tolerance) > share(worst.error, worst.tolerance)) {
        worst = { tensor: name, error: Number.isNaN(error) ? Number.POSITIVE_INFINITY : error, tolerance };
      }
    }
    if (worst.error > worst.tolerance) this.#failures.push(`${name} is off by ${worst.error.toExponential(1)}`);
    if (!this.#worst || share(worst.error, worst.tolerance) > share(this.#worst.error, this.#worst.tolerance)) {
      this.#worst = worst;
    }
  }

  /** Compares something that must be equal. */
  fact(name: string, computed: unknown, recorded: unknown): void {
    const [ours, theirs] = [JSON.stringify(computed), JSON.stringify(recorded)];
    if (ours !== theirs) this.#failures.push(`${name} is ${ours} instead of ${theirs}`);
  }

  fail(reason: string): void {
    this.#failures.push(reason);
  }

  result(): CaseResult {
    const left = [...this.#open];
    const failures = [...this.#failures];
    if (left.length > 0) failures.push(`not computed: ${summary(left)}`);
    return {
      name: this.#case.name,
      pass: failures.length === 0,
      compared: this.#compared,
      failures,
      ...(this.#worst ? { worst: this.#worst } : {}),
    };
  }

  /** A group is a name or its beginning, after any dot: "latents", "x0", "kv", "base.f0". */
  #inGroups(name: string): boolean {
    return this.#groups?.some((group) => `.${name}`.includes(`.${group}`)) ?? true;
  }

  #toleranceOf(name: string): number {
    const { dtype } = this.#case.expected.info(name);
    const group = name.replace(/\d+/g, "#");
    switch (dtype) {
      case "F32":
        return this.#case.json.tolerances[group]?.suggested_atol ?? 0;
      case "F16":
        return F16_TOLERANCE;
      case "F64":
        return F64_TOLERANCE;
      case "U8":
        return 1;
      default:
        return 0;
    }
  }
}

/** How much of its tolerance an error uses up; exact comparisons have no tolerance to use. */
function share(error: number, tolerance: number): number {
  if (tolerance > 0) return error / tolerance;
  return error === 0 ? 0 : Number.POSITIVE_INFINITY;
}

function summary(names: readonly string[]): string {
  const groups = [...new Set(names.map((name) => name.replace(/\d+/g, "#")))];
  return groups.length > 6 ? `${groups.slice(0, 6).join(", ")} and ${groups.length - 6} more` : groups.join(", ");
}
