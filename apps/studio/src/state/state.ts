// Everything that the page shows, in one value. Conductors replace its parts; components read them.
import type { DownloadProgress, HardwareInfo, Input, PipelineSchema, PipelineStatus } from "@everframe/client";
import type { Sample } from "./history.ts";
import type { Reference } from "./look.ts";
import type { Bindings } from "./midi.ts";
import { toBindings } from "./midi.ts";
import type { Notice } from "./notice.ts";
import { toHistory } from "./prompt-history.ts";
import { type KeyStore, readSettings, readStored, type Settings } from "./settings.ts";
import { type Timeline, toTimeline } from "./timeline.ts";

/** What goes in; "none" makes video from text alone. */
export type SourceKind = "camera" | "screen" | "file" | "scene" | "clip" | "none";

/**
 * Where the stream stands: `idle` nothing runs; `opening` the browser asks for the source; `waiting` for the pipeline;
 * `connecting`; `warming` until the first generated picture; `live`.
 */
export type Phase = "idle" | "opening" | "waiting" | "connecting" | "warming" | "live";

/** No packets come: `attempt` 0 may heal by itself, above it is the try to connect again. */
export type Interruption = { attempt: number; sinceMs: number };

export type RecordingState = { startedMs: number; bytes: number };

/** An uploaded picture that a chunk begins with, or leads to. One chosen before the stream runs waits for it. */
export type Frame = Reference & { isWaiting: boolean };

export type MidiState = {
  access: "off" | "on" | "denied" | "unsupported";
  devices: readonly string[];
  bindings: Bindings;
  /** The slider that waits for a knob. */
  learning: string | undefined;
};

/** One pipeline's files. `progress` while a download runs, or after one that failed. */
export type ModelState = {
  downloaded: boolean;
  missing: readonly string[];
  progress: DownloadProgress | undefined;
  error: string | undefined;
  isBusy: boolean;
};

export type Panel = "play" | "model" | "signals";

export type State = {
  settings: Settings;
  page: "studio" | "models";
  /** Which of the panels beside the picture is open. */
  panel: Panel;
  dialog: "shortcuts" | "midi" | undefined;
  /** The person has begun once: the first screen is over. */
  hasStarted: boolean;
  phase: Phase;
  interruption: Interruption | undefined;
  /** The server loads another pipeline while the last picture is held. */
  isReloading: boolean;
  /** Place in the server's line; undefined while there is none. */
  queuePlace: number | undefined;
  isPaused: boolean;
  /** Parameters that were sent and are not in use yet. */
  isPending: boolean;
  /** The camera gives no pictures just now. */
  inputTrouble: string | undefined;
  /** False while the server does not answer; undefined before the first try. */
  isReachable: boolean | undefined;
  pipeline: PipelineStatus | undefined;
  schemas: Readonly<Record<string, PipelineSchema>>;
  hardware: HardwareInfo | undefined;
  models: Readonly<Record<string, ModelState>>;
  source: Input | undefined;
  /** The source that was asked for last: what "start again" means. */
  kind: SourceKind;
  output: MediaStream | undefined;
  history: readonly Sample[];
  /** Why nothing runs, in words. */
  notice: Notice | undefined;
  /** A remark about a stream that goes on. */
  remark: string | undefined;
  timeline: Timeline;
  playheadS: number;
  isPlaying: boolean;
  /** Changes made while the timeline plays are written into it. */
  isArmed: boolean;
  promptHistory: readonly string[];
  recording: RecordingState | undefined;
  midi: MidiState;
  /** Data URLs of small pictures by the preset's id. */
  thumbnails: Readonly<Record<string, string>>;
  /** The preset whose thumbnail is being made, when all are. */
  touring: string | undefined;
  /** Pictures that act once, by the parameter's name in code. */
  frames: Readonly<Record<string, Frame>>;
  /** Data URLs of small pictures by the path of the image. */
  referencePictures: Readonly<Record<string, string>>;
};

export const KEYS = {
  timeline: "everframe.timeline",
  prompts: "everframe.prompts",
  midi: "everframe.midi",
  thumbnails: "everframe.thumbnails",
} as const;

/** The state of a page that was just opened, with what the browser remembers. */
export function initialState(store?: KeyStore): State {
  const thumbnails = readStored(KEYS.thumbnails, store);
  return {
    settings: readSettings(store),
    page: "studio",
    panel: "play",
    dialog: undefined,
    hasStarted: false,
    phase: "idle",
    interruption: undefined,
    isReloading: false,
    queuePlace: undefined,
    isPaused: false,
    isPending: false,
    inputTrouble: undefined,
    isReachable: undefined,
    pipeline: undefined,
    schemas: {},
    hardware: undefined,
    models: {},
    source: undefined,
    kind: "camera",
    output: undefined,
    history: [],
    notice: undefined,
    remark: undefined,
    timeline: toTimeline(readStored(KEYS.timeline, store)),
    playheadS: 0,
    isPlaying: false,
    isArmed: false,
    promptHistory: toHistory(readStored(KEYS.prompts, store)),
    recording: undefined,
    midi: { access: "off", devices: [], bindings: toBindings(readStored(KEYS.midi, store)), learning: undefined },
    thumbnails:
      typeof thumbnails === "object" && thumbnails !== null
        ? Object.fromEntries(Object.entries(thumbnails).filter(([, url]) => String(url).startsWith("data:image/")))
        : {},
    touring: undefined,
    frames: {},
    referencePictures: {},
  };
}
