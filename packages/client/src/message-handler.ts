// Where the server's messages go: parameters and figures are kept by those who need them, the rest is told to the page.
import type { ServerMessage } from "@everframe/protocol";
import { ClientError } from "./errors.ts";
import type { Emitter } from "./events.ts";
import { stopText } from "./server-messages.ts";
import type { SessionEvents, StopNotice } from "./session-events.ts";
import type { SessionParameters } from "./session-parameters.ts";
import type { StatsReader } from "./stats.ts";

export type MessageReaders = {
  parameters: SessionParameters;
  stats: StatsReader;
  events: Emitter<SessionEvents>;
  /** The server ends the stream. */
  onStopped: (notice: StopNotice) => void;
};

/** Hands a message on. The parameters' owner reads it before the page hears of it. */
export function handleMessage(message: ServerMessage, { parameters, stats, events, onStopped }: MessageReaders): void {
  switch (message.type) {
    case "stats":
      stats.hear(message);
      return;
    case "parameters_applied": {
      const { chunk, ignored = [] } = message;
      events.emit("applied", { parameters: parameters.applied(message), chunk, ignored });
      return;
    }
    case "parameters_updated":
      events.emit("updated", parameters.updated(message));
      return;
    case "parameters_rejected":
      events.emit("rejected", parameters.rejected(message));
      return;
    case "pipeline_reloading":
      events.emit("reloading", { pipeline: message.pipeline_id });
      return;
    case "pipeline_reloaded": {
      const { pipeline_id: pipeline, model, width, height } = message;
      const size = width === null || height === null ? undefined : { width, height };
      events.emit("reloaded", { pipeline, model, size });
      return;
    }
    case "error": {
      const { code: reason, message: text, retryable } = message;
      events.emit("error", ClientError.server({ reason, message: text, retryable }));
      return;
    }
    case "stream_stopped":
      onStopped({ reason: message.reason, code: message.code, message: stopText(message) });
  }
}
