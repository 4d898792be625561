// The timeline: a ruler with the playhead, prompts as bands, other changes as marks, and what plays and keeps them.
import { Circle, Download, FileUp, Pause, Play, Plus, Repeat, Trash2, X } from "lucide-react";
import { fileName, save } from "../conductor/recorder.ts";
import { clockText } from "../state/figures.ts";
import { EMPTY_TIMELINE, fromJson, setLength, toJson } from "../state/timeline.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { CommitField } from "./commit-field.tsx";
import { FilePicker } from "./file-picker.tsx";
import { IconButton } from "./icon-button.tsx";
import { TimelineTrack } from "./timeline-track.tsx";

export function TimelineDrawer() {
  const studio = useStudio();
  const timeline = useStore((state) => state.timeline);
  const isPlaying = useStore((state) => state.isPlaying);
  const isArmed = useStore((state) => state.isArmed);
  const isEmpty = timeline.events.length === 0;
  return (
    <section
      aria-label="Timeline"
      className="rise flex shrink-0 flex-col gap-2 rounded-2xl border border-line bg-panel p-2.5 lg:rounded-3xl lg:p-3"
    >
      <div className="flex flex-wrap items-center gap-1">
        <IconButton
          label={isPlaying ? "Pause the timeline" : "Play the timeline"}
          command="play"
          onClick={() => (isPlaying ? studio.timeline.pause() : studio.timeline.play())}
        >
          {isPlaying ? (
            <Pause className="fill-current" aria-hidden="true" />
          ) : (
            <Play className="fill-current" aria-hidden="true" />
          )}
        </IconButton>
        <Clock />
        <IconButton
          label="Loop"
          pressed={timeline.loop}
          onClick={() => studio.timeline.edit({ ...timeline, loop: !timeline.loop })}
        >
          <Repeat aria-hidden="true" />
        </IconButton>
        <IconButton
          label="Write what I change while it plays"
          pressed={isArmed}
          className={isArmed ? "text-tally!" : ""}
          onClick={() => studio.store.update({ isArmed: !isArmed })}
        >
          <Circle className="fill-current" aria-hidden="true" />
        </IconButton>
        <button
          type="button"
          onClick={() => studio.timeline.add()}
          className="ml-1 flex h-9 items-center gap-1.5 rounded-xl bg-raised px-3 text-[0.825rem] transition hover:bg-lifted"
        >
          <Plus className="size-4" aria-hidden="true" />
          Add at playhead
        </button>
        <div className="ml-auto flex items-center gap-1">
          <label
            className="flex items-center gap-1.5 text-[0.75rem] text-muted max-sm:hidden"
            htmlFor="timeline-length"
          >
            Seconds
            <CommitField
              id="timeline-length"
              label="Length in seconds"
              value={String(timeline.lengthS)}
              inputMode="numeric"
              className="w-14 text-right"
              parse={(text) => (Number(text) > 0 ? Number(text) : undefined)}
              onCommit={(seconds) => studio.timeline.edit(setLength(timeline, seconds))}
            />
          </label>
          <FilePicker
            label="Timeline file"
            accept="application/json,.json"
            onChoose={(file) =>
              void file.text().then((text) => {
                const opened = fromJson(text);
                if (opened === undefined) studio.stream.say("This is no timeline file.");
                else studio.timeline.edit(opened);
              })
            }
          >
            {(open) => (
              <IconButton label="Open a timeline file" onClick={open}>
                <FileUp aria-hidden="true" />
              </IconButton>
            )}
          </FilePicker>
          <IconButton
            label="Save as a file"
            disabled={isEmpty}
            onClick={() =>
              save(new Blob([toJson(timeline)], { type: "application/json" }), fileName("timeline", "json"))
            }
          >
            <Download aria-hidden="true" />
          </IconButton>
          <IconButton
            label="Clear the timeline"
            disabled={isEmpty}
            onClick={() => studio.timeline.edit({ ...EMPTY_TIMELINE, lengthS: timeline.lengthS })}
          >
            <Trash2 aria-hidden="true" />
          </IconButton>
          <IconButton label="Close the timeline" onClick={() => studio.setView({ timeline: false })}>
            <X aria-hidden="true" />
          </IconButton>
        </div>
      </div>
      <TimelineTrack />
    </section>
  );
}

function Clock() {
  const playheadS = useStore((state) => Math.floor(state.playheadS));
  const lengthS = useStore((state) => state.timeline.lengthS);
  return (
    <p className="figures px-1.5 text-[0.825rem]">
      {clockText(playheadS)} <span className="text-muted">/ {clockText(lengthS)}</span>
    </p>
  );
}
