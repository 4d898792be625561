// Video sources: camera, screen, a video file, a canvas, and a moving scene for those without any. Each owns what it opened
// and gives it back with `release()`, and tells when it ends by itself; a session never stops the tracks of its input.
import { cameraIsBack, explainCameraEnd, openCamera } from "./camera-device.ts";
import { INPUT_SIZE } from "./defaults.ts";
import { ClientError } from "./errors.ts";
import { Emitter } from "./events.ts";
import { paintScene } from "./scene.ts";

export type InputKind = "camera" | "screen" | "file" | "canvas" | "scene";

/** `muted`: the device gives no pictures just now, for example behind its shutter. `ended`: it is gone, `error` says why. */
export type InputEvent = { state: "live" | "muted" | "ended"; error?: ClientError };

/** An open video source. */
export type Input = {
  /** "camera", "screen", "file", "canvas" or "scene". */
  readonly kind: InputKind;
  /** Holds one video track. A camera that came back puts its new track into the same stream. */
  readonly stream: MediaStream;
  /** The device's, window's or file's name, as far as the browser tells. */
  readonly label: string;
  /** "live", "muted" or "ended". */
  readonly state: InputEvent["state"];
  /** Adds a handler for changes of `state`; returns the function that removes it. */
  on(name: "state", handler: (event: InputEvent) => void): () => void;
  /** Calls back when the source ends by itself: unplugged, or sharing stopped. Not called by `release`. */
  onEnded(handler: () => void): void;
  /** Closes the source. Calling it again does nothing. */
  release(): void;
};

export type InputSize = {
  /** Pixels; a camera gives the nearest that it can. Default 576. */
  width?: number;
  /** Pixels. Default 320. */
  height?: number;
  /** Frames a second. Default 30. */
  frameRate?: number;
};

export type CameraOptions = InputSize & {
  /** Which camera, by the id that `cameras()` gives. Default: the browser's choice. One that is not there is `not_found`. */
  deviceId?: string;
  /** Whether a camera that was unplugged or withdrawn is opened again when it is back. Default true. */
  recover?: boolean;
};

/** Opens a camera, cropped by the browser to the wanted shape where it can. Throws ClientError `device`. */
export async function camera({ recover = true, ...options }: CameraOptions = {}): Promise<Input> {
  const wanted = { ...INPUT_SIZE, ...options };
  const stream = await openCamera(wanted);
  const deviceId = stream.getVideoTracks()[0]?.getSettings().deviceId ?? wanted.deviceId;
  const same = deviceId === undefined ? wanted : { ...wanted, deviceId };
  return makeInput("camera", stream, {
    explainEnd: () => explainCameraEnd(deviceId),
    ...(recover
      ? {
          reopen: async (signal) => {
            await cameraIsBack(deviceId, signal);
            return openCamera(same);
          },
        }
      : {}),
  });
}

/** Shares a screen, window or tab, as the person chooses. Throws ClientError `device`. */
export async function screen(options: InputSize = {}): Promise<Input> {
  const { width, height, frameRate } = { ...INPUT_SIZE, ...options };
  const devices = typeof navigator === "undefined" ? undefined : navigator.mediaDevices;
  if (typeof devices?.getDisplayMedia !== "function") {
    throw ClientError.unsupported("This browser cannot share a screen.", "Use the camera or a file instead.");
  }
  try {
    const stream = await devices.getDisplayMedia({
      audio: false,
      video: { width: { ideal: width * 2 }, height: { ideal: height * 2 }, frameRate: { ideal: frameRate } },
    });
    return makeInput("screen", stream, {
      explainEnd: async () => ClientError.device("screen", undefined, "sharing_ended"),
    });
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
  const element = Object.assign(document.createElement("canvas"), { width, height });
  const context = element.getContext("2d");
  let isOver = false;
  const discard = () => {
    isOver = true;
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
  const draw = () => {
    if (isOver) return;
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
  const label = "name" in source && typeof source.name === "string" ? source.name : "Video file";
  return makeInput("file", element.captureStream(frameRate), { label, discard });
}

/** What is drawn on a canvas of the page, at most `frameRate` pictures a second; the canvas stays its owner's. */
export function canvas(element: HTMLCanvasElement, { frameRate = INPUT_SIZE.frameRate } = {}): Input {
  return makeInput("canvas", element.captureStream(frameRate), { label: element.title || "Canvas" });
}

/** A landscape that moves, for pages without a camera. Its pace slows down while the page is hidden. */
export function scene(options: InputSize = {}): Input {
  const { width, height, frameRate } = { ...INPUT_SIZE, ...options };
  const element = Object.assign(document.createElement("canvas"), { width, height });
  const context = element.getContext("2d");
  const startMs = performance.now();
  const paint = () => context && paintScene(context, (performance.now() - startMs) / 1000);
  paint();
  const timer = setInterval(paint, 1000 / frameRate);
  return makeInput("scene", element.captureStream(frameRate), {
    label: "Moving scene",
    discard: () => clearInterval(timer),
  });
}

/** Calls back when a track pauses, goes on and ends; returns the function that ends that. */
export function followTrack(track: MediaStreamTrack, handler: (state: InputEvent["state"]) => void): () => void {
  const stop = new AbortController();
  for (const [name, state] of [
    ["ended", "ended"],
    ["mute", "muted"],
    ["unmute", "live"],
  ] as const) {
    track.addEventListener?.(name, () => handler(state), { signal: stop.signal });
  }
  return () => stop.abort();
}

type InputParts = {
  label?: string;
  /** Frees what belongs to the source beside its tracks. */
  discard?: () => void;
  /** Why the track ended by itself. */
  explainEnd?: () => Promise<ClientError>;
  /** Waits until the device is there again and opens it. */
  reopen?: (signal: AbortSignal) => Promise<MediaStream>;
};

function makeInput(kind: InputKind, stream: MediaStream, parts: InputParts): Input {
  const events = new Emitter<{ state: InputEvent }>();
  const released = new AbortController();
  const label = parts.label ?? (stream.getVideoTracks()[0]?.label || kind);
  let state: InputEvent["state"] = "live";
  let unfollow = (): void => {};

  const tell = (event: InputEvent) => {
    if (released.signal.aborted) return;
    state = event.state;
    events.emit("state", event);
  };
  const follow = () => {
    const track = stream.getVideoTracks()[0];
    if (track === undefined) return;
    unfollow = followTrack(track, (next) => {
      if (next === "ended") void end();
      else tell({ state: next });
    });
  };
  const end = async () => {
    unfollow();
    const error = (await parts.explainEnd?.()) ?? ClientError.device("input", undefined, "ended");
    tell({ state: "ended", error });
    while (parts.reopen !== undefined && !released.signal.aborted) {
      try {
        const again = await parts.reopen(released.signal);
        if (released.signal.aborted) {
          for (const track of again.getTracks()) track.stop();
          return;
        }
        for (const track of stream.getTracks()) stream.removeTrack(track);
        for (const track of again.getTracks()) stream.addTrack(track);
        follow();
        tell({ state: "live" });
        return;
      } catch (cause) {
        // It was there and could not be opened, for example because it is in use: it may come again.
        tell({ state: "ended", error: ClientError.from(cause) });
      }
    }
  };
  follow();
  return {
    kind,
    stream,
    label,
    get state() {
      return state;
    },
    on: (name, handler) => events.on(name, handler),
    onEnded: (handler) => {
      events.on("state", (event) => event.state === "ended" && handler());
    },
    release() {
      if (released.signal.aborted) return;
      released.abort();
      unfollow();
      events.clear();
      for (const track of stream.getTracks()) track.stop();
      parts.discard?.();
    },
  };
}
