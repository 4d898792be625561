/** Test support: the operators in plain loops and float64, straight from their definitions. */

/** Row-major elements and sizes. */
export type Nd = { data: ArrayLike<number>; dims: readonly number[] };
export type NdResult = { data: number[]; dims: number[] };

/** Call `visit` with each index of a shape, the last axis fastest. */
function eachIndex(dims: readonly number[], visit: (index: number[]) => void): void {
  const index = dims.map(() => 0);
  const count = dims.reduce((a, b) => a * b, 1);
  for (let n = 0; n < count; n++) {
    visit(index);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = index[axis]! + 1;
      if (index[axis]! < dims[axis]!) break;
      index[axis] = 0;
    }
  }
}

/** The element at an index; axes of size 1 and missing leading axes repeat. */
function at({ data, dims }: Nd, index: readonly number[]): number {
  let position = 0;
  const skip = index.length - dims.length;
  for (const [axis, size] of dims.entries()) position = position * size + (size === 1 ? 0 : index[axis + skip]!);
  return data[position]!;
}

/** A tensor made element by element. */
export function make(dims: readonly number[], element: (index: number[]) => number): NdResult {
  const data: number[] = [];
  eachIndex(dims, (index) => data.push(element(index)));
  return { data, dims: [...dims] };
}

export const map = (x: Nd, f: (v: number) => number): NdResult => make(x.dims, (i) => f(at(x, i)));

export function zip(a: Nd, b: Nd, f: (x: number, y: number) => number): NdResult {
  const rank = Math.max(a.dims.length, b.dims.length);
  const dims = Array.from({ length: rank }, (_, i) =>
    Math.max(a.dims[i - rank + a.dims.length] ?? 1, b.dims[i - rank + b.dims.length] ?? 1),
  );
  return make(dims, (i) => f(at(a, i), at(b, i)));
}

/** Abramowitz and Stegun 7.1.5: the Taylor series, exact enough for |x| < 4. */
export function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

export function transpose(x: Nd, perm: readonly number[]): NdResult {
  return make(
    perm.map((axis) => x.dims[axis]!),
    (i) => {
      const source: number[] = [];
      for (const [to, from] of perm.entries()) source[from] = i[to]!;
      return at(x, source);
    },
  );
}

/** [..., n, k] x [..., k, m] with equal leading axes */
export function matmul(a: Nd, b: Nd): NdResult {
  const k = a.dims.at(-1)!;
  return make([...a.dims.slice(0, -1), b.dims.at(-1)!], (i) => {
    const lead = i.slice(0, -2);
    const [row, column] = i.slice(-2) as [number, number];
    let sum = 0;
    for (let j = 0; j < k; j++) sum += at(a, [...lead, row, j]) * at(b, [...lead, j, column]);
    return sum;
  });
}

/** Reduce the axes of each slice to one number; `combine` gets the elements in order. */
export function reduce(x: Nd, axes: readonly number[], combine: (values: number[]) => number): NdResult {
  const inner = x.dims.map((size, axis) => (axes.includes(axis) ? size : 1));
  return make(
    x.dims.map((size, axis) => (axes.includes(axis) ? 1 : size)),
    (outer) => {
      const values: number[] = [];
      eachIndex(inner, (i) =>
        values.push(
          at(
            x,
            i.map((v, axis) => v + outer[axis]!),
          ),
        ),
      );
      return combine(values);
    },
  );
}

export const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
export const mean = (values: number[]): number => sum(values) / values.length;

export function softmax(x: Nd, axis: number): NdResult {
  const largest = reduce(x, [axis], (values) => Math.max(...values));
  const exponentials = zip(x, largest, (v, m) => Math.exp(v - m));
  return zip(exponentials, reduce(exponentials, [axis], sum), (e, total) => e / total);
}

/** softmax(q kᵀ scale + bias) v for each head; q [Nq, heads*d], k and v [Nk, heads*d], bias [heads or 1, Nq, Nk] */
export function attention(q: Nd, k: Nd, v: Nd, heads: number, scale: number, bias?: Nd): NdResult {
  const split = (x: Nd) => transpose({ data: x.data, dims: [x.dims[0]!, heads, x.dims[1]! / heads] }, [1, 0, 2]);
  const logits = map(matmul(split(q), transpose(split(k), [0, 2, 1])), (x) => x * scale);
  const weights = softmax(bias ? zip(logits, bias, (a, b) => a + b) : logits, 2);
  return { data: transpose(matmul(weights, split(v)), [1, 0, 2]).data, dims: [...q.dims] };
}

/** Adjacent pairs rotated by the angle of their token and pair; x [tokens, heads*d], cos and sin [tokens, d/2] */
export function rotary(x: Nd, cos: Nd, sin: Nd): NdResult {
  const half = cos.dims[1]!;
  return make(x.dims, ([token, channel]) => {
    const pair = Math.floor(channel! / 2) % half;
    const c = at(cos, [token!, pair]);
    const s = at(sin, [token!, pair]);
    const even = channel! % 2 === 0;
    const partner = at(x, [token!, even ? channel! + 1 : channel! - 1]);
    return at(x, [token!, channel!]) * c + (even ? -1 : 1) * partner * s;
  });
}

export function layerNorm(x: Nd, eps: number): NdResult {
  const axis = x.dims.length - 1;
  const centered = zip(x, reduce(x, [axis], mean), (v, m) => v - m);
  const variance = reduce(centered, [axis], (values) => mean(values.map((v) => v * v)));
  return zip(centered, variance, (v, s) => v / Math.sqrt(s + eps));
}

export type ConvShape = { stride: number; timeStride: number; pads: readonly number[]; groups: number };

/** x [T, in, H, W], w [out, in/groups, kt, kh, kw], b [out]; pads [top, left, bottom, right], none in time */
export function conv3d(x: Nd, w: Nd, b: Nd, { stride, timeStride, pads, groups }: ConvShape): NdResult {
  const [frames, , height, width] = x.dims as [number, number, number, number];
  const [out, inner, kt, kh, kw] = w.dims as [number, number, number, number, number];
  const [top, left, bottom, right] = pads as [number, number, number, number];
  const dims = [
    Math.floor((frames - kt) / timeStride) + 1,
    out,
    Math.floor((height + top + bottom - kh) / stride) + 1,
    Math.floor((width + left + right - kw) / stride) + 1,
  ];
  return make(dims, ([t, o, y, z]) => {
    let total = at(b, [o!]);
    const firstChannel = Math.floor(o! / (out / groups)) * inner;
    eachIndex([inner, kt, kh, kw], ([i, dt, dy, dx]) => {
      const row = y! * stride + dy! - top;
      const column = z! * stride + dx! - left;
      if (row < 0 || row >= height || column < 0 || column >= width) return;
      total += at(x, [t! * timeStride + dt!, firstChannel + i!, row, column]) * at(w, [o!, i!, dt!, dy!, dx!]);
    });
    return total;
  });
}
