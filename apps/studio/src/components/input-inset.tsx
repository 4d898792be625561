// What goes in: an inset that can be moved, the left half, or the part left of the split's line. One video element for all
// of them, so that the picture does not stop when the layout changes.
import { GripVertical } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, type RefObject, useRef } from "react";
import type { Layout } from "../state/settings.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { Video } from "./video.tsx";

type InputInsetProps = {
  stream: MediaStream;
  layout: Layout;
  isMirrored: boolean;
  isVisible: boolean;
  frame: RefObject<HTMLDivElement | null>;
  ref: RefObject<HTMLVideoElement | null>;
};

/** Share of the stage's width. */
const WIDTH = 0.2;
const KEY_STEP = 0.04;
const clamp = (value: number) => Math.min(1, Math.max(0, value));

export function InputInset({ stream, layout, isMirrored, isVisible, frame, ref }: InputInsetProps) {
  const studio = useStudio();
  const { inset, insetX, insetY, split } = useStore(({ settings }) => settings.view);
  const grab = useRef({ x: 0, y: 0 });
  const isInset = layout === "output";
  const move = (x: number, y: number) => studio.setView({ insetX: clamp(x), insetY: clamp(y) });
  const share = ({ clientX, clientY }: PointerEvent) => {
    const box = frame.current?.getBoundingClientRect();
    return box === undefined
      ? { x: 0, y: 0 }
      : { x: (clientX - box.left) / box.width, y: (clientY - box.top) / box.height };
  };
  const drag = isInset
    ? {
        onPointerDown: (event: PointerEvent<HTMLDivElement>) => {
          const at = share(event);
          grab.current = { x: at.x - insetX, y: at.y - insetY };
          event.currentTarget.setPointerCapture(event.pointerId);
        },
        onPointerMove: (event: PointerEvent<HTMLDivElement>) => {
          if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
          const at = share(event);
          move(at.x - grab.current.x, at.y - grab.current.y);
        },
        onKeyDown: ({ key }: KeyboardEvent) => {
          const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
          if (step !== undefined) move(insetX + (step[0] ?? 0) * KEY_STEP, insetY + (step[1] ?? 0) * KEY_STEP * 1.8);
        },
        tabIndex: 0,
        role: "group",
        "aria-label": "Input, movable with the arrow keys",
        "data-keys": "arrows",
      }
    : {};
  const isHidden = !isVisible || (isInset && !inset);
  // The inset's middle stays far enough from the edges for all of it to be seen.
  const position = isInset
    ? {
        width: `max(${WIDTH * 100}%, 6.5rem)`,
        left: `clamp(0.75rem, ${insetX * 100}% - ${WIDTH * 50}%, 100% - max(${WIDTH * 100}%, 6.5rem) - 0.75rem)`,
        top: `clamp(0.75rem, ${insetY * 100}% - ${WIDTH * 50}%, 100% - max(${WIDTH * 100}%, 3.8rem) - 0.75rem)`,
      }
    : {};
  return (
    <div
      {...drag}
      className={`absolute overflow-hidden transition-opacity duration-300 ${isHidden ? "pointer-events-none invisible opacity-0" : ""} ${
        isInset
          ? "group/inset z-10 cursor-grab touch-none rounded-xl shadow-float ring-1 ring-white/25 active:cursor-grabbing"
          : layout === "side"
            ? "inset-y-0 left-0 w-1/2 border-night border-r-2"
            : "pointer-events-none inset-0"
      }`}
      style={{ ...position, ...(layout === "split" ? { clipPath: `inset(0 ${(1 - split) * 100}% 0 0)` } : {}) }}
    >
      <Video
        ref={ref}
        stream={stream}
        label="Input video"
        mirrored={isMirrored}
        className={isInset ? "block w-full" : "size-full object-cover"}
      />
      {isInset && (
        <GripVertical
          className="absolute top-1.5 right-1 size-4 text-white/80 opacity-0 drop-shadow transition group-hover/inset:opacity-100 group-focus-visible/inset:opacity-100"
          aria-hidden="true"
        />
      )}
    </div>
  );
}
