// Small pictures of images and videos, cropped to a shape.

type Size = { width: number; height: number };
type Picture = { url(quality?: number): string; blob(): Promise<Blob> };

/** Draws the middle of a source, of the given shape, into a picture of that size. */
export function pictureOf(
  source: ImageBitmap | HTMLVideoElement,
  size: Size,
  type = "image/jpeg",
  mirrored = false,
): Picture {
  const natural =
    source instanceof HTMLVideoElement ? { width: source.videoWidth, height: source.videoHeight } : source;
  const canvas = document.createElement("canvas");
  canvas.width = size.width;
  canvas.height = size.height;
  const context = canvas.getContext("2d");
  const scale = Math.max(size.width / natural.width, size.height / natural.height);
  const [width, height] = [natural.width * scale, natural.height * scale];
  if (mirrored) {
    context?.translate(size.width, 0);
    context?.scale(-1, 1);
  }
  context?.drawImage(source, (size.width - width) / 2, (size.height - height) / 2, width, height);
  return {
    url: (quality = 0.72) => canvas.toDataURL(type, quality),
    blob: () =>
      new Promise((resolve, reject) => {
        const done = (blob: Blob | null) =>
          blob === null ? reject(new Error("internal: an empty picture")) : resolve(blob);
        canvas.toBlob(done, type, 0.92);
      }),
  };
}
