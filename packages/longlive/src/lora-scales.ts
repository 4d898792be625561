/** The scales of a stream's live adapters, which its viewer may change from chunk to chunk. */
import type { LoraScale } from "@everframe/protocol";
import type { Loras } from "./adapters.ts";
import type { Compat } from "./compat.ts";

/** Changes below this are none. */
const SAME_SCALE = 1e-6;

export class LoraScales {
  readonly #loras: Loras;
  readonly #compat: Compat;
  #values: readonly number[];

  constructor(loras: Loras, compat: Compat) {
    this.#loras = loras;
    this.#compat = compat;
    this.#values = loras.live.map(({ scale }) => scale);
  }

  /** One for each live adapter. */
  get values(): readonly number[] {
    return this.#values;
  }

  /**
   * Takes new scales; adapters are told apart by their path.
   * @returns whether any value changed, whether the stream is to start anew (if it manages its cache), and what could
   * not be done
   */
  take(updates: readonly LoraScale[] | undefined): { changed: boolean; restarts: boolean; notices: string[] } {
    if (!updates) return { changed: false, restarts: false, notices: [] };
    const { merged, live } = this.#loras;
    const scaleOf = (path: string) => updates.find((update) => update.path === path)?.scale;
    const values = live.map(({ lora }, i) => scaleOf(lora.path) ?? this.#values[i]!);
    const changed = values.some((value, i) => Math.abs(value - this.#values[i]!) >= SAME_SCALE);
    if (changed) this.#values = values;
    const notices = updates
      .filter(({ path }) => !live.some(({ lora }) => lora.path === path))
      .map(({ path }) =>
        merged.some(({ lora }) => lora.path === path)
          ? `The LoRA ${path} was merged for good; load it with "lora_merge_mode": "runtime_peft" to change its scale.`
          : `The LoRA ${path} is not loaded.`,
      );
    return { changed, restarts: changed || !this.#compat.mergedScalesIgnored, notices };
  }
}
