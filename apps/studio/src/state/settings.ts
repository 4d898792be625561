// What the person chose, kept in the browser between visits. Whatever is stored is checked field by field: an older or
// broken entry costs one field, not the page.
import type { LoadOptions } from "@everframe/client";
import { DEFAULT_LOOK, type Look, toLook } from "./look.ts";
import { toLoraFiles } from "./loras.ts";
import { numberIn, recordOf } from "./records.ts";

export const LAYOUTS = ["output", "side", "split"] as const;
/** The output with the input as an inset, both side by side, or one over the other with a line between. */
export type Layout = (typeof LAYOUTS)[number];

/** How the pipeline is loaded. Another value means another load. */
export type LoadChoice = {
  /** The server's id. "passthrough" gives the input back unchanged. */
  pipeline: string;
  /** Pixels; undefined for the model's own size. */
  size: { width: number; height: number } | undefined;
  /** Of the load's other parameters, by their names in code. */
  values: Readonly<Record<string, unknown>>;
};

export type View = {
  layout: Layout;
  mirror: boolean;
  inset: boolean;
  /** Middle of the inset, as a share of the stage's width and height. */
  insetX: number;
  insetY: number;
  /** Line of the split, as a share of the width. */
  split: number;
  timeline: boolean;
};

export type Settings = { look: Look; load: LoadChoice; view: View };

export const DEFAULT_SETTINGS: Settings = {
  look: DEFAULT_LOOK,
  load: { pipeline: "longlive", size: undefined, values: {} },
  view: { layout: "output", mirror: true, inset: true, insetX: 0.88, insetY: 0.14, split: 0.5, timeline: false },
};

/** Sizes that are offered beside the model's own. */
export const SIZES = [
  { width: 256, height: 144 },
  { width: 320, height: 176 },
  { width: 384, height: 224 },
  { width: 576, height: 320 },
  { width: 832, height: 480 },
] as const;

const SETTINGS_KEY = "everframe.settings.2";

export type KeyStore = Pick<Storage, "getItem" | "setItem">;

/** Settings from data of unknown origin. */
export function toSettings(data: unknown): Settings {
  const given = recordOf(data);
  const load = recordOf(given["load"]);
  const view = recordOf(given["view"]);
  const base = DEFAULT_SETTINGS.view;
  const flag = (name: "mirror" | "inset" | "timeline") => (typeof view[name] === "boolean" ? view[name] : base[name]);
  const share = (name: "insetX" | "insetY" | "split") => numberIn(view[name], 0, 1) ?? base[name];
  return {
    look: toLook(given["look"]),
    load: {
      pipeline: typeof load["pipeline"] === "string" ? load["pipeline"].slice(0, 100) : DEFAULT_SETTINGS.load.pipeline,
      size: toSize(load["size"]),
      values: toLoadValues(load["values"]),
    },
    view: {
      layout: LAYOUTS.find((layout) => layout === view["layout"]) ?? base.layout,
      mirror: flag("mirror"),
      inset: flag("inset"),
      insetX: share("insetX"),
      insetY: share("insetY"),
      split: share("split"),
      timeline: flag("timeline"),
    },
  };
}

function toLoadValues(data: unknown): LoadChoice["values"] {
  const { loras: given, ...others } = recordOf(data);
  const loras = toLoraFiles(given);
  const plain = Object.entries(others).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value));
  return { ...Object.fromEntries(plain), ...(loras.length === 0 ? {} : { loras }) };
}

function toSize(data: unknown): LoadChoice["size"] {
  const { width, height } = recordOf(data);
  const [w, h] = [numberIn(width, 16, 2048), numberIn(height, 16, 2048)];
  return w === undefined || h === undefined ? undefined : { width: w, height: h };
}

/** How to load the pipeline. VACE is always loaded, so that the mode can change while video runs. */
export function toLoadOptions({ load, look }: Settings): LoadOptions {
  const seed = numberIn(look.values["baseSeed"], 0, Number.MAX_SAFE_INTEGER);
  return {
    ...(load.values as LoadOptions),
    pipeline: load.pipeline,
    vaceEnabled: true,
    ...(seed === undefined ? {} : { seed }),
    ...load.size,
  };
}

export function readSettings(store: KeyStore | undefined = localStore()): Settings {
  return toSettings(readStored(SETTINGS_KEY, store));
}

export function writeSettings(settings: Settings, store: KeyStore | undefined = localStore()): void {
  writeStored(SETTINGS_KEY, settings, store);
}

/** What is stored under a key; undefined when there is nothing, or nothing that can be read. */
export function readStored(key: string, store: KeyStore | undefined = localStore()): unknown {
  try {
    return JSON.parse(store?.getItem(key) ?? "null") ?? undefined;
  } catch {
    // Not ours, or cut off: begin anew.
    return undefined;
  }
}

/** Stores a value, where the browser allows it. */
export function writeStored(key: string, value: unknown, store: KeyStore | undefined = localStore()): void {
  try {
    store?.setItem(key, JSON.stringify(value));
  } catch (error) {
    console.warn("This could not be stored; it lasts until the page closes.", error);
  }
}

function localStore(): KeyStore | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    // Reading the property throws where the person has blocked storage.
    return undefined;
  }
}
