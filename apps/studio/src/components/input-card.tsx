// What goes in: a preview of the source and the choice of sources.
import { Camera, FileVideo, FlipHorizontal2, MonitorUp, VideoOff } from "lucide-react";
import type { ReactNode } from "react";
import { DEFAULT_SIZE } from "../figures.ts";
import type { Snapshot, SourceKind, Studio } from "../studio.ts";
import { FilePicker } from "./file-picker.tsx";
import { Video } from "./video.tsx";

export function InputCard({ snapshot, studio }: { snapshot: Snapshot; studio: Studio }) {
  const { source, settings, pipeline } = snapshot;
  const { width, height } = pipeline?.size ?? DEFAULT_SIZE;
  const mirrored = settings.mirror && source?.kind === "camera";
  const begin = (kind: SourceKind, chosen?: File) => void studio.start(kind, chosen);
  return (
    <div className="overflow-hidden rounded-2xl border border-line bg-panel">
      <div
        className={`relative bg-night ${source === undefined ? "max-lg:hidden" : ""}`}
        style={{ aspectRatio: `${width} / ${height}` }}
      >
        {source === undefined ? (
          <div className="absolute inset-0 grid place-content-center justify-items-center gap-2.5 text-muted">
            <VideoOff className="size-6 stroke-[1.5]" aria-hidden="true" />
            <p className="text-sm">Nothing goes in yet</p>
          </div>
        ) : (
          <>
            <Video
              stream={source.stream}
              label="Input video"
              mirrored={mirrored}
              className="absolute inset-0 size-full object-cover"
            />
            <p className="absolute bottom-2 left-2 max-w-[75%] truncate rounded-full bg-night/60 px-2.5 py-1 text-[0.7rem] text-soft backdrop-blur-md">
              {source.label}
            </p>
            {source.kind === "camera" && (
              <button
                type="button"
                className={`absolute right-2 bottom-2 grid size-7 place-content-center rounded-full backdrop-blur-md transition ${mirrored ? "bg-paper/90 text-night" : "bg-night/60 text-soft hover:text-paper"}`}
                aria-label="Mirror the camera"
                aria-pressed={mirrored}
                title="Mirror the camera"
                onClick={() => studio.change({ mirror: !settings.mirror })}
              >
                <FlipHorizontal2 className="size-3.5" aria-hidden="true" />
              </button>
            )}
          </>
        )}
      </div>
      <fieldset className="grid grid-cols-3 border-line border-t">
        <legend className="sr-only">Source</legend>
        <SourceButton
          active={source?.kind === "camera"}
          icon={<Camera />}
          label="Camera"
          onClick={() => begin("camera")}
        />
        <SourceButton
          active={source?.kind === "screen"}
          icon={<MonitorUp />}
          label="Screen"
          onClick={() => begin("screen")}
        />
        <FilePicker onChoose={(file) => begin("file", file)}>
          {(open) => <SourceButton active={source?.kind === "file"} icon={<FileVideo />} label="File" onClick={open} />}
        </FilePicker>
      </fieldset>
    </div>
  );
}

type SourceButtonProps = { active: boolean; icon: ReactNode; label: string; onClick: () => void };

function SourceButton({ active, icon, label, onClick }: SourceButtonProps) {
  return (
    <button
      type="button"
      aria-pressed={active}
      onClick={onClick}
      className={`relative flex h-11 items-center justify-center gap-2 border-line text-[0.825rem] transition not-first:border-l focus-visible:-outline-offset-2 [&_svg]:size-4 ${
        active ? "bg-raised text-paper [&_svg]:text-glow" : "text-muted hover:bg-raised/60 hover:text-paper"
      }`}
    >
      {icon}
      {label}
    </button>
  );
}
