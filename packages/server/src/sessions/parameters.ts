/**
 * A session's live parameters: read by the one schema, merged, the latest
 * wins, taken once a chunk. However fast a slider sends, a chunk sees the
 * newest value, and every message is answered: at once with what cannot be
 * used and what acts at once, and when a chunk starts with what it uses.
 */
import {
  ApiError,
  defaultParameters,
  type ErrorMessage,
  invalidRequest,
  isObject,
  mergeParameters,
  PARAMETER_TABLE,
  type ParameterName,
  type Parameters,
  type ParametersApplied,
  type ParameterUpdate,
  type ParsedParameters,
  parseParameters,
  type RequestId,
  requestId,
  type ServerMessage,
  takeOneShots,
  toWireParameters,
} from "@everframe/protocol";

/** Messages that one answer names at most; of a flood the newest. */
const MAX_REQUEST_IDS = 256;
const MAX_IGNORED = 32;

/** Turns what a client calls an image into a file's absolute path; throws `ApiError`. */
export type ResolveAsset = (path: string) => string;

/**
 * The offer's `initialParameters`.
 * Throws `ApiError("invalid_request")` with an issue for each bad field.
 */
export function parseInitialParameters(value: unknown, resolveAsset: ResolveAsset): ParameterUpdate {
  if (value === undefined || value === null) return {};
  const { accepted, rejected, issues } = parseWithAssets(value, resolveAsset);
  if (rejected.length === 0) return accepted;
  throw invalidRequest(issues.map((issue) => ({ ...issue, loc: ["body", "initialParameters", ...issue.loc] })));
}

export class SessionParameters {
  readonly #resolveAsset: ResolveAsset;
  #current: Parameters;
  /** What came since the last chunk started; undefined when no answer is owed. */
  #pending: ParameterUpdate | undefined;
  #requestIds: RequestId[] = [];
  /** Chunks that have started. */
  #chunks = 0;
  /** Number of the chunk that started since the last answer; undefined where none has. */
  #chunk: number | undefined;
  readonly #ignored = new Set<string>();

  constructor(initial: ParameterUpdate, resolveAsset: ResolveAsset) {
    this.#resolveAsset = resolveAsset;
    this.#current = mergeParameters(defaultParameters(), initial);
  }

  get current(): Readonly<Parameters> {
    return this.#current;
  }

  /** Takes a data-channel message; the answers are what to tell the client now. */
  receive(text: string): ServerMessage[] {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      value = undefined;
    }
    if (!isObject(value)) {
      const reason = "a message must be one JSON object of parameters";
      return [errorMessage(new ApiError("invalid_request", { reason }))];
    }
    const id = requestId.safeParse(value["request_id"]).data;
    const parsed = this.#take(value);
    const { rejected } = parsed;
    const answers: ServerMessage[] = [];
    if (rejected.length > 0) {
      answers.push({ type: "parameters_rejected", rejected, ...(id === undefined ? {} : { request_id: id }) });
    }
    const { now, later } = splitByTime(parsed.accepted);
    const ignored = parsed.ignored.slice(0, MAX_IGNORED);
    // A message that no chunk has to wait for is answered at once.
    if (later === undefined) {
      if (now === undefined && rejected.length > 0) return answers;
      answers.push(applied(now ?? {}, id === undefined ? [] : [id], ignored));
      return answers;
    }
    if (now !== undefined) answers.push(applied(now, id === undefined ? [] : [id], []));
    this.#owe(later, id, ignored);
    return answers;
  }

  /** Takes parameters that came another way; throws nothing, and tells what was taken. */
  update(value: unknown): ParsedParameters {
    const parsed = this.#take(value);
    const { later } = splitByTime(parsed.accepted);
    if (later !== undefined) this.#owe(later, undefined, []);
    return parsed;
  }

  /**
   * The answer that is owed for what came since the last call; undefined when
   * nothing did. Call it when that is in use: after `take` for a chunk, and
   * after `receive` where there are no chunks.
   */
  takeApplied(): ParametersApplied | undefined {
    const chunk = this.#chunk;
    this.#chunk = undefined;
    if (this.#pending === undefined) return undefined;
    const message = applied(this.#pending, this.#requestIds, [...this.#ignored], chunk);
    this.#pending = undefined;
    this.#requestIds = [];
    this.#ignored.clear();
    return message;
  }

  /** The parameters for the chunk that starts now; what acts once is not in the next ones. */
  take(): Parameters {
    const { now, rest } = takeOneShots(this.#current);
    this.#current = rest;
    this.#chunk = this.#chunks++;
    return now;
  }

  #take(value: unknown): ParsedParameters {
    const parsed = parseWithAssets(value, this.#resolveAsset);
    this.#current = mergeParameters(this.#current, parsed.accepted);
    return parsed;
  }

  #owe(update: ParameterUpdate, id: RequestId | undefined, ignored: readonly string[]): void {
    this.#pending = mergeParameters(this.#pending ?? {}, update);
    if (id !== undefined) this.#requestIds.push(id);
    if (this.#requestIds.length > MAX_REQUEST_IDS) this.#requestIds.shift();
    for (const field of ignored) if (this.#ignored.size < MAX_IGNORED) this.#ignored.add(field);
  }
}

function applied(
  update: ParameterUpdate,
  requestIds: RequestId[],
  ignored: string[],
  chunk?: number,
): ParametersApplied {
  return {
    type: "parameters_applied",
    parameters: toWireParameters(update),
    ...(chunk === undefined ? {} : { chunk }),
    request_ids: requestIds,
    ...(ignored.length === 0 ? {} : { ignored: ignored.map((field) => field.slice(0, 64)) }),
  };
}

/** What acts at once and what the next chunk takes; each undefined when there is none. */
function splitByTime(update: ParameterUpdate): { now?: ParameterUpdate; later?: ParameterUpdate } {
  const entries = Object.entries(update) as [ParameterName, unknown][];
  const pick = (atOnce: boolean): ParameterUpdate | undefined => {
    const picked = entries.filter(([name]) => (PARAMETER_TABLE[name].acts === "at once") === atOnce);
    return picked.length === 0 ? undefined : (Object.fromEntries(picked) as ParameterUpdate);
  };
  const [now, later] = [pick(true), pick(false)];
  return { ...(now === undefined ? {} : { now }), ...(later === undefined ? {} : { later }) };
}

/** An error as it goes over the data channel. */
export function errorMessage(error: ApiError): ErrorMessage {
  return { type: "error", code: error.code, message: error.message, retryable: error.retryable };
}

function parseWithAssets(value: unknown, resolveAsset: ResolveAsset): ParsedParameters {
  const parsed = parseParameters(value);
  const resolve = <T>(name: ParameterName, resolveValue: () => T): T | undefined => {
    try {
      return resolveValue();
    } catch (error) {
      const field = PARAMETER_TABLE[name].wire;
      const reason = ApiError.from(error).message;
      const input = (value as Record<string, unknown>)[field];
      parsed.rejected.push({ field, reason, allowed: PARAMETER_TABLE[name].allowed });
      parsed.issues.push({ type: "value_error", loc: [field], msg: reason, input });
      return undefined;
    }
  };
  const { vaceRefImages, firstFrameImage, lastFrameImage, ...accepted } = parsed.accepted;
  const update: ParameterUpdate = accepted;
  if (vaceRefImages !== undefined) {
    const paths = resolve("vaceRefImages", () => vaceRefImages.map(resolveAsset));
    if (paths !== undefined) update.vaceRefImages = paths;
  }
  if (firstFrameImage !== undefined) {
    const path = resolve("firstFrameImage", () => resolveAsset(firstFrameImage));
    if (path !== undefined) update.firstFrameImage = path;
  }
  if (lastFrameImage !== undefined) {
    const path = resolve("lastFrameImage", () => resolveAsset(lastFrameImage));
    if (path !== undefined) update.lastFrameImage = path;
  }
  return { ...parsed, accepted: update };
}
