// Keeps what comes out: a video file by the browser's own recorder, and stills. Nothing leaves this computer. A recording goes
// on while the connection is made again or the model is loaded anew; the last picture stands meanwhile.
import { ClientError } from "@everframe/client";
import type { State } from "../state/state.ts";
import type { Store } from "../state/store.ts";
import { drawFrames } from "./frame-tap.ts";

const TYPES = ["video/mp4;codecs=avc1.42E01E", "video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm"];
const BITRATE_BPS = 8_000_000;
const SLICE_MS = 1_000;

type Recording = { end: () => void };

export class Recorder {
  readonly #store: Store<State>;
  #recording: Recording | undefined;

  constructor(store: Store<State>) {
    this.#store = store;
  }

  /** Begins to record a stream. Throws ClientError `unsupported` where the browser cannot. */
  start(stream: MediaStream): void {
    if (this.#recording !== undefined) return;
    const type =
      typeof MediaRecorder === "undefined" ? undefined : TYPES.find((one) => MediaRecorder.isTypeSupported(one));
    if (type === undefined) {
      throw ClientError.unsupported("This browser cannot record video.", "Use a current Chrome, Firefox or Safari.");
    }
    const canvas = document.createElement("canvas");
    const startedMs = performance.now();
    const recording: Recording = { end: () => endFrames() };
    // A canvas that is recorded before its first picture begins with an empty one.
    const endFrames = drawFrames(stream, canvas, () => this.#record(recording, canvas, type, startedMs));
    this.#recording = recording;
    this.#store.update({ recording: { startedMs, bytes: 0 } });
  }

  /** Ends the recording and saves its file. */
  stop(): void {
    const recording = this.#recording;
    this.#recording = undefined;
    this.#store.update({ recording: undefined });
    recording?.end();
  }

  #record(recording: Recording, canvas: HTMLCanvasElement, type: string, startedMs: number): void {
    const pictures = canvas.captureStream();
    const recorder = new MediaRecorder(pictures, { mimeType: type, videoBitsPerSecond: BITRATE_BPS });
    const slices: Blob[] = [];
    recorder.addEventListener("dataavailable", ({ data }) => {
      slices.push(data);
      const bytes = slices.reduce((sum, slice) => sum + slice.size, 0);
      if (this.#recording === recording) this.#store.update({ recording: { startedMs, bytes } });
    });
    recorder.addEventListener("stop", () => {
      // It may have ended by itself.
      if (this.#recording === recording) this.stop();
      save(new Blob(slices, { type: type.replace(/;.*/, "") }), fileName("recording", extensionOf(type)));
    });
    const { end } = recording;
    recording.end = () => {
      if (recorder.state !== "inactive") recorder.stop();
      end();
      for (const track of pictures.getTracks()) track.stop();
    };
    recorder.start(SLICE_MS);
  }
}

/** "everframe-still-2026-11-22-21-40-05.png" */
export function fileName(what: string, extension: string, now = new Date()): string {
  return `everframe-${what}-${now.toISOString().slice(0, 19).replace(/[T:]/g, "-")}.${extension}`;
}

/** Hands a file to the browser's downloads. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser reads it a moment later.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function extensionOf(type: string): string {
  return type.startsWith("video/mp4") ? "mp4" : "webm";
}
