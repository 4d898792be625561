// The output: the artwork and the big button before the first start, the steps on the way, then the video.
import { Maximize2, Square } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { DEFAULT_SIZE } from "../figures.ts";
import type { Snapshot, Studio } from "../studio.ts";
import { Button } from "./button.tsx";
import { Glow } from "./glow.tsx";
import { Mosaic } from "./mosaic.tsx";
import { BusyView, IdleView, NoticeView } from "./stage-views.tsx";
import { Video } from "./video.tsx";

/** Leaves room for the prompt, the presets and the figures. */
const MAX_HEIGHT = "max(20rem, 100dvh - 19.5rem)";

type StageProps = { snapshot: Snapshot; studio: Studio };

export function Stage({ snapshot, studio }: StageProps) {
  const { phase, notice, output, source, settings, pipeline, interrupted, remark } = snapshot;
  const frame = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const showsVideo = output !== undefined;
  const mirrored = settings.mirror && source?.kind === "camera";
  const [pictureSize, setPictureSize] = useState<{ width: number; height: number }>();
  const { width, height } = (showsVideo ? pictureSize : undefined) ?? pipeline?.size ?? DEFAULT_SIZE;

  useEffect(() => {
    const handleKey = (event: KeyboardEvent) => {
      if (event.key === "f" && !isTyping(event) && showsVideo) toggleFullscreen(frame.current);
    };
    window.addEventListener("keydown", handleKey);
    return () => window.removeEventListener("keydown", handleKey);
  }, [showsVideo]);

  return (
    <div className="relative">
      {phase === "live" && <Glow video={video} mirrored={mirrored} />}
      <div
        ref={frame}
        className={`group relative isolate mx-auto flex w-full flex-col overflow-hidden rounded-3xl bg-black shadow-stage ring-1 ring-line ${
          showsVideo ? "max-lg:rounded-2xl" : source === undefined ? "max-sm:min-h-[34rem]" : "max-sm:min-h-[23rem]"
        }`}
        style={{
          aspectRatio: `${width} / ${height}`,
          maxHeight: MAX_HEIGHT,
          // Video is shown whole and without bars; the artwork may be cropped.
          ...(showsVideo ? { maxWidth: `calc(${MAX_HEIGHT} * ${width / height})` } : {}),
        }}
        data-phase={phase}
      >
        {!showsVideo && <Backdrop source={source?.stream} mirrored={mirrored} />}
        {showsVideo && (
          <Video
            ref={video}
            stream={output}
            label="Generated video"
            mirrored={mirrored}
            className={`absolute inset-0 size-full object-contain transition-opacity duration-700 ${phase === "live" ? "" : "opacity-0"}`}
            onFirstPicture={() => studio.firstPicture()}
            onSize={setPictureSize}
          />
        )}
        {phase === "live" && <LiveBadge interrupted={interrupted} />}
        {notice !== undefined ? (
          <NoticeView snapshot={snapshot} studio={studio} />
        ) : phase === "idle" ? (
          <IdleView snapshot={snapshot} studio={studio} />
        ) : (
          phase !== "live" && <BusyView snapshot={snapshot} studio={studio} />
        )}
        {phase === "live" && (
          <div className="absolute right-3 bottom-3 flex gap-2 sm:right-4 sm:bottom-4">
            <Button
              look="glass"
              aria-label="Full screen"
              title="Full screen (F)"
              size="icon"
              onClick={() => toggleFullscreen(frame.current)}
            >
              <Maximize2 aria-hidden="true" />
            </Button>
            <Button
              look="glass"
              icon={<Square className="fill-current" aria-hidden="true" />}
              onClick={() => studio.stop()}
            >
              Stop
            </Button>
          </div>
        )}
        <p
          role="status"
          className={`pointer-events-none absolute inset-x-4 bottom-16 mx-auto w-fit max-w-[40rem] rounded-full bg-night/85 px-4 py-2 text-center text-sm backdrop-blur-md transition duration-300 ${
            remark === undefined ? "translate-y-2 opacity-0" : ""
          }`}
        >
          {remark}
        </p>
      </div>
    </div>
  );
}

/** Behind the words: the artwork, or the open source, dimmed. */
function Backdrop({ source, mirrored }: { source: MediaStream | undefined; mirrored: boolean }) {
  return (
    <div className="absolute inset-0 -z-10" aria-hidden="true">
      {source === undefined ? (
        <div className="absolute inset-x-0 top-0 h-[62%] sm:h-full">
          <Mosaic />
        </div>
      ) : (
        <Video
          stream={source}
          label=""
          mirrored={mirrored}
          className="absolute inset-0 size-full scale-110 object-cover opacity-60 blur-2xl saturate-50"
        />
      )}
      <div className="absolute inset-0 bg-[linear-gradient(98deg,rgb(12_10_9/0.95)_10%,rgb(12_10_9/0.8)_32%,rgb(12_10_9/0.08)_56%,rgb(12_10_9/0.22))] max-sm:bg-[linear-gradient(to_top,rgb(12_10_9)_48%,rgb(12_10_9/0.5)_60%,rgb(12_10_9/0.02)_78%)]" />
    </div>
  );
}

function LiveBadge({ interrupted }: { interrupted: boolean }) {
  return (
    <p
      className="absolute top-3 left-3 flex items-center gap-2 rounded-full border border-white/10 bg-night/55 px-3 py-1.5 font-medium text-xs backdrop-blur-md sm:top-4 sm:left-4"
      role="status"
    >
      <span className={`tally size-2 rounded-full ${interrupted ? "bg-glow-soft" : "bg-tally"}`} aria-hidden="true" />
      {interrupted ? "The connection is weak, waiting for it to heal" : "Live"}
    </p>
  );
}

function isTyping({ target }: KeyboardEvent): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

function toggleFullscreen(element: HTMLElement | null): void {
  const change = document.fullscreenElement === null ? element?.requestFullscreen?.() : document.exitFullscreen();
  change?.catch((error: unknown) => console.warn("The browser did not change to full screen.", error));
}
