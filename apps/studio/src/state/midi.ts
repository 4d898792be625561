// Which knob moves which slider: control change messages of MIDI 1.0 (status 0xB0 to 0xBF, controller, value 0..127) by
// channel and controller. Pure; the device is read elsewhere.
import { recordOf } from "./records.ts";

/** "channel:controller", both from 0. */
export type ControlId = string;

/** The slider that each knob moves, by the slider's own name. */
export type Bindings = Readonly<Record<ControlId, string>>;

export type ControlChange = { control: ControlId /** 0..1 */; position: number };

/** A control change; undefined for any other message. */
export function toControlChange(data: ArrayLike<number>): ControlChange | undefined {
  const [status, controller, value] = [data[0], data[1], data[2]];
  if (status === undefined || controller === undefined || value === undefined) return undefined;
  if ((status & 0xf0) !== 0xb0) return undefined;
  return { control: `${status & 0x0f}:${controller}`, position: Math.min(1, value / 127) };
}

/** A slider has one knob and a knob one slider. */
export function bind(bindings: Bindings, control: ControlId, target: string): Bindings {
  return { ...unbind(bindings, target), [control]: target };
}

export function unbind(bindings: Bindings, target: string): Bindings {
  return Object.fromEntries(Object.entries(bindings).filter(([, name]) => name !== target));
}

/** The value at a knob's position, in whole steps. */
export function valueAt(position: number, { min, max, step }: { min: number; max: number; step: number }): number {
  const value = min + Math.round((position * (max - min)) / step) * step;
  return Number(Math.min(max, value).toFixed(4));
}

/** "Channel 1, knob 7". */
export function controlText(control: ControlId): string {
  const [channel, controller] = control.split(":");
  return `Channel ${Number(channel) + 1}, knob ${controller}`;
}

/** Bindings from data of unknown origin. */
export function toBindings(data: unknown): Bindings {
  const entries = Object.entries(recordOf(data)).filter(
    ([control, target]) => /^\d{1,2}:\d{1,3}$/.test(control) && typeof target === "string",
  );
  return Object.fromEntries(entries.slice(0, 128)) as Bindings;
}
