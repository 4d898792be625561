// Files that are let go of anywhere on the page: without this the browser leaves the page to show them.
import type { Studio } from "./studio.ts";

/** Takes dropped files: a video goes in, images become references. Returns the function that ends it. */
export function takeDroppedFiles(studio: Studio, page: Window = window): () => void {
  const over = (event: DragEvent) => {
    if (event.dataTransfer?.types.includes("Files") === true) event.preventDefault();
  };
  const drop = (event: DragEvent) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0 || event.defaultPrevented) return;
    event.preventDefault();
    void takeFiles(studio, files);
  };
  page.addEventListener("dragover", over);
  page.addEventListener("drop", drop);
  return () => {
    page.removeEventListener("dragover", over);
    page.removeEventListener("drop", drop);
  };
}

async function takeFiles(studio: Studio, files: readonly File[]): Promise<void> {
  const video = files.find(({ type }) => type.startsWith("video/"));
  if (video !== undefined) studio.start("file", { file: video });
  const images = files.filter(({ type }) => type.startsWith("image/"));
  if (video === undefined && images.length === 0) {
    studio.stream.say("Drop a video to play it, or images as references.");
    return;
  }
  // References act in this mode alone.
  if (images.length > 0) studio.patchLook({ mode: "vace" });
  for (const image of images) await studio.addReference(image, image.name);
}
