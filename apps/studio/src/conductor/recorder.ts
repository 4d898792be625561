// Keeps what comes out: a video file by the browser's own recorder, and stills. Nothing leaves this computer.
import { ClientError } from "@everframe/client";
import type { State } from "../state/state.ts";
import type { Store } from "../state/store.ts";

const TYPES = ["video/mp4;codecs=avc1.42E01E", "video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm"];
const BITRATE_BPS = 8_000_000;
const SLICE_MS = 1_000;

export class Recorder {
  readonly #store: Store<State>;
  #recorder: MediaRecorder | undefined;
  #slices: Blob[] = [];

  constructor(store: Store<State>) {
    this.#store = store;
  }

  /** Begins to record a stream. Throws ClientError `unsupported` where the browser cannot. */
  start(stream: MediaStream): void {
    if (this.#recorder !== undefined) return;
    const type =
      typeof MediaRecorder === "undefined" ? undefined : TYPES.find((one) => MediaRecorder.isTypeSupported(one));
    if (type === undefined) {
      throw ClientError.unsupported("This browser cannot record video.", "Use a current Chrome, Firefox or Safari.");
    }
    const recorder = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: BITRATE_BPS });
    this.#recorder = recorder;
    this.#slices = [];
    const startedMs = performance.now();
    recorder.addEventListener("dataavailable", ({ data }) => {
      this.#slices.push(data);
      const bytes = this.#slices.reduce((sum, slice) => sum + slice.size, 0);
      if (this.#recorder === recorder) this.#store.update({ recording: { startedMs, bytes } });
    });
    recorder.addEventListener("stop", () => {
      // The browser ends it when the connection is made again with other tracks.
      if (this.#recorder === recorder) this.stop();
      save(new Blob(this.#slices, { type: type.replace(/;.*/, "") }), fileName("recording", extensionOf(type)));
      this.#slices = [];
    });
    recorder.start(SLICE_MS);
    this.#store.update({ recording: { startedMs, bytes: 0 } });
  }

  /** Ends the recording and saves its file. */
  stop(): void {
    const recorder = this.#recorder;
    this.#recorder = undefined;
    this.#store.update({ recording: undefined });
    if (recorder !== undefined && recorder.state !== "inactive") recorder.stop();
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
