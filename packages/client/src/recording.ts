// Recording on the server: it has every picture before video coding, and ffmpeg.
import type { RecordingAnswer, RecordingFormat, RecordingInfo } from "@everframe/protocol";
import { ClientError } from "./errors.ts";
import type { Api, CallOptions } from "./http.ts";

/** A recording of a session's output. */
export type Recording = {
  /** "recording", "finished" or "failed". */
  state: RecordingInfo["state"];
  /** "mp4" or "webm". */
  format: RecordingFormat;
  /** The file's name. */
  name: string;
  /** By the server's clock. */
  startedAt: Date;
  /** From the first picture to the last. */
  durationMs: number;
  /** Pictures in it. */
  frames: number;
  /** Pictures that the encoder could not take in time. */
  dropped: number;
  /** Size of the whole file; undefined before it is whole. */
  bytes: number | undefined;
  /** Why it failed. */
  error: string | undefined;
};

/**
 * A session's recordings: one at a time, the newest is kept. One ends with the server's session; after a reconnection to
 * a server that had to begin anew, the file of the former session is still what `download` gives, until the next `start`.
 */
export class SessionRecording {
  readonly #api: Api;
  readonly #currentId: () => string;
  #id: string | undefined;

  constructor(api: Api, currentId: () => string) {
    this.#api = api;
    this.#currentId = currentId;
  }

  /** Begins, or goes on with the one that runs. Throws `server`/`encoder_missing` where the server has no ffmpeg. */
  async start({ format = "mp4", signal }: CallOptions & { format?: RecordingFormat } = {}): Promise<Recording> {
    const id = this.#currentId();
    const { recording } = await this.#post(`/api/v1/sessions/${id}/recording/start?format=${format}`, signal);
    this.#id = id;
    return found(recording);
  }

  /** Ends it and resolves when its file is whole; one that has ended already stays as it is. */
  async stop({ signal }: CallOptions = {}): Promise<Recording> {
    return found((await this.#post(`${this.#path()}/stop`, signal)).recording);
  }

  /** How the newest recording stands. Throws `server`/`recording_not_found`. */
  async status({ signal }: CallOptions = {}): Promise<Recording> {
    return toRecording(await this.#api.request<RecordingInfo>(`${this.#path()}/info`, { signal }));
  }

  /** The file, also after the session has ended. Throws `server`/`recording_running` before `stop`. */
  download({ signal }: CallOptions = {}): Promise<Blob> {
    return this.#api.fetch(this.#path(), { signal });
  }

  #path(): string {
    return `/api/v1/sessions/${this.#id ?? this.#currentId()}/recording`;
  }

  #post(path: string, signal: AbortSignal | undefined): Promise<RecordingAnswer> {
    return this.#api.request<RecordingAnswer>(path, { method: "POST", signal });
  }
}

function found(info: RecordingInfo | null): Recording {
  if (info !== null) return toRecording(info);
  const message = "This session has no recording.";
  throw ClientError.server({ reason: "recording_not_found", message, help: "Start one first.", status: 404 });
}

function toRecording(info: RecordingInfo): Recording {
  return {
    state: info.state,
    format: info.format,
    name: info.name,
    startedAt: new Date(info.started_at * 1000),
    durationMs: info.duration_seconds * 1000,
    frames: info.frames,
    dropped: info.dropped,
    bytes: info.bytes ?? undefined,
    error: info.error ?? undefined,
  };
}
