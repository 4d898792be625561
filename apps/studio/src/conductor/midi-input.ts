// Knobs of a MIDI controller (Web MIDI API, https://www.w3.org/TR/webmidi/): asks for access when the person wants it, learns
// which knob is meant for a slider, and moves the slider from then on.
import { bind, toControlChange, unbind } from "../state/midi.ts";
import { writeStored } from "../state/settings.ts";
import { KEYS, type MidiState, type State } from "../state/state.ts";
import type { Store } from "../state/store.ts";

/** Told where a knob stands, 0 to 1. */
export type MoveSlider = (target: string, position: number) => void;

export class MidiInput {
  readonly #store: Store<State>;
  readonly #move: MoveSlider;
  #access: MIDIAccess | undefined;

  constructor(store: Store<State>, move: MoveSlider) {
    this.#store = store;
    this.#move = move;
  }

  /** Asks the browser for the controllers. */
  async open(): Promise<void> {
    if (this.#access !== undefined) return;
    if (typeof navigator.requestMIDIAccess !== "function") {
      this.#update({ access: "unsupported" });
      return;
    }
    try {
      this.#access = await navigator.requestMIDIAccess();
    } catch {
      // The person said no; the page says how to change that.
      this.#update({ access: "denied" });
      return;
    }
    this.#access.onstatechange = () => this.#listen();
    this.#listen();
  }

  /** The next knob that is turned moves this slider; undefined to wait no longer. */
  learn(target: string | undefined): void {
    this.#update({ learning: target });
  }

  forget(target: string): void {
    this.#remember(unbind(this.#store.get().midi.bindings, target));
  }

  close(): void {
    if (this.#access === undefined) return;
    this.#access.onstatechange = null;
    for (const input of this.#access.inputs.values()) input.onmidimessage = null;
  }

  #listen(): void {
    const inputs = [...(this.#access?.inputs.values() ?? [])];
    for (const input of inputs) input.onmidimessage = ({ data }) => data !== null && this.#handle(data);
    this.#update({ access: "on", devices: inputs.map(({ name }) => name ?? "MIDI controller") });
  }

  #handle(data: Uint8Array): void {
    const change = toControlChange(data);
    if (change === undefined) return;
    const { bindings, learning } = this.#store.get().midi;
    if (learning !== undefined) {
      this.#remember(bind(bindings, change.control, learning));
      this.#update({ learning: undefined });
      return;
    }
    const target = bindings[change.control];
    if (target !== undefined) this.#move(target, change.position);
  }

  #remember(bindings: MidiState["bindings"]): void {
    this.#update({ bindings });
    writeStored(KEYS.midi, bindings);
  }

  #update(patch: Partial<MidiState>): void {
    this.#store.update({ midi: { ...this.#store.get().midi, ...patch } });
  }
}
