// A slider with its name, its value, and a word for each end.
import { Slider } from "radix-ui";

type LabelledSliderProps = {
  label: string;
  value: number;
  max: number;
  step: number;
  /** What the left and the right end mean. */
  ends: readonly [string, string];
  onChange: (value: number) => void;
};

export function LabelledSlider({ label, value, max, step, ends, onChange }: LabelledSliderProps) {
  return (
    <div className="flex flex-col gap-2">
      <div className="flex items-baseline justify-between text-sm">
        <span>{label}</span>
        <output className="figures font-medium text-glow-soft">{value.toFixed(2)}</output>
      </div>
      <Slider.Root
        className="group relative flex h-5 touch-none select-none items-center"
        value={[value]}
        max={max}
        step={step}
        onValueChange={([next]) => {
          if (next !== undefined) onChange(next);
        }}
      >
        <Slider.Track className="relative h-1 grow overflow-hidden rounded-full bg-lifted">
          <Slider.Range className="absolute h-full bg-gradient-to-r from-glow/60 to-glow" />
        </Slider.Track>
        <Slider.Thumb
          className="block size-4.5 rounded-full border-[3px] border-panel bg-paper shadow-[0_0_0_1px_rgb(255_232_210/0.3),0_3px_10px_rgb(0_0_0/0.6)] transition-transform duration-150 hover:scale-110 active:scale-95"
          aria-label={label}
        />
      </Slider.Root>
      <div className="flex justify-between text-muted text-xs">
        <span>{ends[0]}</span>
        <span>{ends[1]}</span>
      </div>
    </div>
  );
}
