// The picture, as large as the room allows, with the input beside it, over it or in a corner of it.
import { useEffect, useRef, useState } from "react";
import { DEFAULT_SIZE } from "../state/figures.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { Glow } from "./glow.tsx";
import { InputInset } from "./input-inset.tsx";
import { Mosaic } from "./mosaic.tsx";
import { SplitLine } from "./split-line.tsx";
import { StageDock } from "./stage-dock.tsx";
import { StageStatus } from "./stage-status.tsx";
import { BusyView, IdleView, NoticeView } from "./stage-views.tsx";
import { Video } from "./video.tsx";

export function Stage() {
  const studio = useStudio();
  const phase = useStore((state) => state.phase);
  const notice = useStore((state) => state.notice);
  const output = useStore((state) => state.output);
  const source = useStore((state) => state.source);
  const pipeline = useStore((state) => state.pipeline);
  const view = useStore(({ settings }) => settings.view);
  const isHeld = useStore(
    ({ isReloading, interruption, isPaused }) => isReloading || interruption !== undefined || isPaused,
  );
  const frame = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const inputVideo = useRef<HTMLVideoElement>(null);
  const [pictureSize, setPictureSize] = useState<{ width: number; height: number }>();
  const hasVideo = output !== undefined;
  const isLive = phase === "live";
  const isMirrored = view.mirror && source?.kind === "camera";
  const layout = isLive && source !== undefined ? view.layout : "output";
  const { width, height } = (hasVideo ? pictureSize : undefined) ?? pipeline?.size ?? DEFAULT_SIZE;
  // The picture rounds its own corners, too: with the inset's inside them Chromium leaves holes beside the stage's.
  const shape = layout === "side" ? "w-1/2" : "w-full rounded-[inherit]";
  const ratio = (layout === "side" ? 2 : 1) * (width / height);

  useEffect(() => {
    Object.assign(studio.stage, {
      video: video.current ?? undefined,
      inputVideo: inputVideo.current ?? undefined,
      frame: frame.current ?? undefined,
    });
    return () => void Object.assign(studio.stage, { video: undefined, inputVideo: undefined, frame: undefined });
  });

  return (
    <section className="stage-room min-h-0 lg:relative min-w-0 flex-1" aria-label="Output">
      <div className="stage-fit relative" style={{ "--ratio": ratio } as React.CSSProperties}>
        {isLive && layout === "output" && <Glow video={video} mirrored={isMirrored} />}
        <div
          ref={frame}
          className="stage-frame group relative isolate flex size-full flex-col overflow-hidden rounded-2xl bg-black shadow-stage ring-1 ring-line lg:rounded-3xl fullscreen:rounded-none fullscreen:ring-0"
          data-phase={phase}
          data-layout={layout}
        >
          {!isLive && <Backdrop source={source?.stream} isMirrored={isMirrored} />}
          {hasVideo && (
            <Video
              ref={video}
              stream={output}
              label="Generated video"
              mirrored={isMirrored}
              className={`absolute inset-y-0 right-0 h-full object-contain transition-[opacity,filter] duration-700 ${shape} ${isLive ? "" : "opacity-0"} ${isHeld ? "brightness-50 saturate-50" : ""}`}
              onFirstPicture={() => studio.stream.firstPicture()}
              onSize={setPictureSize}
            />
          )}
          {hasVideo && source !== undefined && (
            <InputInset
              ref={inputVideo}
              stream={source.stream}
              layout={layout}
              isMirrored={isMirrored}
              isVisible={isLive}
              frame={frame}
            />
          )}
          {layout === "split" && <SplitLine frame={frame} />}
          {isLive && <StageStatus />}
          {notice !== undefined && !isLive ? <NoticeView /> : phase === "idle" ? <IdleView /> : !isLive && <BusyView />}
          {isLive && <StageDock />}
          <Remark />
        </div>
      </div>
    </section>
  );
}

/** Behind the words: the artwork, or the open source, dimmed. */
function Backdrop({ source, isMirrored }: { source: MediaStream | undefined; isMirrored: boolean }) {
  return (
    <div className="absolute inset-0 -z-10" aria-hidden="true">
      {source === undefined ? (
        <Mosaic />
      ) : (
        <Video
          stream={source}
          label=""
          mirrored={isMirrored}
          className="absolute inset-0 size-full scale-110 object-cover opacity-60 blur-2xl saturate-50"
        />
      )}
      <div className="veil absolute inset-0" />
    </div>
  );
}

function Remark() {
  // What a notice says need not be said twice.
  const remark = useStore(({ remark, notice }) => (remark === notice?.help ? undefined : remark));
  return (
    <p
      role="status"
      className={`pointer-events-none absolute inset-x-4 bottom-20 z-20 mx-auto w-fit max-w-[40rem] rounded-2xl border border-edge bg-night/85 px-4 py-2 text-center text-sm backdrop-blur-md transition duration-300 ${
        remark === undefined ? "translate-y-2 opacity-0" : ""
      }`}
    >
      {remark}
    </p>
  );
}
