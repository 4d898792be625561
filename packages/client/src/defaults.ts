// Every default of the SDK in one place, so that an option's documentation and its value cannot part.

/** Longest wait for a pipeline to load. The large model reads several gigabytes from disk. */
export const LOAD_TIMEOUT_MS = 300_000;
/** Pause between two looks at the pipeline's status. */
export const STATUS_POLL_MS = 500;
/** How long `waitUntilLoaded` believes that a load is about to begin while the server reports that nothing is loaded. */
export const NOT_LOADED_GRACE_MS = 5_000;
/** Longest wait from `connect` until media and the data channel are open. */
export const CONNECT_TIMEOUT_MS = 20_000;
/** Shortest time between two parameter messages: at most 20 a second. */
export const PARAMETER_INTERVAL_MS = 50;
/** Parameters wait, merged, while more than this is unsent on the data channel. */
export const MAX_BUFFERED_BYTES = 65_536;
/** Messages that may wait for an answer; of more, the oldest become one. */
export const MAX_UNANSWERED = 128;
/** A server from which nothing comes for so long is told as interrupted; it is tried again only later, see `RECONNECT`. */
export const QUIET_MS = 1_500;
/** Longest wait for the server's answer to a goodbye; the connection closes then all the same. */
export const GOODBYE_MS = 2_000;
/** Pause between two statistics events. */
export const STATS_INTERVAL_MS = 1_000;
/** What a session does about a lost connection, unless told otherwise; see `ReconnectPolicy`. */
export const RECONNECT = {
  limitMs: 60_000,
  firstPauseMs: 250,
  longestPauseMs: 2_000,
  tryMs: 5_000,
  graceMs: 2_000,
  silenceMs: 3_000,
} as const;
/** Pause between two tries of a client that waits in line, when the server names none. */
export const QUEUE_PAUSE_MS = 2_000;
/** Pause between two looks at a download. */
export const DOWNLOAD_POLL_MS = 500;
/** Pause between two looks whether an unplugged camera is back; some browsers do not tell. */
export const CAMERA_POLL_MS = 3_000;
/** Frames that a chunk of LongLive takes. */
export const CHUNK_FRAMES = 12;
/** Candidates found within this time travel in one request. */
export const CANDIDATE_BATCH_MS = 20;
/** Size asked of a camera or made from a file: the aspect ratio of the guide's 576x320. */
export const INPUT_SIZE = { width: 576, height: 320, frameRate: 30 } as const;
