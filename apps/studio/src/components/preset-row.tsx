// Prompts to begin with, each with a picture of what it does.
import { PRESETS, presetOf } from "../presets.ts";
import { Scene } from "./scene.tsx";

export function PresetRow({ applied, onApply }: { applied: string; onApply: (prompt: string) => void }) {
  const current = presetOf(applied);
  return (
    <fieldset className="-mx-4 min-w-0 sm:mx-0">
      <legend className="sr-only">Prompts to begin with</legend>
      <div className="flex snap-x scroll-px-4 gap-2 overflow-x-auto px-4 py-1 [scrollbar-width:none] sm:px-0.5 xl:grid xl:grid-cols-8 xl:overflow-visible">
        {PRESETS.map((preset) => {
          const active = preset === current;
          return (
            <button
              key={preset.style}
              type="button"
              aria-pressed={active}
              onClick={() => onApply(preset.prompt)}
              className={`group min-w-[6.9rem] snap-start xl:min-w-0 overflow-hidden rounded-xl border text-left transition duration-200 ${
                active ? "border-glow bg-raised" : "border-line bg-panel hover:border-edge hover:bg-raised"
              }`}
            >
              <svg
                viewBox="62 8 238 112"
                preserveAspectRatio="xMidYMid slice"
                className={`block aspect-[17/8] w-full transition duration-300 ${active ? "" : "opacity-80 group-hover:opacity-100"}`}
                aria-hidden="true"
              >
                <Scene style={preset.style} />
              </svg>
              <span
                className={`block truncate px-2 py-1.5 text-[0.7rem] 2xl:text-xs ${active ? "text-paper" : "text-muted group-hover:text-paper"}`}
              >
                {preset.label}
              </span>
            </button>
          );
        })}
      </div>
    </fieldset>
  );
}
