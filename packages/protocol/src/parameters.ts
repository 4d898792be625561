/**
 * Reading, merging and taking the live parameters of the table. The offer's
 * `initialParameters`, every data-channel message and POST
 * /api/v1/sessions/{id}/parameters are read by the same rules.
 */
import type { z } from "zod";
import type { ValidationIssue } from "./errors.ts";
import { describe, type ParameterDescription } from "./parameter-description.ts";
import { type Entry, PARAMETER_TABLE, type Transition } from "./parameter-table.ts";
import { issuesOf, reasonOf } from "./validation.ts";

type Table = typeof PARAMETER_TABLE;
export type ParameterName = keyof Table;
type Defaulted = { [K in ParameterName]: Table[K] extends { default: unknown } ? K : never }[ParameterName];
type Value<K extends ParameterName> = z.output<Table[K]["schema"]>;

/** All live parameters of a session: those with a default are always there. */
export type Parameters = { [K in Defaulted]: Value<K> } & { [K in Exclude<ParameterName, Defaulted>]?: Value<K> };

/** Some parameters, as one message sets them. */
export type ParameterUpdate = { [K in ParameterName]?: Value<K> };

/** The same on the wire, for clients. */
export type WireParameters = { [K in ParameterName as Table[K]["wire"]]?: z.input<Table[K]["schema"]> | null };

/** A field that could not be used: its wire name, what is wrong, and what would be right. */
export type RejectedParameter = { field: string; reason: string; allowed: string };

export type ParsedParameters = {
  accepted: ParameterUpdate;
  rejected: RejectedParameter[];
  /** What is wrong with the rejected ones, each finding at its place in the object. */
  issues: ValidationIssue[];
  /** Keys that this server does not know; newer clients may send them. */
  ignored: string[];
};

const NAME_OF_WIRE = new Map<string, ParameterName>(
  (Object.keys(PARAMETER_TABLE) as ParameterName[]).map((name) => [PARAMETER_TABLE[name].wire, name]),
);

/**
 * Reads a parameters object as sent by a client.
 *
 * A bad field does not spoil its neighbours; a `null` means "not given". A
 * value that is no object at all gives one rejected entry with field `""`.
 */
export function parseParameters(value: unknown): ParsedParameters {
  const parsed: ParsedParameters = { accepted: {}, rejected: [], issues: [], ignored: [] };
  if (!isObject(value)) {
    parsed.rejected.push({ field: "", reason: "not an object", allowed: "a JSON object of parameters" });
    parsed.issues.push({ type: "model_attributes_type", loc: [], msg: "not an object", input: value ?? null });
    return parsed;
  }
  for (const [field, given] of Object.entries(value)) {
    if (field === "request_id") continue; // names the message, no parameter
    const name = NAME_OF_WIRE.get(field);
    if (name === undefined) {
      parsed.ignored.push(field);
      continue;
    }
    if (given === null) continue;
    const entry: Entry = PARAMETER_TABLE[name];
    const result = entry.schema.safeParse(given, { reportInput: true });
    if (result.success) {
      Object.assign(parsed.accepted, { [name]: result.data });
      continue;
    }
    parsed.rejected.push({ field, reason: reasonOf(result.error), allowed: entry.allowed });
    parsed.issues.push(...issuesOf(result.error, [field]));
  }
  return parsed;
}

/** What a session has before its client says anything. */
export function defaultParameters(): Parameters {
  const entries = (Object.entries(PARAMETER_TABLE) as [ParameterName, Entry][])
    .filter(([, entry]) => entry.default !== undefined)
    .map(([name, entry]) => [name, structuredClone(entry.default)]);
  return Object.fromEntries(entries) as Parameters;
}

/**
 * The parameters after an update: shallow, the latest value wins.
 *
 * New prompts without a transition cancel a waiting one. One-shots add up, so
 * that none is lost when several messages arrive during one chunk.
 */
export function mergeParameters<P extends ParameterUpdate>(current: P, update: ParameterUpdate): P {
  const merged: P = { ...current, ...update };
  if (update.prompts !== undefined && update.transition === undefined) delete merged.transition;
  if (current.resetCache === true) merged.resetCache = true;
  if (current.loraScales !== undefined && update.loraScales !== undefined) {
    const scales = new Map([...current.loraScales, ...update.loraScales].map((lora) => [lora.path, lora]));
    merged.loraScales = [...scales.values()];
  }
  return merged;
}

/** Splits off what acts once: `now` is for the chunk that starts, `rest` for the ones after it. */
export function takeOneShots(current: Parameters): { now: Parameters; rest: Parameters } {
  const rest = { ...current };
  for (const name of Object.keys(PARAMETER_TABLE) as ParameterName[]) {
    if (PARAMETER_TABLE[name].acts === "once") delete (rest as ParameterUpdate)[name];
  }
  return { now: current, rest };
}

/** Parameters under their names on the wire, as a client could send them back. */
export function toWireParameters(update: ParameterUpdate): Record<string, unknown> {
  const entries = (Object.entries(update) as [ParameterName, unknown][]).map(([name, value]) => [
    PARAMETER_TABLE[name].wire,
    name === "transition" && value !== undefined ? toWireTransition(value as Transition) : value,
  ]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Every live parameter as clients and pages show it, in the table's order. */
export function describeParameters(): ParameterDescription[] {
  return Object.values(PARAMETER_TABLE).map((entry: Entry) => describe(entry.wire, entry, entry.acts));
}

function toWireTransition({ targetPrompts, numSteps, temporalInterpolationMethod }: Transition): object {
  return {
    target_prompts: targetPrompts,
    num_steps: numSteps,
    temporal_interpolation_method: temporalInterpolationMethod,
  };
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
