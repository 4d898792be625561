/**
 * A session's live parameters: read by the one schema, merged, the latest
 * wins, taken once a chunk. However fast a slider sends, a chunk sees the
 * newest value.
 */
import {
  ApiError,
  defaultParameters,
  invalidRequest,
  mergeParameters,
  type Parameters,
  type ParameterUpdate,
  parseParameters,
  type RejectedParameter,
  type ServerMessage,
  takeOneShots,
} from "@everframe/protocol";

/** Turns what a client calls an image into a file's absolute path; throws `ApiError`. */
export type ResolveAsset = (path: string) => string;

/**
 * The offer's `initialParameters`.
 * Throws `ApiError("invalid_request")` with an issue for each bad field.
 */
export function parseInitialParameters(value: unknown, resolveAsset: ResolveAsset): ParameterUpdate {
  if (value === undefined || value === null) return {};
  const { accepted, rejected } = parseWithAssets(value, resolveAsset);
  if (rejected.length === 0) return accepted;
  throw invalidRequest(
    rejected.map(({ field, reason, allowed }) => ({
      type: "value_error",
      loc: ["body", "initialParameters", ...(field === "" ? [] : [field])],
      msg: `${reason}; allowed: ${allowed}`,
      input: field === "" ? value : ((value as Record<string, unknown>)[field] ?? null),
    })),
  );
}

export class SessionParameters {
  readonly #resolveAsset: ResolveAsset;
  #current: Parameters;

  constructor(initial: ParameterUpdate, vaceLoaded: boolean, resolveAsset: ResolveAsset) {
    this.#resolveAsset = resolveAsset;
    this.#current = mergeParameters({ ...defaultParameters(), vaceEnabled: vaceLoaded }, initial);
  }

  get current(): Readonly<Parameters> {
    return this.#current;
  }

  /** Takes a data-channel message; the answer is what to tell the client, if anything. */
  receive(text: string): ServerMessage | undefined {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return errorMessage(
        new ApiError("invalid_request", { reason: "a message must be one JSON object of parameters" }),
      );
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return errorMessage(
        new ApiError("invalid_request", { reason: "a message must be one JSON object of parameters" }),
      );
    }
    const { accepted, rejected } = parseWithAssets(value, this.#resolveAsset);
    this.#current = mergeParameters(this.#current, accepted);
    return rejected.length === 0 ? undefined : { type: "parameters_rejected", rejected };
  }

  /** The parameters for the chunk that starts now; what acts once is not in the next ones. */
  take(): Parameters {
    const { now, rest } = takeOneShots(this.#current);
    this.#current = rest;
    return now;
  }
}

/** An error as it goes over the data channel. */
export function errorMessage(error: ApiError): ServerMessage {
  return { type: "error", code: error.code, message: error.message, retryable: error.retryable };
}

function parseWithAssets(
  value: unknown,
  resolveAsset: ResolveAsset,
): { accepted: ParameterUpdate; rejected: RejectedParameter[] } {
  const { accepted, rejected } = parseParameters(value);
  const resolve = <T>(field: string, resolveValue: () => T): T | undefined => {
    try {
      return resolveValue();
    } catch (error) {
      rejected.push({ field, reason: ApiError.from(error).message, allowed: "the path of an uploaded image" });
      return undefined;
    }
  };
  const { vaceRefImages, firstFrameImage, lastFrameImage, ...resolved } = accepted;
  const update: ParameterUpdate = resolved;
  if (vaceRefImages !== undefined) {
    const paths = resolve("vace_ref_images", () => vaceRefImages.map(resolveAsset));
    if (paths !== undefined) update.vaceRefImages = paths;
  }
  if (firstFrameImage !== undefined) {
    const path = resolve("first_frame_image", () => resolveAsset(firstFrameImage));
    if (path !== undefined) update.firstFrameImage = path;
  }
  if (lastFrameImage !== undefined) {
    const path = resolve("last_frame_image", () => resolveAsset(lastFrameImage));
    if (path !== undefined) update.lastFrameImage = path;
  }
  return { accepted: update, rejected };
}
