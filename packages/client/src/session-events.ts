// What a session tells the page.
import type { ErrorCode, StopReason } from "@everframe/protocol";
import type { ClientError } from "./errors.ts";
import type { Frame } from "./frame-watcher.ts";
import type { InputEvent } from "./inputs.ts";
import type { Applied } from "./parameter-sender.ts";
import type { SessionState } from "./session-state.ts";
import type { SessionStats } from "./stats.ts";
import type { LiveParameters, Rejection } from "./wire-parameters.ts";

/** The server's own word that the stream is over. */
export type StopNotice = { reason: StopReason | undefined; code: ErrorCode | undefined; message: string };

/** A pipeline that the server has loaded while the session went on. */
export type Reloaded = {
  pipeline: string;
  model: string;
  /** Of the picture from now on, pixels; undefined where it follows the input. */
  size: { width: number; height: number } | undefined;
};

/** Events of a session. */
export type SessionEvents = {
  /** Every change of `state`, and each try to connect again. */
  state: SessionState;
  /** Live figures, once a second. */
  stats: SessionStats;
  /** Each new picture of the output, ready to be drawn; nothing is spent on it while nobody listens. */
  frame: Frame;
  /** Parameters that are in use from now on. */
  applied: Applied & { parameters: LiveParameters };
  /** Parameters that somebody else has changed. */
  updated: LiveParameters;
  /** Fields that the server could not use; the others of their message act. */
  rejected: Rejection[];
  /** Another pipeline is being loaded; the connection stays and the last picture is held. */
  reloading: { pipeline: string };
  /** The stream goes on with that pipeline. */
  reloaded: Reloaded;
  /** The input pauses, goes on, or has ended; a camera that comes back is sent again by itself. */
  input: InputEvent;
  /** The server ended the stream and said why; the state becomes `closed` next. */
  stopped: StopNotice;
  /** Something failed and the session goes on. */
  error: ClientError;
};
