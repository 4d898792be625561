// How strongly each loaded LoRA acts, a slider each.
import { currentScales, loraName, SCALE_RANGE } from "../state/loras.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { Slider } from "./slider.tsx";

export function LoraScales({ value }: { value: unknown }) {
  const studio = useStudio();
  const loaded = useStore(({ pipeline }) => pipeline?.loras) ?? [];
  return (
    <div className="flex flex-col gap-4">
      {currentScales(loaded, value).map(({ path, scale }) => (
        <Slider
          key={path}
          label={loraName(path)}
          value={scale}
          {...SCALE_RANGE}
          ends={["Its opposite", "Twice as strong"]}
          target={`lora:${loraName(path)}`}
          onChange={(next) => studio.setLoraScale(path, next)}
        />
      ))}
    </div>
  );
}
