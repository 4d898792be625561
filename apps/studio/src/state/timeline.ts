// Changes of the look over time: a list of events, each a patch at a second. Pure; the player asks which events lie
// between two moments of the clock and applies their patches.
import { type Look, type LookPatch, patchLook, promptText, toLookPatch } from "./look.ts";
import { listOf, numberIn, recordOf } from "./records.ts";

export const MIN_LENGTH_S = 5;
export const MAX_LENGTH_S = 600;
const MAX_EVENTS = 500;

export type TimelineEvent = { id: number; atS: number; patch: LookPatch };

export type Timeline = {
  lengthS: number;
  loop: boolean;
  /** By time. */
  events: readonly TimelineEvent[];
};

export const EMPTY_TIMELINE: Timeline = { lengthS: 30, loop: true, events: [] };

/** Adds a patch at a moment; one that is there already (within 0.05 s) is merged with it. */
export function addEvent(timeline: Timeline, atS: number, patch: LookPatch): Timeline {
  const moment = clamp(atS, timeline.lengthS);
  const near = timeline.events.find((event) => Math.abs(event.atS - moment) < 0.05);
  if (near !== undefined) {
    const values = { ...near.patch.values, ...patch.values };
    const merged = { ...near.patch, ...patch, ...(Object.keys(values).length === 0 ? {} : { values }) };
    return {
      ...timeline,
      events: timeline.events.map((event) => (event === near ? { ...event, patch: merged } : event)),
    };
  }
  if (timeline.events.length >= MAX_EVENTS) return timeline;
  const id = Math.max(0, ...timeline.events.map((event) => event.id)) + 1;
  return sorted({ ...timeline, events: [...timeline.events, { id, atS: moment, patch }] });
}

export function moveEvent(timeline: Timeline, id: number, atS: number): Timeline {
  const moment = clamp(atS, timeline.lengthS);
  return sorted({
    ...timeline,
    events: timeline.events.map((event) => (event.id === id ? { ...event, atS: moment } : event)),
  });
}

export function removeEvent(timeline: Timeline, id: number): Timeline {
  return { ...timeline, events: timeline.events.filter((event) => event.id !== id) };
}

/** Another length; events beyond it are moved to its end. */
export function setLength(timeline: Timeline, lengthS: number): Timeline {
  const length = Math.min(MAX_LENGTH_S, Math.max(MIN_LENGTH_S, Math.round(lengthS)));
  return {
    ...timeline,
    lengthS: length,
    events: timeline.events.map((event) => ({ ...event, atS: clamp(event.atS, length) })),
  };
}

/** The look at a moment: `base` with every event up to it. */
export function lookAt(timeline: Timeline, base: Look, atS: number): Look {
  return timeline.events.filter((event) => event.atS <= atS).reduce((look, { patch }) => patchLook(look, patch), base);
}

/** Events after `fromS` up to and with `toS`. When the clock went round the end (`toS < fromS`), those of the end and of the beginning. */
export function eventsBetween(timeline: Timeline, fromS: number, toS: number): TimelineEvent[] {
  const { events } = timeline;
  if (toS >= fromS) return events.filter(({ atS }) => atS > fromS && atS <= toS);
  return [...events.filter(({ atS }) => atS > fromS), ...events.filter(({ atS }) => atS <= toS)];
}

/** What an event does, in a few words. */
export function eventText({ patch }: TimelineEvent, labels: ReadonlyMap<string, string>): string {
  const parts: string[] = [];
  if (patch.prompts !== undefined) parts.push(promptText(patch.prompts));
  if (patch.mode !== undefined) parts.push(patch.mode === "vace" ? "VACE" : "Normal");
  if (patch.references !== undefined) parts.push(`${patch.references.length} references`);
  for (const [name, value] of Object.entries(patch.values ?? {}))
    parts.push(`${labels.get(name) ?? name} ${valueText(value)}`);
  return parts.join(", ");
}

function valueText(value: unknown): string {
  if (typeof value === "number") return String(Math.round(value * 100) / 100);
  if (typeof value === "boolean") return value ? "on" : "off";
  return Array.isArray(value) ? value.join(" ") : String(value);
}

/** A timeline as a file's text. */
export function toJson(timeline: Timeline): string {
  const events = timeline.events.map(({ atS, patch }) => ({ atS, ...patch }));
  return JSON.stringify(
    { everframe: "timeline", version: 1, lengthS: timeline.lengthS, loop: timeline.loop, events },
    null,
    2,
  );
}

/** A timeline from a file's text; undefined when it is none. What is wrong inside costs only its event. */
export function fromJson(text: string): Timeline | undefined {
  try {
    const data = recordOf(JSON.parse(text));
    return data["everframe"] === "timeline" ? toTimeline(data) : undefined;
  } catch {
    return undefined;
  }
}

/** A timeline from data of unknown origin; the empty one when there is none in it. */
export function toTimeline(data: unknown): Timeline {
  const given = recordOf(data);
  const lengthS = numberIn(given["lengthS"], MIN_LENGTH_S, MAX_LENGTH_S) ?? EMPTY_TIMELINE.lengthS;
  const loop = typeof given["loop"] === "boolean" ? given["loop"] : EMPTY_TIMELINE.loop;
  const events = listOf(given["events"])
    .slice(0, MAX_EVENTS)
    .map(recordOf)
    .flatMap((event) => {
      const atS = numberIn(event["atS"], 0, lengthS);
      const patch = toLookPatch(event["patch"] ?? event);
      return atS === undefined || Object.keys(patch).length === 0 ? [] : [{ atS, patch }];
    });
  return events.reduce((timeline, { atS, patch }) => addEvent(timeline, atS, patch), {
    lengthS,
    loop,
    events: [],
  } as Timeline);
}

function clamp(atS: number, lengthS: number): number {
  return Math.round(Math.min(lengthS, Math.max(0, atS)) * 100) / 100;
}

function sorted(timeline: Timeline): Timeline {
  return { ...timeline, events: timeline.events.toSorted((a, b) => a.atS - b.atS) };
}
