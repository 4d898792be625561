// What the page says when something goes wrong: what happened, what to do, and the button that does it.
import { ClientError, type SessionState } from "@everframe/client";
import type { SourceKind } from "./state.ts";

export type Notice = {
  title: string;
  help: string;
  /** A command that the person can copy. */
  command?: string;
  /** What the notice's button does. */
  action: "start" | "load" | "without-loras" | "none";
  /** The camera is what is missing: a source without one is offered. */
  offersScene?: boolean;
};

/** What was under way when an error was met. */
export type Occasion = "load" | "start" | "run";

const TITLES: Record<Occasion, string> = {
  load: "The model could not be loaded",
  start: "The stream could not start",
  run: "The stream stopped",
};

/** Titles for the server's codes that need their own. */
const SERVER_TITLES: Record<string, string> = {
  too_many_sessions: "The server is full",
  out_of_memory: "Out of memory",
  server_shutdown: "The server is closing",
  shutting_down: "The server is closing",
};

/** Words for an error; undefined for one that the person caused. */
export function noticeOf(error: unknown, occasion: Occasion): Notice | undefined {
  const { code, reason, message, help } = ClientError.from(error);
  switch (code) {
    case "aborted":
    case "closed":
      return undefined;
    case "unreachable":
      return UNREACHABLE;
    case "server":
      if (reason === "load_failed") return { title: TITLES.load, help: message, action: "load" };
      if (reason === "lora_unusable")
        return { title: "The LoRA cannot be used", help: message, action: "without-loras" };
      // The server's own texts say what to do.
      return {
        title: SERVER_TITLES[reason] ?? TITLES[occasion],
        help: message,
        action: occasion === "load" ? "load" : "start",
      };
    default: {
      const isDevice = code === "device" || code === "unsupported";
      const notice: Notice = {
        title: message.replace(/\.$/, ""),
        help,
        action: code === "unsupported" ? "none" : "start",
      };
      return isDevice ? { ...notice, offersScene: true } : notice;
    }
  }
}

/** Words for a session that ended; undefined when the person ended it. */
export function noticeOfEnd(state: SessionState): Notice | undefined {
  if (state.name !== "closed" || state.reason === "closed_by_client" || state.reason === "aborted") return undefined;
  if (state.reason === "page_hidden") {
    return { title: "The stream was paused", help: "It ends when the page is left.", action: "start" };
  }
  if (state.error === undefined) return { title: "The stream ended", help: "Start it again.", action: "start" };
  return noticeOf(state.error, "run");
}

export const UNREACHABLE: Notice = {
  title: "The server does not answer",
  help: "This page looks for it every two seconds. Start it with",
  command: "npm start",
  action: "none",
};

/** Words for a source that ended by itself and does not come back by itself. */
export function noticeOfSourceEnd(kind: SourceKind): Notice {
  if (kind === "screen") return { title: "Screen sharing ended", help: "Share again to go on.", action: "start" };
  return { title: "The camera stopped", help: "Connect it again, then start.", action: "start", offersScene: true };
}
