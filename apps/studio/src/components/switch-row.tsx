// A switch with its name.
import { Switch } from "radix-ui";
import { useId } from "react";

type SwitchRowProps = { label: string; checked: boolean; onChange: (checked: boolean) => void };

export function SwitchRow({ label, checked, onChange }: SwitchRowProps) {
  const id = useId();
  return (
    <label className="flex cursor-pointer items-center justify-between gap-3 text-[0.85rem]" htmlFor={id}>
      <span>{label}</span>
      <Switch.Root
        id={id}
        aria-label={label}
        checked={checked}
        onCheckedChange={onChange}
        className="h-5.5 w-9.5 shrink-0 rounded-full bg-lifted p-0.5 ring-1 ring-line transition data-[state=checked]:bg-glow"
      >
        <Switch.Thumb className="block size-4.5 rounded-full bg-paper shadow transition-transform duration-200 data-[state=checked]:translate-x-4" />
      </Switch.Root>
    </label>
  );
}
