import { expect, test } from "vitest";
import { DEFAULT_SETTINGS, type Settings } from "./settings.ts";
import { fromHash, toLink } from "./share-link.ts";
import { addEvent, EMPTY_TIMELINE } from "./timeline.ts";

const settings: Settings = {
  ...DEFAULT_SETTINGS,
  look: {
    ...DEFAULT_SETTINGS.look,
    prompts: [{ text: "gölden 金 city", weight: 0.5 }],
    references: [{ path: "/secret/a.png", name: "a" }],
  },
};

test("a link gives back the look and the timeline, without the server's files", () => {
  const timeline = addEvent(EMPTY_TIMELINE, 3, { mode: "vace" });
  const link = toLink("http://localhost:8000/#old", settings, timeline);
  const shared = fromHash(new URL(link).hash);
  expect(shared?.look).toEqual({
    prompts: [{ text: "gölden 金 city", weight: 0.5 }],
    transitionChunks: 0,
    mode: "normal",
    values: settings.look.values,
  });
  expect(shared?.timeline?.events).toEqual(timeline.events);
  expect(atob(link.split("=")[1] ?? "")).not.toContain("secret");
});

test.each(["", "#", "#look=", "#look=%%%", "#look=e30", "#other"])("%j holds no look", (hash) => {
  expect(fromHash(hash)).toBeUndefined();
});
