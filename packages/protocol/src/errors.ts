/**
 * The one catalogue of errors that a client can meet: a stable code, the HTTP
 * status it travels with, whether trying again can help, and a text that says
 * what to do. Every package throws `ApiError`, so that the same failure reads
 * the same over HTTP, on the data channel and in the log.
 */

type ErrorEntry = {
  readonly status: number;
  readonly retryable: boolean;
  /** How long a client should wait before it tries again, seconds. */
  readonly retryAfterS?: number;
  readonly message: (params: never) => string;
};

export const ERRORS = {
  pipeline_not_loaded: {
    status: 400,
    retryable: true,
    message: (_: Empty) => "Pipeline not loaded. Please load pipeline first.",
  },
  pipeline_unknown: {
    status: 404,
    retryable: false,
    message: (p: { pipelineId: string; known: readonly string[] }) =>
      `Pipeline "${p.pipelineId}" does not exist. Load one of: ${p.known.join(", ")}.`,
  },
  invalid_request: {
    status: 422,
    retryable: false,
    message: (p: { reason: string }) => `The request is not valid: ${p.reason}`,
  },
  invalid_resolution: {
    status: 422,
    retryable: false,
    message: (p: { width: number; height: number; nearestWidth: number; nearestHeight: number }) =>
      `The size ${p.width}x${p.height} cannot be used: width and height must be multiples of 16 from 16 to 2048. ` +
      `The nearest size that works is ${p.nearestWidth}x${p.nearestHeight}.`,
  },
  invalid_sdp: {
    status: 400,
    retryable: false,
    message: (p: { reason: string }) =>
      `The SDP offer cannot be used: ${p.reason}. Send the sdp of RTCPeerConnection.createOffer() with one video track.`,
  },
  no_common_codec: {
    status: 400,
    retryable: false,
    message: (_: Empty) => "The offer has no video codec that the server speaks. Offer VP8.",
  },
  session_not_found: {
    status: 404,
    retryable: false,
    message: (p: { sessionId: string }) => `Session ${p.sessionId} not found. It has ended: make a new offer.`,
  },
  too_many_sessions: {
    status: 503,
    retryable: true,
    retryAfterS: 5,
    message: (p: { limit: number; cause: string }) =>
      `The server already has ${p.limit} ${p.limit === 1 ? "session" : "sessions"}, ${p.cause}. ` +
      "Close one or try again later.",
  },
  body_too_large: {
    status: 413,
    retryable: false,
    message: (p: { limitKib: number }) => `The body is larger than ${p.limitKib} KiB. Send less at once.`,
  },
  asset_too_large: {
    status: 413,
    retryable: false,
    message: (p: { limitMib: number }) => `The file is larger than ${p.limitMib} MB. Upload a smaller one.`,
  },
  asset_type_unsupported: {
    status: 415,
    retryable: false,
    message: (p: { allowed: readonly string[] }) =>
      `This type of file is not accepted. Upload one of: ${p.allowed.join(", ")}.`,
  },
  asset_name_invalid: {
    status: 400,
    retryable: false,
    message: (p: { reason: string }) =>
      `The file name cannot be used: ${p.reason}. Use a plain name, with folders only below the assets folder.`,
  },
  asset_content_unknown: {
    status: 415,
    retryable: false,
    message: (p: { type: string; allowed: readonly string[] }) =>
      `The content of the file is no ${p.type} of a known format. Upload one of: ${p.allowed.join(", ")}.`,
  },
  asset_path_forbidden: {
    status: 403,
    retryable: false,
    message: (_: Empty) =>
      "Invalid path. Only files below the assets folder can be named, as GET /api/v1/assets lists them.",
  },
  asset_not_found: {
    status: 404,
    retryable: false,
    message: (p: { path: string }) => `Asset "${p.path}" not found. Upload it with POST /api/v1/assets first.`,
  },
  asset_unreadable: {
    status: 422,
    retryable: false,
    message: (p: { path: string; reason: string }) =>
      `The image ${p.path} cannot be used: ${clause(p.reason)}. Upload it again as PNG, JPEG or WebP.`,
  },
  left_out: {
    status: 422,
    retryable: false,
    message: (p: { reason: string }) => p.reason,
  },
  model_missing: {
    status: 500,
    retryable: false,
    message: (p: { folder: string; reason: string; advice?: string }) =>
      `The model in ${p.folder} is not complete: ${clause(p.reason)}. ${p.advice ?? "Install it again."}`,
  },
  model_corrupt: {
    status: 500,
    retryable: false,
    message: (p: { folder: string; reason: string; advice?: string }) =>
      `The model in ${p.folder} cannot be read: ${clause(p.reason)}. ${p.advice ?? "Install it again."}`,
  },
  lora_unusable: {
    status: 422,
    retryable: false,
    message: (p: { path: string; reason: string }) =>
      `The LoRA ${p.path} cannot be used: ${clause(p.reason)}. Load the pipeline with another one, or without it.`,
  },
  model_id_missing: {
    status: 400,
    retryable: false,
    message: (_: Empty) => "pipeline_id is required",
  },
  download_running: {
    status: 409,
    retryable: true,
    message: (p: { pipelineId: string }) => `Download already in progress for ${p.pipelineId}`,
  },
  download_offline: {
    status: 503,
    retryable: false,
    message: (p: { what: string }) =>
      `${p.what} cannot be downloaded: HF_HUB_OFFLINE is set. Unset it, or put the files into the models folder.`,
  },
  download_refused: {
    status: 502,
    retryable: false,
    message: (p: { what: string; page: string }) =>
      `The hub refuses access to ${p.what}. Look at ${p.page}: its terms may have to be accepted first; ` +
      "then set HF_TOKEN to a token that may read it (or unset one that is wrong).",
  },
  download_failed: {
    status: 502,
    retryable: true,
    message: (p: { what: string; reason: string }) =>
      `${p.what} could not be downloaded: ${p.reason}. Start the download again: it goes on where it stopped.`,
  },
  disk_full: {
    status: 507,
    retryable: false,
    message: (p: { folder: string; neededGb: string; freeGb?: string; variable: string }) =>
      `The disk of ${p.folder} is too full: ${p.neededGb} GB are needed` +
      `${p.freeGb === undefined ? "" : ` and ${p.freeGb} GB are free`}. ` +
      `Make room, or set ${p.variable} to a folder on another disk.`,
  },
  folder_unusable: {
    status: 500,
    retryable: false,
    message: (p: { folder: string; reason: string; variable: string }) =>
      `The server cannot write to ${p.folder}: ${clause(p.reason)}. ` +
      `Give it the right to, or set ${p.variable} to another folder.`,
  },
  load_failed: {
    status: 500,
    retryable: true,
    message: (p: { pipelineId: string; reason: string }) => `Failed to load pipeline ${p.pipelineId}: ${p.reason}`,
  },
  chunk_failed: {
    status: 500,
    retryable: true,
    message: (p: { reason: string }) => `A chunk of video could not be made: ${p.reason}`,
  },
  out_of_memory: {
    status: 507,
    retryable: false,
    message: (p: { reason: string }) =>
      `Out of memory: ${clause(p.reason)}. Load the pipeline with a smaller size or close other sessions.`,
  },
  no_input: {
    status: 422,
    retryable: true,
    message: (p: { reason: string }) =>
      `The stream waits for pictures: ${clause(p.reason)}. Start the camera, or set input_mode to "text".`,
  },
  too_many_messages: {
    status: 429,
    retryable: true,
    message: (_: Empty) =>
      "Messages come faster than they can be read; some were left out. Send the newest values again, less often.",
  },
  encoder_missing: {
    status: 501,
    retryable: false,
    message: (p: { reason: string }) =>
      `Recording needs ffmpeg 5.1 or newer on the server's machine: ${p.reason}. Install it (Debian: apt install ffmpeg) and try again.`,
  },
  recording_failed: {
    status: 500,
    retryable: true,
    message: (p: { reason: string }) => `The recording failed: ${clause(p.reason)}. Start it again.`,
  },
  recording_running: {
    status: 409,
    retryable: true,
    message: (_: Empty) => "The recording still runs. Stop it first.",
  },
  recording_not_found: {
    status: 404,
    retryable: false,
    message: (p: { sessionId: string }) => `Session ${p.sessionId} has no recording. Start one.`,
  },
  unauthorized: {
    status: 401,
    retryable: false,
    message: (_: Empty) =>
      'This server asks for its token. Send it in the header "Authorization: Bearer TOKEN", or open the page and type it in.',
  },
  session_token_limited: {
    status: 403,
    retryable: false,
    message: (_: Empty) => "This token is good for its own session alone. Use the server's token.",
  },
  origin_not_allowed: {
    status: 403,
    retryable: false,
    message: (p: { origin: string }) =>
      `Pages of ${p.origin} may not use this. Start the server with --allow-origin and the page's origin, or with a token.`,
  },
  host_not_allowed: {
    status: 403,
    retryable: false,
    message: (p: { host: string }) =>
      `This server is not known as "${p.host}". Start it with --allow-host and that name, or with a token.`,
  },
  too_many_requests: {
    status: 429,
    retryable: true,
    retryAfterS: 1,
    message: (_: Empty) =>
      "Too many requests came from this address. Wait as long as Retry-After says, then try again.",
  },
  shutting_down: {
    status: 503,
    retryable: true,
    retryAfterS: 5,
    message: (_: Empty) => "The server is shutting down. Connect again when it is back.",
  },
  frame_not_found: {
    status: 404,
    retryable: true,
    retryAfterS: 1,
    message: (_: Empty) =>
      "No frame available (no active session or pipeline not running). Ask again when the session sends video.",
  },
  log_not_found: {
    status: 404,
    retryable: true,
    message: (_: Empty) => "Log file not found. The application may not have logged anything yet.",
  },
  range_not_satisfiable: {
    status: 416,
    retryable: false,
    message: (p: { bytes: number }) => `The range lies outside of the file, which has ${p.bytes} bytes.`,
  },
  not_found: {
    status: 404,
    retryable: false,
    message: (p: { path: string }) => `There is nothing at ${p.path}.`,
  },
  method_not_allowed: {
    status: 405,
    retryable: false,
    message: (_: Empty) => "Method Not Allowed",
  },
  internal: {
    status: 500,
    retryable: true,
    message: (_: Empty) => "The server met an unexpected error. Its log says more.",
  },
} as const satisfies Record<string, ErrorEntry>;

/** A reason as a part of a sentence: those that other parts give may be whole sentences. */
function clause(reason: string): string {
  return reason.replace(/[.\s]+$/, "");
}

/** For the messages that need nothing: call with `{}`. */
type Empty = Record<never, never>;

export type ErrorCode = keyof typeof ERRORS;
export type ErrorParams<C extends ErrorCode> = Parameters<(typeof ERRORS)[C]["message"]>[0];

/** One finding of a 422 answer, in the shape of FastAPI's; `ctx` names the bound that was broken. */
export type ValidationIssue = {
  type: string;
  loc: (string | number)[];
  msg: string;
  input: unknown;
  ctx?: Record<string, unknown>;
};

export type ErrorOptions = {
  /** The error that led to this one. */
  cause?: unknown;
  /** For a 422: each field's own finding; becomes the answer's `detail`. */
  issues?: ValidationIssue[];
  /** Seconds after which trying again makes sense; becomes the answer's `Retry-After`. */
  retryAfterS?: number;
  /** More fields of the answer's body, by their names on the wire. */
  extra?: Readonly<Record<string, unknown>>;
  /** More headers of the answer. */
  headers?: Readonly<Record<string, string>>;
};

/** What is left of an `ApiError` after crossing a thread or the network. */
export type PlainError = { code: ErrorCode; message: string; issues?: ValidationIssue[] };

/**
 * An error of the catalogue.
 *
 * `new ApiError("chunk_failed", { reason: "step list is empty" }, { cause })`
 */
export class ApiError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C;
  readonly status: number;
  readonly retryable: boolean;
  /** The text, or for a 422 with field findings their list. */
  readonly detail: string | ValidationIssue[];
  readonly retryAfterS: number | undefined;
  readonly extra: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: C, params: ErrorParams<C>, options: ErrorOptions = {}) {
    const entry: ErrorEntry = ERRORS[code];
    super(entry.message(params as never), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ApiError";
    this.code = code;
    this.status = entry.status;
    this.retryable = entry.retryable;
    this.detail = options.issues ?? this.message;
    this.retryAfterS = options.retryAfterS ?? entry.retryAfterS;
    this.extra = options.extra ?? {};
    this.headers = options.headers ?? {};
  }

  /** A structured-clone-safe copy, for worker messages. */
  toPlain(): PlainError {
    return { code: this.code, message: this.message, ...(Array.isArray(this.detail) ? { issues: this.detail } : {}) };
  }

  /** The error that `toPlain` came from, with its text unchanged. */
  static fromPlain(plain: PlainError): ApiError {
    const error = Object.create(ApiError.prototype) as { -readonly [K in keyof ApiError]: ApiError[K] };
    const entry: ErrorEntry = ERRORS[plain.code];
    error.name = "ApiError";
    error.message = plain.message;
    error.stack = `ApiError: ${plain.message}`;
    error.code = plain.code;
    error.status = entry.status;
    error.retryable = entry.retryable;
    error.detail = plain.issues ?? plain.message;
    error.retryAfterS = entry.retryAfterS;
    error.extra = {};
    error.headers = {};
    return error as ApiError;
  }

  /** Any thrown value as an `ApiError`: itself, or an `internal` one with it as cause. */
  static from(thrown: unknown): ApiError {
    return thrown instanceof ApiError ? thrown : new ApiError("internal", {}, { cause: thrown });
  }
}

/** The text of any thrown value. */
export function errorText(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
