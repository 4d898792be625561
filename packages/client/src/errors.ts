// Everything that can go wrong between a page and the server, as one error class: `code` names the kind, `reason` the
// exact case, `help` what the person in front of the page can do. Device failures follow the names that getUserMedia
// gives its exceptions (W3C Media Capture and Streams, section 10.2).
import type { Rejection } from "./wire-parameters.ts";

/** Kind of failure; `server` carries the server's own code as its reason. */
export type ClientErrorCode =
  | "unreachable"
  | "timeout"
  | "aborted"
  | "server"
  | "connection"
  | "device"
  | "unsupported"
  | "rejected"
  | "closed";

/** Why a source of video could not be opened, or ended by itself. */
export type DeviceReason =
  | "permission_denied"
  | "not_found"
  | "in_use"
  | "unplugged"
  | "sharing_ended"
  | "ended"
  | "failed";

/** Why a connection could not be made or was lost. */
export type ConnectionReason = "bad_answer" | "ice_failed" | "channel_closed" | "lost" | "failed";

type Details = {
  code: ClientErrorCode;
  reason: string;
  message: string;
  help: string;
  retryable: boolean;
  status?: number | undefined;
  cause?: unknown;
  rejections?: readonly Rejection[] | undefined;
  queue?: Queue | undefined;
};

/** A place in the line of a server that is full. */
export type Queue = {
  /** From 1; undefined when the line is full, too. */
  position: number | undefined;
  /** Sessions that the server can hold. */
  capacity: number;
  /** Keeps the place, if it is shown again within half a minute. */
  ticket: string | undefined;
  /** When to ask again. */
  retryAfterMs: number | undefined;
};

/** An error of the SDK. `message` says what happened, `help` what to do next; both are plain sentences. */
export class ClientError extends Error {
  /** The kind of failure. */
  readonly code: ClientErrorCode;
  /** The exact case: a `DeviceReason`, a `ConnectionReason`, or the server's code such as `pipeline_not_loaded`. */
  readonly reason: string;
  /** What to do next. */
  readonly help: string;
  /** True when the same call may work a moment later. */
  readonly retryable: boolean;
  /** HTTP status, where the server answered with one. */
  readonly status: number | undefined;
  /** With code `rejected`: each parameter that could not be used, and what would be right. Else empty. */
  readonly rejections: readonly Rejection[];
  /** With reason `too_many_sessions`: the place in the line. */
  readonly queue: Queue | undefined;

  constructor(details: Details) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "ClientError";
    this.code = details.code;
    this.reason = details.reason;
    this.help = details.help;
    this.retryable = details.retryable;
    this.status = details.status;
    this.rejections = details.rejections ?? [];
    this.queue = details.queue;
  }

  /** No answer at all: the server is not running, the address is wrong, or the network is down. */
  static unreachable(url: string, cause?: unknown): ClientError {
    return new ClientError({
      code: "unreachable",
      reason: "unreachable",
      message: `The server at ${url} does not answer.`,
      help: "Start it, or check its address and your network.",
      retryable: true,
      cause,
    });
  }

  /** Something took longer than allowed; `what` completes "... took longer than n s". */
  static timeout(what: string, timeoutMs: number, cause?: unknown): ClientError {
    return new ClientError({
      code: "timeout",
      reason: "timeout",
      message: `${what} took longer than ${Math.round(timeoutMs / 1000)} s.`,
      help: "Try again; if it happens again, look at the server's log.",
      retryable: true,
      cause,
    });
  }

  /** The caller's AbortSignal ended the call. */
  static aborted(cause?: unknown): ClientError {
    return new ClientError({
      code: "aborted",
      reason: "aborted",
      message: "The call was cancelled.",
      help: "Nothing needs to be done.",
      retryable: true,
      cause,
    });
  }

  /** The server answered with an error, over HTTP or on the data channel. */
  static server(details: {
    reason: string;
    message: string;
    help?: string | undefined;
    retryable?: boolean | undefined;
    status?: number | undefined;
    cause?: unknown;
    queue?: Queue | undefined;
  }): ClientError {
    const { status } = details;
    return new ClientError({
      code: "server",
      reason: details.reason,
      message: details.message,
      help: details.help ?? helpForStatus(status),
      retryable: details.retryable ?? (status !== undefined && (status >= 500 || status === 429)),
      status,
      cause: details.cause,
      queue: details.queue,
    });
  }

  /** The server could not use some parameters; the others of their message act. */
  static rejected(rejections: readonly Rejection[]): ClientError {
    const texts = rejections.map(({ name, reason }) => (name === undefined ? reason : `${name}: ${reason}`));
    const allowed = rejections.map(({ name, allowed: range }) => `${name ?? "The message"} must be ${range}.`);
    return new ClientError({
      code: "rejected",
      reason: rejections[0]?.reason ?? "rejected",
      message: `Not used: ${texts.join("; ")}.`,
      help: allowed.join(" "),
      retryable: false,
      rejections,
    });
  }

  /** The peer connection could not be made or was lost. */
  static connection(reason: ConnectionReason, cause?: unknown): ClientError {
    const texts: Record<ConnectionReason, [string, string]> = {
      bad_answer: ["The browser could not use the server's answer.", "Use a browser that can play VP8 video."],
      ice_failed: [
        "No network path to the server's video was found.",
        "Allow UDP between this browser and the server, or configure a TURN server.",
      ],
      channel_closed: ["The server ended the stream.", "Start again; the server's log says why it ended."],
      failed: ["The connection could not be made.", "Try again; the browser's console says more."],
      lost: ["The connection to the server was lost.", "Check the network, then start again."],
    };
    const [message, help] = texts[reason];
    return new ClientError({ code: "connection", reason, message, help, retryable: reason !== "bad_answer", cause });
  }

  /** A source could not be opened, or ended by itself; the reason is given, or comes from the browser's exception. */
  static device(device: "camera" | "screen" | "input", cause: unknown, given?: DeviceReason): ClientError {
    const reason = given ?? deviceReason(cause);
    const isScreen = device === "screen";
    const texts: Record<DeviceReason, [string, string]> = {
      permission_denied: isScreen
        ? ["The screen was not shared.", "Choose a window or screen when the browser asks."]
        : ["The camera is blocked for this page.", "Allow the camera in the browser's address bar, then start again."],
      not_found: [`No ${device} was found.`, "Connect one, or use another source."],
      in_use: [`The ${device} is in use by another program.`, "Close the other program, then start again."],
      unplugged: ["The camera was unplugged.", "Plug it in again, or use another source."],
      sharing_ended: ["Sharing the screen was stopped.", "Share it again, or use another source."],
      ended: ["The input video ended.", "Use another source."],
      failed: [`The ${device} could not be opened.`, "Connect it again, or use another source."],
    };
    const [message, help] = texts[reason];
    return new ClientError({ code: "device", reason, message, help, retryable: true, cause });
  }

  /** The browser or the page lacks what is needed, for example a secure context for the camera. */
  static unsupported(message: string, help: string, cause?: unknown): ClientError {
    return new ClientError({ code: "unsupported", reason: "unsupported", message, help, retryable: false, cause });
  }

  /** A method was called on a session that had ended. */
  static closed(): ClientError {
    return new ClientError({
      code: "closed",
      reason: "closed",
      message: "This session has ended.",
      help: "Connect again to get a new one.",
      retryable: false,
    });
  }

  /** Any thrown value as a ClientError: itself if it is one, an abort as `aborted`, the rest wrapped as `connection`/`failed`. */
  static from(error: unknown): ClientError {
    if (error instanceof ClientError) return error;
    if (isAbort(error)) return ClientError.aborted(error);
    return ClientError.connection("failed", error);
  }
}

/** True for the exception of an aborted fetch or signal. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** The device reason behind an exception of getUserMedia or getDisplayMedia. */
export function deviceReason(cause: unknown): DeviceReason {
  switch (cause instanceof Error ? cause.name : "") {
    case "NotAllowedError":
    case "PermissionDeniedError":
    case "SecurityError":
      return "permission_denied";
    case "NotFoundError":
    case "DevicesNotFoundError":
    case "OverconstrainedError":
      return "not_found";
    case "NotReadableError":
    case "TrackStartError":
    case "AbortError":
      return "in_use";
    default:
      return "failed";
  }
}

function helpForStatus(status: number | undefined): string {
  if (status === undefined) return "Start again; the server's log says more.";
  if (status === 503) return "The server is busy or shutting down. Try again in a moment.";
  if (status >= 500) return "Try again; the server's log says more.";
  return "Change the request as the message says.";
}
