// The studio itself: the picture with its prompt on one side, what plays it on the other.
import { GalleryHorizontalEnd } from "lucide-react";
import { useStore, useStudio } from "../studio-context.tsx";
import { Inspector } from "./inspector.tsx";
import { LookStrip } from "./look-strip.tsx";
import { PromptBar } from "./prompt-bar.tsx";
import { Stage } from "./stage.tsx";
import { TimelineDrawer } from "./timeline-drawer.tsx";

export function Workspace() {
  const studio = useStudio();
  const hasTimeline = useStore(({ settings }) => settings.view.timeline);
  const isUnchanged = useStore(({ settings, schemas }) => schemas[settings.load.pipeline]?.supports_prompts === false);
  return (
    <main className="flex min-h-0 flex-1 flex-col gap-3 px-3 pb-3 lg:grid lg:grid-cols-[minmax(0,1fr)_22rem] lg:gap-4 lg:px-5 lg:pb-5">
      <div className="flex min-h-0 min-w-0 flex-col gap-3 max-lg:contents">
        <Stage />
        <div
          className={`flex flex-col gap-2 transition-opacity ${isUnchanged ? "opacity-35" : ""}`}
          inert={isUnchanged}
        >
          <PromptBar />
          <LookStrip />
        </div>
        {hasTimeline ? (
          <TimelineDrawer />
        ) : (
          <button
            type="button"
            onClick={() => studio.setView({ timeline: true })}
            className="flex h-8 shrink-0 items-center justify-center gap-2 rounded-xl text-[0.8rem] text-muted transition hover:bg-panel hover:text-paper"
          >
            <GalleryHorizontalEnd className="size-4" aria-hidden="true" />
            Timeline
          </button>
        )}
      </div>
      <Inspector />
    </main>
  );
}
