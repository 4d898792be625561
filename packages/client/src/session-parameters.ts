// The live parameters of a session: what the server uses, as far as it has said so, and what is on its way there, over one
// connection after the other.
import type { ParametersApplied, ParametersRejected, ParametersUpdated } from "@everframe/protocol";
import { ClientError } from "./errors.ts";
import { type Applied, type ParameterChannel, ParameterSender } from "./parameter-sender.ts";
import {
  fromWireParameters,
  type LiveParameters,
  mergeLiveParameters,
  type Rejection,
  toLasting,
  toRejections,
  toWireParameters,
} from "./wire-parameters.ts";

export class SessionParameters {
  #inUse: LiveParameters;
  /** Whether the caller chose the input mode; else it follows the input. */
  #isModeChosen: boolean;
  #sender: ParameterSender | undefined;

  constructor(first: LiveParameters, hasInput: boolean) {
    this.#isModeChosen = first.inputMode !== undefined;
    this.#inUse = { inputMode: modeOf(hasInput), ...first };
  }

  get inUse(): LiveParameters {
    return this.#inUse;
  }

  /** What an offer carries. */
  toWire(): ReturnType<typeof toWireParameters> {
    return toWireParameters(this.#inUse);
  }

  /** Goes on over another connection, whose offer has carried what is in use. */
  attach(channel: ParameterChannel): void {
    this.#inUse = toLasting(this.#inUse);
    if (this.#sender === undefined) this.#sender = new ParameterSender(channel);
    else this.#sender.attach(channel);
  }

  /** Sends an update; see `ParameterSender`. */
  set(update: LiveParameters): Promise<Applied> {
    if (update.inputMode !== undefined) this.#isModeChosen = true;
    return this.#sender?.set(update) ?? Promise.reject(ClientError.closed());
  }

  /** Lets the input mode follow the input, unless it was chosen. */
  followInput(hasInput: boolean): void {
    const inputMode = modeOf(hasInput);
    if (!this.#isModeChosen && this.#inUse.inputMode !== inputMode) void this.#sender?.set({ inputMode });
  }

  /** The server uses these from now on, which may be the answer to calls of `set`. */
  applied(message: ParametersApplied): LiveParameters {
    const parameters = this.#take(message);
    this.#sender?.applied(message);
    return parameters;
  }

  /** Somebody else has changed these. */
  updated(message: ParametersUpdated): LiveParameters {
    return this.#take(message);
  }

  rejected(message: ParametersRejected): Rejection[] {
    this.#sender?.rejected(message);
    return toRejections(message.rejected);
  }

  /** Rejects every call that has no answer, and takes no more. */
  close(error: ClientError | undefined): void {
    this.#sender?.close(error);
  }

  #take(message: ParametersApplied | ParametersUpdated): LiveParameters {
    const parameters = fromWireParameters(message.parameters);
    this.#inUse = toLasting(mergeLiveParameters(this.#inUse, parameters));
    return parameters;
  }
}

function modeOf(hasInput: boolean): "video" | "text" {
  return hasInput ? "video" : "text";
}
