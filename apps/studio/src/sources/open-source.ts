// Opens what goes in: a camera, a screen, a file, or one of the two moving pictures that the page brings along.
import { ClientError, camera, canvas, file, type Input, scene, screen } from "@everframe/client";
import type { SourceKind } from "../state/state.ts";
import { paintClip } from "./clip-drawing.ts";

export type SourceChoice = {
  /** Of kind "file". */
  file?: Blob | undefined;
  /** Of kind "camera": which one. */
  deviceId?: string | undefined;
};

const FRAME_RATE = 30;

/** Opens a source of about the given size; undefined for "none". Throws ClientError. */
export async function openSource(
  kind: SourceKind,
  size: { width?: number; height?: number },
  choice: SourceChoice,
): Promise<Input | undefined> {
  switch (kind) {
    case "none":
      return undefined;
    case "camera":
      return camera({ ...size, ...(choice.deviceId === undefined ? {} : { deviceId: choice.deviceId }) });
    case "screen":
      return screen(size);
    case "scene":
      return scene(size);
    case "clip":
      return clip(size);
    case "file":
      if (choice.file === undefined) {
        throw ClientError.unsupported("No video file is chosen.", "Choose one, then start again.");
      }
      return file(choice.file, size);
  }
}

/** The sample clip as an input. */
function clip({ width = 576, height = 320 }: { width?: number; height?: number }): Input {
  const element = document.createElement("canvas");
  element.width = width;
  element.height = height;
  const context = element.getContext("2d");
  const startMs = performance.now();
  const draw = () => {
    if (context !== null) paintClip(context, (performance.now() - startMs) / 1000);
  };
  draw();
  const timer = setInterval(draw, 1000 / FRAME_RATE);
  const input = canvas(element, { frameRate: FRAME_RATE });
  return {
    ...input,
    get state() {
      return input.state;
    },
    label: "Sample clip",
    release() {
      clearInterval(timer);
      input.release();
    },
  };
}

/** False on phones, whose browsers have no such thing. */
export function canShareScreen(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === "function";
}

export function isLive(input: Input): boolean {
  return input.stream.getVideoTracks().some((track) => track.readyState === "live");
}
