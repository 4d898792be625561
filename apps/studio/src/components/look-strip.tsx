// The looks, each with a picture of what it does: the page's own until one was made of what the person's camera sees.
import { ChevronLeft, ChevronRight, LayoutGrid, Plus } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { addPrompt, MAX_PROMPTS } from "../state/look.ts";
import { PRESET_GROUPS, type Preset, presetOf } from "../state/presets.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { IconButton } from "./icon-button.tsx";
import { LookPicture } from "./look-picture.tsx";
import { LooksDialog } from "./looks-dialog.tsx";

export function LookStrip() {
  const strip = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);
  const prompt = useStore(({ settings }) =>
    settings.look.prompts.length === 1 ? settings.look.prompts[0]?.text : undefined,
  );
  const current = presetOf(prompt ?? "")?.id;
  const scroll = (direction: 1 | -1) =>
    strip.current?.scrollBy({ left: direction * strip.current.clientWidth * 0.8, behavior: "smooth" });
  useEffect(() => {
    if (current === undefined) return;
    const tile = strip.current?.querySelector<HTMLElement>(`[data-look="${current}"]`);
    const box = strip.current;
    if (tile == null || box === null) return;
    const isSeen =
      tile.offsetLeft >= box.scrollLeft && tile.offsetLeft + tile.offsetWidth <= box.scrollLeft + box.clientWidth;
    if (!isSeen) box.scrollTo({ left: tile.offsetLeft - box.clientWidth / 2, behavior: "smooth" });
  }, [current]);
  return (
    <section aria-label="Looks" className="relative flex shrink-0 items-center gap-1">
      <IconButton label="Looks before" className="max-sm:hidden" onClick={() => scroll(-1)}>
        <ChevronLeft aria-hidden="true" />
      </IconButton>
      <div
        ref={strip}
        className="fade-x relative flex min-w-0 flex-1 snap-x gap-2 overflow-x-auto scroll-smooth px-3 py-1.5 [scrollbar-width:none]"
      >
        {PRESET_GROUPS.map(({ label, presets }, i) => (
          <div key={label} className="contents">
            {i > 0 && <span className="mx-1.5 my-4 w-px shrink-0 bg-edge" aria-hidden="true" />}
            {presets.map((preset) => (
              <LookTile
                key={preset.id}
                preset={preset}
                isOn={preset.id === current}
                className="w-[6.4rem] shrink-0 snap-start"
              />
            ))}
          </div>
        ))}
      </div>
      <IconButton label="More looks" className="max-sm:hidden" onClick={() => scroll(1)}>
        <ChevronRight aria-hidden="true" />
      </IconButton>
      <IconButton label="All looks" onClick={() => setOpen(true)}>
        <LayoutGrid aria-hidden="true" />
      </IconButton>
      <LooksDialog isOpen={isOpen} onOpenChange={setOpen} />
    </section>
  );
}

type LookTileProps = { preset: Preset; isOn: boolean; className?: string };

export function LookTile({ preset, isOn, className = "" }: LookTileProps) {
  const studio = useStudio();
  const touring = useStore((state) => state.touring);
  const isFull = useStore(({ settings }) => settings.look.prompts.length >= MAX_PROMPTS);
  return (
    <div className={`group relative ${className}`} data-look={preset.id}>
      <button
        type="button"
        aria-label={preset.label}
        aria-pressed={isOn}
        onClick={() => studio.sendPrompt(preset.prompt)}
        className={`block w-full overflow-hidden rounded-xl text-left ring-1 transition duration-200 ${
          isOn ? "ring-2 ring-glow" : "ring-line hover:-translate-y-0.5 hover:ring-edge"
        } ${touring === preset.id ? "tally" : ""}`}
      >
        <span className="relative block aspect-video w-full overflow-hidden bg-raised">
          <LookPicture preset={preset} />
          <span className="absolute inset-x-0 bottom-0 bg-gradient-to-t from-black/85 to-transparent px-2 pt-5 pb-1.5 text-[0.68rem] text-white leading-none">
            <span className="block truncate">{preset.label}</span>
          </span>
        </span>
      </button>
      {!isOn && !isFull && (
        <button
          type="button"
          aria-label={`Mix ${preset.label} in`}
          title={`Mix ${preset.label} in`}
          onClick={() => studio.setLook(addPrompt(studio.store.get().settings.look, preset.prompt))}
          className="absolute top-1 right-1 grid size-6 place-content-center rounded-full bg-night/75 text-paper opacity-0 transition hover:bg-glow hover:text-ember focus-visible:opacity-100 group-hover:opacity-100"
        >
          <Plus className="size-3.5" aria-hidden="true" />
        </button>
      )}
    </div>
  );
}
