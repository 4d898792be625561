// What happens to the source of a session's video, whether it is an input of the SDK or a stream of the page's own.
import { ClientError } from "./errors.ts";
import { followTrack, type Input, type InputEvent } from "./inputs.ts";

/** Calls back when the source pauses, goes on or ends; returns the function that ends that. */
export function followSource(
  source: MediaStream | Input | undefined,
  handler: (event: InputEvent) => void,
): () => void {
  if (source === undefined) return () => {};
  if ("stream" in source) return source.on("state", handler);
  const [track] = source.getVideoTracks();
  if (track === undefined) return () => {};
  return followTrack(track, (state) => {
    handler(state === "ended" ? { state, error: ClientError.device("input", undefined, "ended") } : { state });
  });
}
