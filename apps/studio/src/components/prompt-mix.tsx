// Up to four prompts, blended by their weights.
import { Plus, X } from "lucide-react";
import { addPrompt, changePrompt, MAX_PROMPTS, removePrompt, shares } from "../state/look.ts";
import { PRESETS } from "../state/presets.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { CommitField } from "./commit-field.tsx";
import { Hint } from "./hint.tsx";
import { IconButton } from "./icon-button.tsx";
import { Segments } from "./segments.tsx";
import { SliderTrack } from "./slider.tsx";

const COLOURS = ["bg-glow", "bg-sky", "bg-leaf", "bg-orchid"];

export function PromptMix() {
  const studio = useStudio();
  const look = useStore(({ settings }) => settings.look);
  const { prompts } = look;
  const parts = shares(prompts);
  const blend = look.values["promptInterpolationMethod"] === "slerp" ? "slerp" : "linear";
  const next = PRESETS.find(({ prompt }) => prompts.every(({ text }) => text !== prompt))?.prompt ?? "photo";
  return (
    <fieldset className="flex min-w-0 shrink-0 flex-col gap-1.5 rounded-2xl border border-edge bg-panel p-3">
      <legend className="sr-only">Mix of prompts</legend>
      <div className="flex h-1.5 gap-0.5 overflow-hidden rounded-full" aria-hidden="true">
        {prompts.map((_, i) => (
          <span
            // biome-ignore lint/suspicious/noArrayIndexKey: a prompt's place in the mix is what it is known by
            key={i}
            className={`${COLOURS[i]} transition-[flex-grow] duration-200`}
            style={{ flexGrow: (parts[i] ?? 0) + 0.0001 }}
          />
        ))}
      </div>
      {prompts.map(({ text, weight }, i) => {
        const name = i === 0 ? "Prompt" : `Prompt ${i + 1}`;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a prompt's place in the mix is what it is known by
          <div key={i} className="flex items-center gap-2 sm:gap-3">
            <span className={`size-2 shrink-0 rounded-full ${COLOURS[i]}`} aria-hidden="true" />
            <CommitField
              {...(i === 0 ? { id: "prompt" } : {})}
              label={name}
              value={text}
              className="h-9 w-0 flex-1 text-[0.9rem]"
              parse={(draft) => (draft.trim() === "" ? undefined : draft.trim().slice(0, 1000))}
              onCommit={(draft) => studio.setLook(changePrompt(look, i, { text: draft }))}
            />
            <SliderTrack
              label={`Weight of ${text}`}
              value={weight}
              max={1}
              step={0.01}
              target={`weight:${i}`}
              className="w-24 sm:w-40 xl:w-64"
              onChange={(value) => studio.setLook(changePrompt(look, i, { weight: value }))}
            />
            <output className="figures w-9 shrink-0 text-right text-[0.8rem] text-soft">
              {Math.round((parts[i] ?? 0) * 100)}%
            </output>
            <IconButton label={`Take ${text} out`} onClick={() => studio.setLook(removePrompt(look, i))}>
              <X aria-hidden="true" />
            </IconButton>
          </div>
        );
      })}
      <div className="flex items-center justify-between gap-3">
        <button
          type="button"
          disabled={prompts.length >= MAX_PROMPTS}
          onClick={() => studio.setLook(addPrompt(look, next))}
          className="flex h-8 items-center gap-1.5 rounded-lg px-2 text-[0.8rem] text-soft transition hover:bg-raised hover:text-paper disabled:opacity-35"
        >
          <Plus className="size-3.5" aria-hidden="true" />
          Add a prompt
        </button>
        {prompts.length === 2 && (
          <Hint text="How the two are blended: straight from one to the other, or along an arc, which keeps the middle as strong as the ends.">
            <div className="w-44">
              <Segments
                label="Blend"
                value={blend}
                options={[
                  { value: "linear", label: "Straight" },
                  { value: "slerp", label: "Arc" },
                ]}
                onChange={(method) => studio.setValue("promptInterpolationMethod", method)}
              />
            </div>
          </Hint>
        )}
      </div>
    </fieldset>
  );
}
