// Thumbnails of the looks, made from the person's own picture: one whenever a look has been on for a while, or all in turn.
// They stay in this browser.
import type { Look } from "../state/look.ts";
import { withPrompt } from "../state/look.ts";
import { PRESETS, type Preset, presetOf } from "../state/presets.ts";
import { writeStored } from "../state/settings.ts";
import { KEYS, type State } from "../state/state.ts";
import type { Store } from "../state/store.ts";
import { pictureOf } from "./pictures.ts";

/** From the start of the chunk that uses a look until all that is seen was made with it: making it, showing it, the way. */
const SETTLE_CHUNKS = 2.2;
const SETTLE_MS = 500;
const SIZE = { width: 160, height: 90 };

type Parts = {
  store: Store<State>;
  setLook: (look: Look) => void;
  /** The element that shows the output. */
  video: () => HTMLVideoElement | undefined;
};

export class Thumbnails {
  readonly #parts: Parts;
  /** Ends when the look that is on changes. */
  #stay: AbortController | undefined;
  #tour: AbortController | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Told each change of the look: takes a picture of a preset that stays on. */
  follow(look: Look): void {
    this.#stay?.abort();
    if (this.#tour !== undefined) return;
    const [prompt] = look.prompts;
    const preset = look.prompts.length === 1 && prompt !== undefined ? presetOf(prompt.text) : undefined;
    if (preset === undefined || this.#parts.store.get().phase !== "live") return;
    const stay = new AbortController();
    this.#stay = stay;
    void this.#takeWhenSeen(preset, stay.signal);
  }

  /** Plays every look for a moment and takes its picture; a second call ends that. The look before comes back. */
  async tour(presets: readonly Preset[] = PRESETS): Promise<void> {
    if (this.#tour !== undefined) {
      this.#tour.abort();
      return;
    }
    const { store, setLook } = this.#parts;
    const tour = new AbortController();
    this.#tour = tour;
    this.#stay?.abort();
    const before = store.get().settings.look;
    try {
      for (const preset of presets) {
        if (tour.signal.aborted || store.get().phase !== "live") break;
        store.update({ touring: preset.id });
        setLook({ ...withPrompt(before, preset.prompt), transitionChunks: 0 });
        await this.#takeWhenSeen(preset, tour.signal);
      }
    } finally {
      this.#tour = undefined;
      store.update({ touring: undefined });
      setLook(before);
    }
  }

  /** Goes back to the pictures that the page brings along. */
  forget(): void {
    this.#keep({});
  }

  close(): void {
    this.#stay?.abort();
    this.#tour?.abort();
  }

  async #takeWhenSeen(preset: Preset, signal: AbortSignal): Promise<void> {
    await this.#untilApplied(signal);
    await pauseFor(this.#settleMs(), signal);
    if (!signal.aborted) this.#take(preset);
  }

  #take(preset: Preset): void {
    const { store, video } = this.#parts;
    const element = video();
    if (element === undefined || element.videoWidth === 0 || store.get().phase !== "live") return;
    const { settings, source, thumbnails } = store.get();
    const isMirrored = settings.view.mirror && source?.kind === "camera";
    this.#keep({ ...thumbnails, [preset.id]: pictureOf(element, SIZE, "image/jpeg", isMirrored).url() });
  }

  #keep(thumbnails: State["thumbnails"]): void {
    this.#parts.store.update({ thumbnails });
    writeStored(KEYS.thumbnails, thumbnails);
  }

  /** Resolves when a chunk has begun that uses what was set last. */
  #untilApplied(signal: AbortSignal): Promise<void> {
    const { store } = this.#parts;
    return new Promise((resolve) => {
      const look = () => {
        if (store.get().isPending && !signal.aborted) return;
        unsubscribe();
        signal.removeEventListener("abort", look);
        resolve();
      };
      const unsubscribe = store.subscribe(look);
      signal.addEventListener("abort", look);
      look();
    });
  }

  #settleMs(): number {
    const chunkMs = this.#parts.store.get().history.at(-1)?.chunkMs ?? 1000;
    return SETTLE_CHUNKS * chunkMs + SETTLE_MS;
  }
}

/** Resolves after `ms`, or as soon as the signal fires. */
function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
