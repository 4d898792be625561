// What the page says when something goes wrong: what happened, what to do, and the button that does it.
import { ClientError, type SessionState } from "@everframe/client";

export type Notice = {
  title: string;
  help: string;
  /** A command that the person can copy. */
  command?: string;
  /** What the notice's button does. */
  action: "start" | "load" | "none";
};

/** Words for an error met while starting or running a stream. */
export function noticeOf(error: unknown): Notice | undefined {
  const { code, reason, message, help } = ClientError.from(error);
  switch (code) {
    case "aborted":
    case "closed":
      return undefined;
    case "unreachable":
      return UNREACHABLE;
    case "server":
      if (reason === "load_failed") return { title: "The model could not be loaded", help: message, action: "load" };
      return { title: message, help, action: "start" };
    default:
      return { title: message, help, action: code === "unsupported" ? "none" : "start" };
  }
}

/** Words for a session that ended; undefined when the person ended it. */
export function noticeOfEnd(state: SessionState): Notice | undefined {
  if (state.name !== "closed" || state.reason === "closed_by_client" || state.reason === "aborted") return undefined;
  if (state.reason === "page_hidden") {
    return { title: "The stream was paused", help: "It ends when the page is left.", action: "start" };
  }
  if (state.error === undefined) return { title: "The stream ended", help: "Start it again.", action: "start" };
  return noticeOf(state.error);
}

export const UNREACHABLE: Notice = {
  title: "The server does not answer",
  help: "This page looks for it every two seconds. Start it with",
  command: "npm start",
  action: "none",
};

/** Words for a source that ended by itself. */
export function noticeOfSourceEnd(kind: "camera" | "screen" | "file"): Notice {
  if (kind === "screen") return { title: "Screen sharing ended", help: "Share again to go on.", action: "start" };
  return { title: "The camera stopped", help: "Connect it again, then start.", action: "start" };
}
