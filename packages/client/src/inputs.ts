// Video sources: camera, screen, and a video file played through a canvas. Each owns what it opened and gives it back with
// `release()`; a session never stops the tracks of its input.
import { INPUT_SIZE } from "./defaults.ts";
import { ClientError } from "./errors.ts";

/** An open video source. */
export type Input = {
  readonly kind: "camera" | "screen" | "file";
  /** Holds one video track. */
  readonly stream: MediaStream;
  /** The device's, window's or file's name, as far as the browser tells. */
  readonly label: string;
  /** Calls back once when the source ends by itself: unplugged, or sharing stopped. Not called by `release`. */
  onEnded(handler: () => void): void;
  /** Closes the source. Calling it again does nothing. */
  release(): void;
};

export type InputSize = {
  /** Pixels. Default 576. */
  width?: number;
  /** Pixels. Default 320. */
  height?: number;
  /** Frames a second. Default 30. */
  frameRate?: number;
};

/** Opens a camera, cropped by the browser to the wanted shape where it can. Throws ClientError `device`. */
export async function camera(options: InputSize & { deviceId?: string } = {}): Promise<Input> {
  const { width, height, frameRate } = { ...INPUT_SIZE, ...options };
  const devices = mediaDevices();
  try {
    const stream = await devices.getUserMedia({
      audio: false,
      video: {
        width: { ideal: width },
        height: { ideal: height },
        aspectRatio: { ideal: width / height },
        frameRate: { ideal: frameRate },
        ...(options.deviceId === undefined ? {} : { deviceId: { exact: options.deviceId } }),
      },
    });
    return inputOf("camera", stream);
  } catch (error) {
    throw ClientError.device("camera", error);
  }
}

/** Shares a screen, window or tab, as the person chooses. Throws ClientError `device`. */
export async function screen(options: InputSize = {}): Promise<Input> {
  const { width, height, frameRate } = { ...INPUT_SIZE, ...options };
  const devices = mediaDevices();
  if (typeof devices.getDisplayMedia !== "function") {
    throw ClientError.unsupported("This browser cannot share a screen.", "Use the camera or a file instead.");
  }
  try {
    const stream = await devices.getDisplayMedia({
      audio: false,
      video: { width: { ideal: width * 2 }, height: { ideal: height * 2 }, frameRate: { ideal: frameRate } },
    });
    return inputOf("screen", stream);
  } catch (error) {
    throw ClientError.device("screen", error);
  }
}

/**
 * Plays a video file in a loop, without sound, into a canvas of the given size; what does not have its shape is cropped
 * at the edges. Throws ClientError `unsupported` for a file that the browser cannot play.
 */
export async function file(source: Blob, options: InputSize = {}): Promise<Input> {
  const { width, height, frameRate } = { ...INPUT_SIZE, ...options };
  const video = document.createElement("video");
  video.muted = true;
  video.loop = true;
  video.playsInline = true;
  const address = URL.createObjectURL(source);
  video.src = address;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");

  const discard = () => {
    video.pause();
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(address);
  };
  try {
    await video.play();
  } catch (error) {
    discard();
    const help = "Use an MP4 (H.264) or WebM file.";
    throw ClientError.unsupported("The browser cannot play this file.", help, error);
  }
  let released = false;
  const draw = () => {
    if (released) return;
    // Cover, not stretch: the part of the picture with the canvas's shape, from its middle.
    const scale = Math.max(width / video.videoWidth, height / video.videoHeight);
    const cropWidth = width / scale;
    const cropHeight = height / scale;
    const left = (video.videoWidth - cropWidth) / 2;
    const top = (video.videoHeight - cropHeight) / 2;
    context?.drawImage(video, left, top, cropWidth, cropHeight, 0, 0, width, height);
    if (typeof video.requestVideoFrameCallback === "function") video.requestVideoFrameCallback(draw);
    else requestAnimationFrame(draw);
  };
  draw();
  const stream = canvas.captureStream(frameRate);
  const name = "name" in source && typeof source.name === "string" ? source.name : "Video file";
  return inputOf("file", stream, name, () => {
    released = true;
    discard();
  });
}

function mediaDevices(): MediaDevices {
  // Browsers hide it on pages that are neither encrypted nor on this computer.
  if (typeof navigator === "undefined" || navigator.mediaDevices === undefined) {
    throw ClientError.unsupported(
      "The browser gives this page no camera or screen.",
      "Open the page by https or as http://localhost.",
    );
  }
  return navigator.mediaDevices;
}

function inputOf(kind: Input["kind"], stream: MediaStream, label?: string, discard?: () => void): Input {
  const track = stream.getVideoTracks()[0];
  let released = false;
  return {
    kind,
    stream,
    label: label ?? (track?.label || kind),
    onEnded(handler) {
      track?.addEventListener("ended", () => {
        if (!released) handler();
      });
    },
    release() {
      if (released) return;
      released = true;
      for (const each of stream.getTracks()) each.stop();
      discard?.();
    },
  };
}
