// Normal or VACE, and one line each on which is for what.

import type { Mode } from "../state/look.ts";
import { useStore, useStudio } from "../studio-context.tsx";

const MODES: readonly { mode: Mode; label: string; when: string }[] = [
  {
    mode: "normal",
    label: "Normal",
    when: "Starts from your picture. Fastest; you choose how much of it stays.",
  },
  { mode: "vace", label: "VACE", when: "Redraws along your picture. For references and control videos." },
];

export function ModeSwitch() {
  const studio = useStudio();
  const current = useStore(({ settings }) => settings.look.mode);
  return (
    <div role="radiogroup" aria-label="Mode" className="grid grid-cols-2 gap-2">
      {MODES.map(({ mode, label, when }) => {
        const isOn = mode === current;
        return (
          // biome-ignore lint/a11y/useSemanticElements: two cards with several lines each are one choice
          <button
            key={mode}
            type="button"
            role="radio"
            aria-checked={isOn}
            aria-label={label}
            aria-description={when}
            onClick={() => studio.patchLook({ mode })}
            onKeyDown={({ key }) => {
              if (!key.startsWith("Arrow")) return;
              studio.patchLook({ mode: mode === "vace" ? "normal" : "vace" });
            }}
            tabIndex={isOn ? 0 : -1}
            ref={(element) => {
              // The arrow keys move the focus with the choice.
              if (isOn && element !== null && document.activeElement?.parentElement === element.parentElement)
                element.focus();
            }}
            className={`flex flex-col gap-1 rounded-xl border p-3 text-left transition duration-200 ${
              isOn ? "border-glow/70 bg-glow/10" : "border-line hover:border-edge hover:bg-raised/60"
            }`}
          >
            <span className={`font-semibold text-[0.85rem] ${isOn ? "text-paper" : "text-soft"}`}>{label}</span>
            <span className="text-pretty text-[0.7rem] text-muted leading-snug">{when}</span>
          </button>
        );
      })}
    </div>
  );
}
