// Each new picture of a stream, for pages that draw the output themselves: a video element that is not in the page plays the
// stream and says when it shows something new.
import { ClientError } from "./errors.ts";

/** A picture that was just shown: draw `video` into a canvas. */
export type Frame = {
  video: HTMLVideoElement;
  /** Pixels. */
  width: number;
  height: number;
  /** On the clock of `performance.now()`. */
  atMs: number;
};

/** Calls back with each new picture until the function that it returns is called. Rests while the page is hidden. */
export function watchFrames(stream: MediaStream, onFrame: (frame: Frame) => void): () => void {
  if (typeof document === "undefined") {
    throw ClientError.unsupported("There is no browser to show pictures.", "Take the track of session.output instead.");
  }
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.autoplay = true;
  video.srcObject = stream;
  let isOver = false;
  let lastTime = -1;
  const next = () => {
    if (isOver) return;
    if (typeof video.requestVideoFrameCallback === "function") video.requestVideoFrameCallback(look);
    else requestAnimationFrame(look);
  };
  const look = (atMs: number) => {
    if (isOver) return;
    next();
    if (video.videoWidth === 0 || video.currentTime === lastTime) return;
    lastTime = video.currentTime;
    onFrame({ video, width: video.videoWidth, height: video.videoHeight, atMs });
  };
  next();
  // A muted video may play by itself; where it may not, there are no pictures until the person has touched the page.
  video.play().catch(() => undefined);
  return () => {
    isOver = true;
    video.srcObject = null;
  };
}
