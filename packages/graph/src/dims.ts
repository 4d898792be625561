/**
 * Sizes of tensor axes. A size is a number, or a linear form over symbols that
 * are fixed only at run time: "tokens", "past+tokens", "3*frames", "tokens-2".
 * Forms are kept in one canonical spelling, so equal sizes are equal strings
 * and a shape check is a string comparison.
 */

/** One axis size: a number, or a symbol (or linear form of symbols) fixed at run time. */
export type Dim = number | string;

/** Axis sizes, outermost first. */
export type Shape = readonly Dim[];

/** A shape mistake found while a graph is built. The message names the op, the operand and the shapes involved. */
export class ShapeError extends TypeError {
  override readonly name = "ShapeError";
}

type LinearForm = { readonly constant: number; readonly terms: ReadonlyMap<string, number> };

const TERM = /([+-]?)\s*(?:(\d+)\s*\*\s*)?(?:([A-Za-z_]\w*)|(\d+))\s*/y;

function parse(dim: Dim): LinearForm {
  const terms = new Map<string, number>();
  if (typeof dim === "number") {
    if (!Number.isSafeInteger(dim)) throw new ShapeError(`A size must be a whole number, not ${dim}.`);
    return { constant: dim, terms };
  }
  let constant = 0;
  TERM.lastIndex = 0;
  while (TERM.lastIndex < dim.length) {
    const at = TERM.lastIndex;
    const match = TERM.exec(dim);
    if (!match || (at > 0 && match[1] === "")) {
      throw new ShapeError(`"${dim}" is not a size: write a symbol such as "tokens" or a sum such as "past+tokens".`);
    }
    const sign = match[1] === "-" ? -1 : 1;
    const factor = sign * Number(match[2] ?? 1);
    const symbol = match[3];
    if (symbol === undefined) constant += factor * Number(match[4]);
    else terms.set(symbol, (terms.get(symbol) ?? 0) + factor);
  }
  if (dim.length === 0) throw new ShapeError("A size must not be an empty text.");
  return { constant, terms };
}

function format(form: LinearForm): Dim {
  const entries = [...form.terms].filter(([, factor]) => factor !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return form.constant;
  // Positive terms first, so that no form starts with a minus sign unless it must.
  const parts = [...entries.filter(([, f]) => f > 0), ...entries.filter(([, f]) => f < 0)].map(([symbol, factor]) => {
    const size = Math.abs(factor);
    return `${factor < 0 ? "-" : "+"}${size === 1 ? "" : `${size}*`}${symbol}`;
  });
  if (form.constant !== 0) parts.push(`${form.constant < 0 ? "-" : "+"}${Math.abs(form.constant)}`);
  return parts.join("").replace(/^\+/, "");
}

/** The one spelling of a size: terms sorted by symbol, the constant last; a form without symbols becomes a number. */
export function canonicalDim(dim: Dim): Dim {
  return format(parse(dim));
}

/** `a + factor * b` as a canonical size. */
export function addDims(a: Dim, b: Dim, factor = 1): Dim {
  const left = parse(a);
  const right = parse(b);
  const terms = new Map(left.terms);
  for (const [symbol, f] of right.terms) terms.set(symbol, (terms.get(symbol) ?? 0) + factor * f);
  return format({ constant: left.constant + factor * right.constant, terms });
}

/** `dim * factor` as a canonical size. */
export function scaleDim(dim: Dim, factor: number): Dim {
  return addDims(0, dim, factor);
}

/** `dim / divisor` where every coefficient divides evenly, else undefined. */
export function divideDim(dim: Dim, divisor: number): Dim | undefined {
  const form = parse(dim);
  if ([form.constant, ...form.terms.values()].some((f) => f % divisor !== 0)) return undefined;
  const terms = new Map([...form.terms].map(([symbol, f]) => [symbol, f / divisor]));
  return format({ constant: form.constant / divisor, terms });
}

/** A size bound to the numbers of a run; undefined while one of its symbols is unknown. */
export function resolveDim(dim: Dim, symbols: ReadonlyMap<string, number>): number | undefined {
  const form = parse(dim);
  let sum = form.constant;
  for (const [symbol, factor] of form.terms) {
    const value = symbols.get(symbol);
    if (value === undefined) return undefined;
    sum += factor * value;
  }
  return sum;
}

/** True when the size is one symbol alone, so that a run can bind it directly. */
export function isSymbol(dim: Dim): dim is string {
  return typeof dim === "string" && /^[A-Za-z_]\w*$/.test(dim);
}

/**
 * Number of elements of a shape as a number times a sorted list of symbolic
 * factors. Two shapes hold equally many elements for every value of the
 * symbols exactly when both parts agree.
 */
export function elementCount(shape: Shape): { number: number; symbols: string[] } {
  let number = 1;
  const symbols: string[] = [];
  for (const dim of shape) {
    if (typeof dim === "number") {
      number *= dim;
      continue;
    }
    const form = parse(dim);
    const content = [form.constant, ...form.terms.values()].reduce((a, b) => gcd(a, Math.abs(b)), 0);
    number *= content;
    symbols.push(String(divideDim(dim, content)));
  }
  return { number, symbols: symbols.sort() };
}

function gcd(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : gcd(b, a % b);
}

/** `[2, tokens, 64]`, for messages. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** True when both shapes have the same sizes, symbols compared by name. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/**
 * The shape of an elementwise result (numpy rules). A symbol fits only itself
 * or 1.
 * @throws ShapeError naming `op` and both shapes.
 */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const result: Dim[] = [];
  for (let axis = 1; axis <= rank; axis++) {
    const left = a[a.length - axis] ?? 1;
    const right = b[b.length - axis] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new ShapeError(
        `${op}: operand b ${formatShape(b)} does not broadcast against a ${formatShape(a)}: ` +
          `sizes ${left} and ${right} on axis -${axis} differ and neither is 1.`,
      );
    }
    result.unshift(left === 1 ? right : left);
  }
  return result;
}

/**
 * An axis counted from the front, negative ones counted from the back.
 * @throws ShapeError when the axis does not exist.
 */
export function resolveAxis(op: string, shape: Shape, axis: number): number {
  const resolved = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(axis) || resolved < 0 || resolved >= shape.length) {
    throw new ShapeError(`${op}: operand x ${formatShape(shape)} has no axis ${axis}.`);
  }
  return resolved;
}
