// The track itself. Marks and bands are dragged, or moved by the arrow keys and removed by Delete.
import { type KeyboardEvent, type PointerEvent, useMemo, useRef } from "react";
import { toControl } from "../state/controls.ts";
import { promptText } from "../state/look.ts";
import { eventText, moveEvent, removeEvent, type TimelineEvent } from "../state/timeline.ts";
import { useStore, useStudio } from "../studio-context.tsx";

const KEY_STEP_S = 0.5;
const COLOURS = ["#ff8552", "#7fb8e8", "#9bd28b", "#d7a0ea", "#e8c86a"];

export function TimelineTrack() {
  const studio = useStudio();
  const timeline = useStore((state) => state.timeline);
  const schema = useStore(({ schemas, settings }) => schemas[settings.load.pipeline]);
  const track = useRef<HTMLDivElement>(null);
  const { events, lengthS } = timeline;
  const labels = useMemo(
    () =>
      new Map(
        (schema?.parameters ?? []).flatMap((info) => toControl(info) ?? []).map(({ key, label }) => [key, label]),
      ),
    [schema],
  );
  const secondAt = ({ clientX }: PointerEvent) => {
    const box = track.current?.getBoundingClientRect();
    return box === undefined ? 0 : Math.min(lengthS, Math.max(0, ((clientX - box.left) / box.width) * lengthS));
  };
  const percent = (seconds: number) => `${(seconds / lengthS) * 100}%`;
  const seek = (event: PointerEvent<HTMLDivElement>) => {
    if (event.type === "pointerdown") event.currentTarget.setPointerCapture(event.pointerId);
    if (event.currentTarget.hasPointerCapture(event.pointerId)) studio.timeline.seek(secondAt(event));
  };
  const handlers = ({ id, atS }: TimelineEvent) => ({
    onPointerDown: (event: PointerEvent<HTMLButtonElement>) => {
      event.stopPropagation();
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent<HTMLButtonElement>) => {
      if (event.currentTarget.hasPointerCapture(event.pointerId))
        studio.timeline.edit(moveEvent(timeline, id, secondAt(event)));
    },
    onClick: () => studio.timeline.seek(atS),
    onKeyDown: (event: KeyboardEvent) => {
      const step = { ArrowLeft: -KEY_STEP_S, ArrowRight: KEY_STEP_S }[event.key];
      if (step !== undefined) studio.timeline.edit(moveEvent(timeline, id, atS + step));
      if (event.key === "Delete" || event.key === "Backspace") studio.timeline.edit(removeEvent(timeline, id));
    },
    "data-keys": "arrows",
  });
  const bands = events.filter(({ patch }) => patch.prompts !== undefined);
  const marks = events.filter(
    ({ patch }) => patch.mode !== undefined || patch.values !== undefined || patch.references !== undefined,
  );
  const ticks = ticksOf(lengthS);
  return (
    <div ref={track} className="relative touch-none select-none" onPointerDown={seek} onPointerMove={seek}>
      <div className="relative h-5 cursor-col-resize text-[0.65rem] text-muted" aria-hidden="true">
        {ticks.map((tick) => (
          <span
            key={tick}
            className="figures absolute top-0 border-edge border-l pl-1 leading-4"
            style={{ left: percent(tick) }}
          >
            {tick}
          </span>
        ))}
      </div>
      <div className="relative h-9 overflow-hidden rounded-lg bg-night/60 ring-1 ring-line">
        {bands.length === 0 && (
          <p className="grid h-full place-content-center px-2 text-center text-[0.75rem] text-muted">
            Choose a look, then add it here; move the playhead, and add the next.
          </p>
        )}
        {bands.map((event, i) => {
          const until = bands[i + 1]?.atS ?? lengthS;
          const colour = COLOURS[i % COLOURS.length];
          return (
            <button
              key={event.id}
              type="button"
              aria-label={`${promptText(event.patch.prompts ?? [])}, at ${event.atS} seconds`}
              title={eventText(event, labels)}
              className="absolute inset-y-0 cursor-grab overflow-hidden rounded-md border-l-[3px] px-2 text-left text-[0.75rem] text-paper transition-[filter] hover:brightness-125 focus-visible:-outline-offset-2"
              style={{
                left: percent(event.atS),
                width: percent(until - event.atS),
                borderColor: colour,
                background: `color-mix(in srgb, ${colour} 26%, transparent)`,
              }}
              {...handlers(event)}
            >
              <span className="block truncate">{promptText(event.patch.prompts ?? [])}</span>
            </button>
          );
        })}
      </div>
      <div className="relative mt-1 h-6 rounded-lg bg-night/60 ring-1 ring-line">
        {marks.map((event) => (
          <button
            key={event.id}
            type="button"
            aria-label={`${eventText(event, labels)}, at ${event.atS} seconds`}
            title={eventText(event, labels)}
            className="absolute top-1/2 size-3 -translate-x-1/2 -translate-y-1/2 rotate-45 cursor-grab rounded-[3px] bg-paper transition hover:scale-125 hover:bg-glow focus-visible:bg-glow"
            style={{ left: percent(event.atS) }}
            {...handlers(event)}
          />
        ))}
      </div>
      <Playhead />
    </div>
  );
}

function Playhead() {
  const studio = useStudio();
  const playheadS = useStore((state) => state.playheadS);
  const lengthS = useStore((state) => state.timeline.lengthS);
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label="Playhead"
      aria-valuemin={0}
      aria-valuemax={lengthS}
      aria-valuenow={Math.round(playheadS * 10) / 10}
      aria-valuetext={`${playheadS.toFixed(1)} of ${lengthS} seconds`}
      data-keys="arrows"
      onKeyDown={({ key }) => {
        if (key === "ArrowLeft") studio.timeline.seek(playheadS - KEY_STEP_S);
        if (key === "ArrowRight") studio.timeline.seek(playheadS + KEY_STEP_S);
        if (key === "Home") studio.timeline.seek(0);
        if (key === "End") studio.timeline.seek(lengthS);
      }}
      className="pointer-events-none absolute inset-y-0 w-px -translate-x-1/2 rounded bg-glow outline-offset-4"
      style={{ left: `${(playheadS / lengthS) * 100}%` }}
    >
      <span className="absolute top-0 -left-[5px] size-[11px] rounded-full bg-glow" />
    </div>
  );
}

/** Seconds at which the ruler says where it is: about ten. */
function ticksOf(lengthS: number): number[] {
  const step = [1, 2, 5, 10, 15, 30, 60, 120].find((one) => lengthS / one <= 10) ?? 120;
  return Array.from({ length: Math.ceil(lengthS / step) }, (_, i) => i * step);
}
