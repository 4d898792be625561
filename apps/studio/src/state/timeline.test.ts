import { expect, test } from "vitest";
import { DEFAULT_LOOK } from "./look.ts";
import {
  addEvent,
  EMPTY_TIMELINE,
  eventsBetween,
  eventText,
  fromJson,
  lookAt,
  moveEvent,
  removeEvent,
  setLength,
  toJson,
} from "./timeline.ts";

const prompts = (text: string) => ({ prompts: [{ text, weight: 1 }] });
const timeline = addEvent(
  addEvent(addEvent(EMPTY_TIMELINE, 12, prompts("gold")), 4, { values: { noiseScale: 0.2 } }),
  0,
  prompts("sepia"),
);

test("events are kept by time, and those at one moment are one", () => {
  expect(timeline.events.map(({ atS }) => atS)).toEqual([0, 4, 12]);
  const merged = addEvent(timeline, 4.01, { ...prompts("ice"), values: { baseSeed: 7 } });
  expect(merged.events[1]?.patch).toEqual({ ...prompts("ice"), values: { noiseScale: 0.2, baseSeed: 7 } });
});

test("an event can be moved, and not beyond the ends; a shorter timeline keeps all of them", () => {
  const [first] = timeline.events;
  const moved = moveEvent(timeline, first?.id ?? 0, 99);
  expect(moved.events.at(-1)).toMatchObject({ atS: 30, patch: prompts("sepia") });
  expect(setLength(timeline, 8).events.map(({ atS }) => atS)).toEqual([0, 4, 8]);
  expect(removeEvent(timeline, first?.id ?? 0).events).toHaveLength(2);
});

test("every event is played once, also round the end of a loop", () => {
  const times = (from: number, to: number) => eventsBetween(timeline, from, to).map(({ atS }) => atS);
  expect(times(-1, 4)).toEqual([0, 4]);
  expect(times(4, 11.9)).toEqual([]);
  expect(times(11.9, 12)).toEqual([12]);
  expect(times(11, 1)).toEqual([12, 0]);
});

test("the look at a moment has all that came before it", () => {
  const look = lookAt(timeline, DEFAULT_LOOK, 5);
  expect(look).toMatchObject({ ...prompts("sepia"), values: { noiseScale: 0.2 } });
  expect(lookAt(timeline, DEFAULT_LOOK, 20)).toMatchObject(prompts("gold"));
});

test("a file gives the same timeline back, and something else gives none", () => {
  expect(fromJson(toJson(timeline))?.events.map(({ atS, patch }) => ({ atS, patch }))).toEqual(
    timeline.events.map(({ atS, patch }) => ({ atS, patch })),
  );
  for (const text of ["", "{}", "[1]", '{"everframe":"look"}']) expect(fromJson(text)).toBeUndefined();
  expect(
    fromJson(
      '{"everframe":"timeline","lengthS":-3,"events":[{"atS":1},{"atS":2,"mode":"vace"},{"atS":1e9,"mode":"vace"}]}',
    ),
  ).toEqual({
    lengthS: 30,
    loop: true,
    events: [{ id: 1, atS: 2, patch: { mode: "vace" } }],
  });
});

test("an event says what it does", () => {
  const event = { id: 1, atS: 0, patch: { ...prompts("gold"), mode: "vace" as const, values: { noiseScale: 0.123 } } };
  expect(eventText(event, new Map([["noiseScale", "Noise"]]))).toBe("gold, VACE, Noise 0.12");
});
