// Parameter updates on their way to the server and back. A slider gives hundreds of updates a second and a chunk takes one:
// updates made within one interval are merged and travel as one message, so the last value always arrives and none is lost.
// Each message has a number that comes back when a chunk uses it; until then it is kept, to be sent again over another
// connection.
import type { ParametersApplied, ParametersRejected } from "@everframe/protocol";
import { MAX_BUFFERED_BYTES, MAX_UNANSWERED, PARAMETER_INTERVAL_MS } from "./defaults.ts";
import { ClientError } from "./errors.ts";
import {
  fromWireParameters,
  type LiveParameters,
  mergeLiveParameters,
  toRejections,
  toWireParameters,
} from "./wire-parameters.ts";

/** The part of RTCDataChannel that a sender needs. */
export type ParameterChannel = {
  readonly readyState: string;
  readonly bufferedAmount: number;
  send(text: string): void;
};

/** What became of an update. */
export type Applied = {
  /** Number of the session's chunk that uses it, from 0; undefined where no chunk has to be waited for. */
  chunk: number | undefined;
  /** Names that the server does not know. */
  ignored: readonly string[];
};

type Call = { names: readonly string[]; resolve: (applied: Applied) => void; reject: (error: ClientError) => void };
type Batch = { update: LiveParameters; calls: readonly Call[] };

/** Sends merged parameter messages, at most one every `intervalMs` (default 50), and settles each call by its answer. */
export class ParameterSender {
  #channel: ParameterChannel;
  readonly #intervalMs: number;
  #waiting: Batch | undefined;
  /** Messages without an answer, by their number. */
  readonly #sent = new Map<number, Batch>();
  #lastId = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(channel: ParameterChannel, intervalMs = PARAMETER_INTERVAL_MS) {
    this.#channel = channel;
    this.#intervalMs = intervalMs;
  }

  /**
   * Merges `update` into what waits and sends as soon as the interval allows; before the channel opens it waits. Resolves
   * when the server uses it, rejects with `rejected` or `closed`; a caller that does not care may drop the promise.
   */
  set(update: LiveParameters): Promise<Applied> {
    if (this.#closed) return quiet(Promise.reject(ClientError.closed()));
    const names = Object.keys(toWireParameters(update));
    if (names.length === 0) return Promise.resolve({ chunk: undefined, ignored: [] });
    const answered = new Promise<Applied>((resolve, reject) => {
      this.#waiting = joined(this.#waiting, { update, calls: [{ names, resolve, reject }] });
    });
    this.flush();
    return quiet(answered);
  }

  /** Goes on with the channel of another connection: what was not answered goes there, too. */
  attach(channel: ParameterChannel): void {
    this.#channel = channel;
    this.#waiting = [...this.#sent.values(), this.#waiting].reduce(joined, undefined);
    this.#sent.clear();
    this.flush();
  }

  /** Sends what waits, now or when the interval is over. Call it when the channel opens. */
  flush(): void {
    if (this.#closed || this.#timer !== undefined || this.#waiting === undefined) return;
    if (this.#channel.readyState !== "open") return;
    const restMs = this.#lastSentMs + this.#intervalMs - performance.now();
    const congested = this.#channel.bufferedAmount > MAX_BUFFERED_BYTES;
    if (restMs > 0 || congested) {
      this.#timer = setTimeout(
        () => {
          this.#timer = undefined;
          this.flush();
        },
        congested ? this.#intervalMs : restMs,
      );
      return;
    }
    this.#send();
  }

  /** Settles the calls whose parameters are in use now. */
  applied({ request_ids: ids, chunk, ignored = [] }: ParametersApplied): void {
    const own = ids.filter((id) => typeof id === "number" && this.#sent.has(id)) as number[];
    // A chunk takes everything that came before it, also what a long list of numbers has no room for.
    const newest = Math.max(0, ...own);
    for (const [id, batch] of [...this.#sent]) {
      const isTaken = own.includes(id) || (chunk !== undefined && id < newest && !isAtOnce(batch.update));
      if (!isTaken) continue;
      this.#sent.delete(id);
      for (const { resolve } of batch.calls) resolve({ chunk, ignored });
    }
  }

  /** Rejects the calls that named one of these fields; the others of their message wait on. */
  rejected({ request_id: id, rejected }: ParametersRejected): void {
    const batch = typeof id === "number" ? this.#sent.get(id) : undefined;
    if (batch === undefined || typeof id !== "number") return;
    const concerns = ({ names }: Call) => rejected.filter(({ field }) => field === "" || names.includes(field));
    const rest = batch.calls.filter((call) => concerns(call).length === 0);
    for (const call of batch.calls) {
      const rejections = toRejections(concerns(call));
      if (rejections.length > 0) call.reject(ClientError.rejected(rejections));
    }
    const wire = toWireParameters(batch.update) as Record<string, unknown>;
    for (const { field } of rejected) delete wire[field];
    if (rest.length === 0 && Object.keys(wire).length === 0) this.#sent.delete(id);
    else this.#sent.set(id, { update: fromWireParameters(wire), calls: rest });
  }

  /** Sends what waits without regard to the interval, and rejects every call that has no answer. */
  close(error: ClientError = ClientError.closed()): void {
    if (this.#closed) return;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#channel.readyState === "open") this.#send();
    this.#closed = true;
    for (const batch of [...this.#sent.values(), this.#waiting]) {
      for (const { reject } of batch?.calls ?? []) reject(error);
    }
    this.#sent.clear();
    this.#waiting = undefined;
  }

  #send(): void {
    if (this.#waiting === undefined) return;
    const { update, calls } = this.#waiting;
    this.#waiting = undefined;
    this.#lastSentMs = performance.now();
    // What acts at once is answered at once, so it travels by itself.
    const { paused, ...later } = update;
    const now: LiveParameters = paused === undefined ? {} : { paused };
    const laterNames = Object.keys(toWireParameters(later));
    const isForLater = (call: Call) => call.names.some((name) => laterNames.includes(name));
    if (paused !== undefined) this.#sendOne({ update: now, calls: calls.filter((call) => !isForLater(call)) });
    if (laterNames.length > 0) this.#sendOne({ update: later, calls: calls.filter(isForLater) });
  }

  #sendOne(batch: Batch): void {
    const id = ++this.#lastId;
    this.#sent.set(id, batch);
    if (this.#sent.size > MAX_UNANSWERED) this.#foldOldest();
    this.#channel.send(JSON.stringify({ ...toWireParameters(batch.update), request_id: id }));
  }

  /** While the server takes nothing, for example during a pause, the oldest two become one. */
  #foldOldest(): void {
    const [oldest, next] = this.#sent;
    if (oldest === undefined || next === undefined) return;
    this.#sent.delete(oldest[0]);
    this.#sent.set(next[0], joined(oldest[1], next[1])!);
  }
}

function joined(first: Batch | undefined, second: Batch | undefined): Batch | undefined {
  if (first === undefined || second === undefined) return second ?? first;
  const update = mergeLiveParameters(first.update, second.update);
  return { update, calls: [...first.calls, ...second.calls] };
}

function isAtOnce(update: LiveParameters): boolean {
  return update.paused !== undefined;
}

/** The same promise, whose rejection nobody has to handle. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
