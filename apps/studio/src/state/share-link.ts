// A look as a link: its JSON, base64url, behind the address's hash, which browsers do not send to any server.
// References stay behind: they are files of one server.
import { type LookPatch, toLookPatch } from "./look.ts";
import { recordOf } from "./records.ts";
import type { Settings } from "./settings.ts";
import { type Timeline, toTimeline } from "./timeline.ts";

const PREFIX = "#look=";

export type Shared = { look: LookPatch; timeline: Timeline | undefined };

/** The page's address with a look, and a timeline where there are events in it. */
export function toLink(pageUrl: string, settings: Settings, timeline: Timeline): string {
  const { references: _, ...look } = settings.look;
  const data = { v: 1, look, ...(timeline.events.length === 0 ? {} : { timeline }) };
  return `${pageUrl.replace(/#.*$/, "")}${PREFIX}${toBase64Url(JSON.stringify(data))}`;
}

/** What a link's hash holds; undefined when it holds no look. */
export function fromHash(hash: string): Shared | undefined {
  if (!hash.startsWith(PREFIX)) return undefined;
  try {
    const data = recordOf(JSON.parse(fromBase64Url(hash.slice(PREFIX.length))));
    const { references: _, ...look } = toLookPatch(data["look"]);
    if (Object.keys(look).length === 0) return undefined;
    const timeline = toTimeline(data["timeline"]);
    return { look, timeline: timeline.events.length === 0 ? undefined : timeline };
  } catch {
    // Cut off, or not ours.
    return undefined;
  }
}

function toBase64Url(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
}

function fromBase64Url(text: string): string {
  const bytes = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}
