// Figures that tell what a picture looks like, from its RGBA pixels: how colourful, which hue, where its edges are.

export type Picture = { width: number; height: number; data: readonly number[] };

/** Mean HSV saturation, 0..1. */
export function meanSaturation(picture: Picture): number {
  let sum = 0;
  eachPixel(picture, (r, g, b) => {
    const high = Math.max(r, g, b);
    if (high > 0) sum += (high - Math.min(r, g, b)) / high;
  });
  return sum / (picture.width * picture.height);
}

/** Hue of the mean chroma vector, in degrees 0..360. */
export function meanHue(picture: Picture): number {
  let x = 0;
  let y = 0;
  eachPixel(picture, (r, g, b) => {
    x += r - (g + b) / 2;
    y += (Math.sqrt(3) / 2) * (g - b);
  });
  return ((Math.atan2(y, x) * 180) / Math.PI + 360) % 360;
}

/** Mean red, green and blue, 0..255. */
export function meanColour(picture: Picture): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0];
  eachPixel(picture, (r, g, b) => {
    sum[0] += r;
    sum[1] += g;
    sum[2] += b;
  });
  const pixels = picture.width * picture.height;
  return [sum[0] / pixels, sum[1] / pixels, sum[2] / pixels];
}

/** Mean absolute RGB difference, 0..255; the pictures have the same size. */
export function meanDifference(a: Picture, b: Picture): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) if (i % 4 !== 3) sum += Math.abs((a.data[i] ?? 0) - (b.data[i] ?? 0));
  return sum / (a.width * a.height * 3);
}

/** Pearson correlation of gradient magnitudes of the luma, -1..1: whether edges lie in the same places. */
export function structureCorrelation(a: Picture, b: Picture): number {
  return correlation(gradientMagnitude(a), gradientMagnitude(b));
}

/**
 * Share of `styled` that no change of colours explains: the residual of the best per-luma lookup from `original`
 * (a palette of 32 entries), relative to the variance of `styled`. 0 = a pure recolouring, towards 1 = other content.
 */
export function beyondRecolouring(original: Picture, styled: Picture): number {
  const luma = lumaOf(original);
  const bins = Array.from({ length: 32 }, () => ({ n: 0, sum: [0, 0, 0], squares: 0 }));
  const total = { n: 0, sum: [0, 0, 0], squares: 0 };
  let index = 0;
  eachPixel(styled, (r, g, b) => {
    const bin = bins[Math.min(31, Math.floor((luma[index++] ?? 0) / 8))];
    for (const target of bin === undefined ? [total] : [bin, total]) {
      target.n += 1;
      [r, g, b].forEach((value, channel) => {
        target.sum[channel] = (target.sum[channel] ?? 0) + value;
        target.squares += value * value;
      });
    }
  });
  const scatter = (bin: typeof total): number =>
    bin.n === 0 ? 0 : bin.squares - bin.sum.reduce((sum, value) => sum + (value * value) / bin.n, 0);
  return bins.reduce((sum, bin) => sum + scatter(bin), 0) / Math.max(1, scatter(total));
}

/** Pixel-wise mean of several pictures of one size: takes noise out before a comparison. */
export function meanPicture(pictures: readonly Picture[]): Picture {
  const [first] = pictures;
  if (first === undefined) throw new Error("meanPicture needs at least one picture");
  const data = first.data.map(
    (_, i) => pictures.reduce((sum, picture) => sum + (picture.data[i] ?? 0), 0) / pictures.length,
  );
  return { width: first.width, height: first.height, data };
}

function eachPixel(picture: Picture, visit: (r: number, g: number, b: number) => void): void {
  for (let i = 0; i < picture.data.length; i += 4) {
    visit(picture.data[i] ?? 0, picture.data[i + 1] ?? 0, picture.data[i + 2] ?? 0);
  }
}

function lumaOf(picture: Picture): Float64Array {
  const luma = new Float64Array(picture.width * picture.height);
  let index = 0;
  eachPixel(picture, (r, g, b) => {
    luma[index++] = 0.299 * r + 0.587 * g + 0.114 * b;
  });
  return luma;
}

function gradientMagnitude(picture: Picture): Float64Array {
  const { width, height } = picture;
  const luma = lumaOf(picture);
  const magnitude = new Float64Array((width - 2) * (height - 2));
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const dx = (luma[at + 1] ?? 0) - (luma[at - 1] ?? 0);
      const dy = (luma[at + width] ?? 0) - (luma[at - width] ?? 0);
      magnitude[(y - 1) * (width - 2) + x - 1] = Math.hypot(dx, dy);
    }
  }
  return magnitude;
}

function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const da = (a[i] ?? 0) - meanA;
    const db = (b[i] ?? 0) - meanB;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
}
