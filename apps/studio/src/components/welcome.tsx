// The first screen: one picture, one sentence, one button. What the camera is for is said before the browser asks.
import { Camera, ShieldCheck } from "lucide-react";
import { stageText } from "../state/figures.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { Button } from "./button.tsx";
import { Mosaic } from "./mosaic.tsx";
import { ProgressLine } from "./progress-line.tsx";
import { SourceButtons } from "./source-buttons.tsx";
import { NoticeView } from "./stage-views.tsx";

export function Welcome() {
  const studio = useStudio();
  const notice = useStore((state) => state.notice);
  const pipeline = useStore((state) => state.pipeline);
  const isReachable = useStore((state) => state.isReachable);
  const isLoaded = pipeline?.status === "loaded";
  return (
    <main className="absolute inset-0 isolate overflow-hidden">
      <div className="absolute inset-x-0 top-0 -z-10 h-[58%] sm:h-full">
        <Mosaic />
      </div>
      <div className="veil absolute inset-0 -z-10" />
      {notice !== undefined ? (
        <div className="absolute inset-0 flex flex-col max-sm:bottom-[14%]">
          <NoticeView />
        </div>
      ) : (
        <div className="rise absolute inset-x-0 bottom-0 flex max-w-[40rem] flex-col items-start gap-5 p-6 pb-10 sm:p-12 sm:pb-14 lg:gap-6 lg:p-20">
          <h2 className="text-balance font-semibold text-[2.6rem] leading-[0.98] tracking-[-0.04em] sm:text-6xl xl:text-7xl">
            See yourself,
            <br />
            redrawn live.
          </h2>
          <p className="max-w-[25rem] text-pretty text-soft leading-relaxed sm:text-lg">
            Your camera goes in, what you type comes out, while you move.
          </p>
          <Button
            look="primary"
            size="large"
            className="w-full sm:w-auto sm:px-8"
            icon={<Camera aria-hidden="true" />}
            onClick={() => studio.start("camera")}
          >
            Start with my camera
          </Button>
          <p className="flex max-w-[27rem] items-start gap-2.5 text-pretty text-[0.85rem] text-soft leading-relaxed">
            <ShieldCheck className="mt-0.5 size-4 shrink-0 text-good" aria-hidden="true" />
            Your browser will ask for the camera. Its pictures go to your own server and nowhere else; stop at any time.
          </p>
          <div className="flex flex-col gap-1">
            <p className="text-[0.8rem] text-muted">No camera at hand?</p>
            <SourceButtons />
          </div>
        </div>
      )}
      {!isLoaded && notice === undefined && (
        <div className="absolute inset-x-0 bottom-0">
          <p role="status" className="px-6 pb-1.5 text-muted text-xs sm:px-12 lg:px-20">
            {isReachable === undefined
              ? "Looking for the server"
              : ["Loading the model", stageText(pipeline)].filter(Boolean).join(" · ")}
          </p>
          <ProgressLine />
        </div>
      )}
    </main>
  );
}
