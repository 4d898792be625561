// The controls over the picture: the source, the layout, what is kept. They fade while nobody moves.
import {
  Camera,
  CaretsToAxisDashedVertical,
  Circle,
  Columns2,
  Maximize2,
  MonitorUp,
  Pause,
  PictureInPicture,
  PictureInPicture2,
  Play,
  Square,
  SquareSplitHorizontal,
} from "lucide-react";
import { useEffect, useState } from "react";
import type { Layout } from "../state/settings.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { IconButton } from "./icon-button.tsx";
import { SourceMenu } from "./source-menu.tsx";

const REST_MS = 3_500;

const LAYOUTS: readonly { layout: Layout; label: string; icon: React.ReactNode }[] = [
  { layout: "output", label: "Output with the input as an inset", icon: <PictureInPicture aria-hidden="true" /> },
  { layout: "side", label: "Side by side", icon: <Columns2 aria-hidden="true" /> },
  { layout: "split", label: "Split by a line", icon: <SquareSplitHorizontal aria-hidden="true" /> },
];

export function StageDock() {
  const studio = useStudio();
  const view = useStore(({ settings }) => settings.view);
  const isPaused = useStore((state) => state.isPaused);
  const isRecording = useStore((state) => state.recording !== undefined);
  const hasSource = useStore((state) => state.source !== undefined);
  const isCamera = useStore((state) => state.source?.kind === "camera");
  const isResting = useResting();
  return (
    <div
      className={`absolute inset-x-0 bottom-0 z-10 flex flex-wrap items-center justify-between gap-x-3 gap-y-1 bg-gradient-to-t from-black/75 to-transparent px-2 pt-10 pb-2 transition-opacity duration-500 focus-within:opacity-100 sm:px-3 sm:pb-3 ${isResting ? "opacity-0" : ""}`}
    >
      <div className="flex items-center gap-0.5">
        <IconButton
          look="glass"
          label={isPaused ? "Go on" : "Hold the picture"}
          command="pause"
          onClick={() => studio.stream.setPaused(!isPaused)}
        >
          {isPaused ? (
            <Play className="fill-current" aria-hidden="true" />
          ) : (
            <Pause className="fill-current" aria-hidden="true" />
          )}
        </IconButton>
        <IconButton look="glass" label="Stop" onClick={() => studio.stream.stop()}>
          <Square className="fill-current" aria-hidden="true" />
        </IconButton>
        <SourceMenu />
      </div>
      <div className="flex items-center gap-0.5">
        {hasSource && (
          <fieldset className="mr-1 flex gap-0.5 max-sm:hidden">
            <legend className="sr-only">Layout</legend>
            {LAYOUTS.map(({ layout, label, icon }) => (
              <IconButton
                key={layout}
                look="glass"
                label={label}
                command="layout"
                pressed={view.layout === layout}
                onClick={() =>
                  studio.setView(
                    layout === "output" && view.layout === "output"
                      ? { inset: !view.inset }
                      : { layout, ...(layout === "output" ? { inset: true } : {}) },
                  )
                }
              >
                {icon}
              </IconButton>
            ))}
          </fieldset>
        )}
        {isCamera && (
          <IconButton
            look="glass"
            label="Mirror"
            command="mirror"
            pressed={view.mirror}
            onClick={() => studio.setView({ mirror: !view.mirror })}
          >
            <CaretsToAxisDashedVertical aria-hidden="true" />
          </IconButton>
        )}
        <IconButton look="glass" label="Take a still" command="still" onClick={() => void studio.takeStill()}>
          <Camera aria-hidden="true" />
        </IconButton>
        <IconButton
          look="glass"
          label={isRecording ? "Stop recording" : "Record"}
          command="record"
          onClick={() => studio.toggleRecording()}
          className={isRecording ? "text-tally!" : ""}
        >
          {isRecording ? (
            <Square className="fill-current" aria-hidden="true" />
          ) : (
            <Circle className="fill-tally text-tally" aria-hidden="true" />
          )}
        </IconButton>
        <IconButton
          look="glass"
          label="Picture in picture"
          command="pip"
          className="max-sm:hidden"
          onClick={() => studio.screens.togglePictureInPicture()}
        >
          <PictureInPicture2 aria-hidden="true" />
        </IconButton>
        <IconButton
          look="glass"
          label="Window for a projector"
          command="popout"
          className="max-sm:hidden"
          onClick={() => studio.screens.popOut()}
        >
          <MonitorUp aria-hidden="true" />
        </IconButton>
        <IconButton
          look="glass"
          label="Full screen"
          command="fullscreen"
          onClick={() => studio.screens.toggleFullscreen()}
        >
          <Maximize2 aria-hidden="true" />
        </IconButton>
      </div>
    </div>
  );
}

/** True when nobody has moved, touched or typed for a while. */
function useResting(): boolean {
  const [isResting, setResting] = useState(false);
  useEffect(() => {
    let timer = setTimeout(() => setResting(true), REST_MS);
    const wake = () => {
      setResting(false);
      clearTimeout(timer);
      timer = setTimeout(() => setResting(true), REST_MS);
    };
    const names = ["pointermove", "pointerdown", "keydown"] as const;
    for (const name of names) window.addEventListener(name, wake, { passive: true });
    return () => {
      clearTimeout(timer);
      for (const name of names) window.removeEventListener(name, wake);
    };
  }, []);
  return isResting;
}
