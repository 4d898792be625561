// A slider with its name, its value, and a word for each end. A knob of a MIDI controller may move it.
import { Slider as Radix } from "radix-ui";
import { useStore, useStudio } from "../studio-context.tsx";

type SliderProps = {
  label: string;
  value: number;
  min?: number;
  max: number;
  step: number;
  /** What the left and the right end mean. */
  ends?: readonly [string, string] | undefined;
  /** Its name among MIDI bindings; undefined for one that no knob moves. */
  target?: string;
  /** The value in words. */
  text?: string;
  onChange: (value: number) => void;
};

export function Slider({ label, value, min = 0, max, step, ends, target, text, onChange }: SliderProps) {
  return (
    <div className="flex flex-col gap-1.5">
      <div className="flex items-baseline justify-between gap-3 text-[0.85rem]">
        <span>{label}</span>
        <output className="figures font-medium text-glow-soft">{text ?? value.toFixed(step < 1 ? 2 : 0)}</output>
      </div>
      <SliderTrack {...{ label, value, min, max, step, target, onChange }} />
      {ends !== undefined && (
        <div className="flex justify-between text-[0.7rem] text-muted">
          <span>{ends[0]}</span>
          <span>{ends[1]}</span>
        </div>
      )}
    </div>
  );
}

type TrackProps = Pick<SliderProps, "label" | "value" | "min" | "max" | "step" | "onChange"> & {
  target?: string | undefined;
  className?: string;
};

/** The track alone. */
export function SliderTrack({ label, value, min = 0, max, step, target, onChange, className = "" }: TrackProps) {
  const studio = useStudio();
  const isLearning = useStore(({ midi }) => target !== undefined && midi.learning === target);
  const isMapping = useStore(({ dialog }) => dialog === "midi");
  const isBound = useStore(({ midi }) => target !== undefined && Object.values(midi.bindings).includes(target));
  return (
    <Radix.Root
      className={`group relative flex h-6 touch-none select-none items-center ${isMapping && target !== undefined ? "rounded-lg ring-2 ring-glow/60 ring-offset-4 ring-offset-panel" : ""} ${isLearning ? "tally" : ""} ${className}`}
      value={[value]}
      min={min}
      max={max}
      step={step}
      onPointerDownCapture={(event) => {
        if (!isMapping || target === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        studio.midi.learn(target);
      }}
      onValueChange={([next]) => {
        if (next !== undefined) onChange(next);
      }}
    >
      <Radix.Track className="relative h-1.5 grow overflow-hidden rounded-full bg-lifted">
        <Radix.Range className="absolute h-full bg-gradient-to-r from-glow/55 to-glow" />
      </Radix.Track>
      <Radix.Thumb
        className={`block size-4.5 rounded-full border-[3px] bg-paper shadow-knob transition-transform duration-150 hover:scale-110 active:scale-95 ${isBound ? "border-glow" : "border-panel"}`}
        aria-label={label}
      />
    </Radix.Root>
  );
}
