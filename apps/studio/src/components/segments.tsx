// A choice of a few things side by side; one is always chosen.
import { ToggleGroup } from "radix-ui";
import type { ReactNode } from "react";

type SegmentsProps<Value extends string> = {
  label: string;
  value: Value;
  options: readonly { value: Value; label: ReactNode }[];
  onChange: (value: Value) => void;
};

export function Segments<Value extends string>({ label, value, options, onChange }: SegmentsProps<Value>) {
  return (
    <ToggleGroup.Root
      type="single"
      aria-label={label}
      value={value}
      onValueChange={(chosen) => {
        const option = options.find((each) => each.value === chosen);
        if (option !== undefined) onChange(option.value);
      }}
      className="grid auto-cols-fr grid-flow-col gap-1 rounded-xl bg-night/70 p-1 ring-1 ring-line"
    >
      {options.map((option) => (
        <ToggleGroup.Item
          key={option.value}
          value={option.value}
          className="h-8.5 truncate rounded-lg px-2 text-[0.825rem] text-muted transition duration-200 hover:text-paper data-[state=on]:bg-lifted data-[state=on]:text-paper data-[state=on]:shadow-[0_1px_0_rgb(255_240_225/0.08)_inset,0_2px_8px_rgb(0_0_0/0.4)]"
        >
          {option.label}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}
