// Which model truly runs: where a pipeline's own weights cannot, the server lets the small model's run in their place.
import type { ModelState, State } from "./state.ts";

/** The pipeline whose weights run: the loaded one, or the one that stands in for it; undefined while none is loaded. */
export function runningId({ pipeline, schemas }: Pick<State, "pipeline" | "schemas">): string | undefined {
  if (pipeline?.status !== "loaded") return undefined;
  const { model } = pipeline;
  return model !== undefined && Object.hasOwn(schemas, model) ? model : pipeline.pipeline;
}

/** Says that another pipeline's weights run in the place of this one's, and why; undefined when that is not so. */
export function standInText(
  id: string,
  { pipeline, schemas }: Pick<State, "pipeline" | "schemas">,
  model: ModelState | undefined,
): string | undefined {
  const running = runningId({ pipeline, schemas });
  if (running === undefined || running === id || pipeline?.pipeline !== id) return undefined;
  const told = `${schemas[running]?.name ?? running} runs in its place`;
  if (model === undefined) return `${told}.`;
  const { length } = model.missing;
  return length === 0
    ? `${told}: its own files came after it was loaded, or do not fit into memory.`
    : `${told}, because ${filesText(length)} of its own ${length === 1 ? "is" : "are"} missing.`;
}

/** "1 file" */
export function filesText(count: number): string {
  return count === 1 ? "1 file" : `${count} files`;
}
