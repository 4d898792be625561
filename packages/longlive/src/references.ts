/** Reference images in the model's size: scaled until they fill it, the rest cut off evenly. */
import { type Frame, type Pixels, RGB_CHANNELS, type Size, toPixels } from "./preprocess.ts";

/**
 * @param whole false repeats the original's rounding, by which some sizes end up a row or column short.
 * @returns one frame
 * @throws RangeError for an image without pixels, or one that is left short.
 */
export function prepareReference(image: Frame, size: Size, whole: boolean): Pixels {
  if (image.width < 1 || image.height < 1) throw new RangeError("A reference image has no pixels.");
  if (image.width === size.width && image.height === size.height) return toPixels([image], size);
  const scale = Math.max(size.height / image.height, size.width / image.width);
  const least = whole ? size : { width: 1, height: 1 };
  const scaled = {
    width: Math.max(least.width, Math.trunc(image.width * scale)),
    height: Math.max(least.height, Math.trunc(image.height * scale)),
  };
  if (scaled.width < size.width || scaled.height < size.height) {
    throw new RangeError(
      `A reference image of ${image.width}x${image.height} is left short at ${scaled.width}x${scaled.height}.`,
    );
  }
  return cropped(toPixels([image], scaled), scaled, size);
}

function cropped({ data }: Pixels, from: Size, to: Size): Pixels {
  const left = Math.floor((from.width - to.width) / 2);
  const top = Math.floor((from.height - to.height) / 2);
  const result = new Float32Array(RGB_CHANNELS * to.width * to.height);
  for (let row = 0; row < RGB_CHANNELS * to.height; row++) {
    const channel = Math.floor(row / to.height);
    const start = (channel * from.height + top + (row % to.height)) * from.width + left;
    result.set(data.subarray(start, start + to.width), row * to.width);
  }
  return { frames: 1, data: result };
}
