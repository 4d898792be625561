// The line between input and output, to be dragged or moved by the arrow keys.
import { ChevronsLeftRight } from "lucide-react";
import type { RefObject } from "react";
import { useStore, useStudio } from "../studio-context.tsx";

const KEY_STEP = 0.02;

export function SplitLine({ frame }: { frame: RefObject<HTMLDivElement | null> }) {
  const studio = useStudio();
  const split = useStore(({ settings }) => settings.view.split);
  const move = (value: number) => studio.setView({ split: Math.min(1, Math.max(0, value)) });
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label="Line between input and output"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(split * 100)}
      aria-orientation="horizontal"
      data-keys="arrows"
      className="group/line absolute inset-y-0 z-10 -ml-5 flex w-10 cursor-ew-resize touch-none justify-center outline-none"
      style={{ left: `${split * 100}%` }}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        const box = frame.current?.getBoundingClientRect();
        if (box !== undefined && event.currentTarget.hasPointerCapture(event.pointerId))
          move((event.clientX - box.left) / box.width);
      }}
      onKeyDown={({ key }) => {
        if (key === "ArrowLeft") move(split - KEY_STEP);
        if (key === "ArrowRight") move(split + KEY_STEP);
      }}
    >
      <div className="h-full w-0.5 bg-white/90 shadow-[0_0_12px_rgb(0_0_0/0.7)]" />
      <div className="absolute top-1/2 grid size-10 -translate-y-1/2 place-content-center rounded-full bg-paper text-night shadow-float transition group-focus-visible/line:ring-4 group-focus-visible/line:ring-glow">
        <ChevronsLeftRight className="size-4.5" aria-hidden="true" />
      </div>
    </div>
  );
}
