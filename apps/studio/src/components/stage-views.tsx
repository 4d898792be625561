// The words on the stage: before the start, on the way, and when something went wrong.
import { Camera, FileVideo, MonitorUp, RotateCw, X } from "lucide-react";
import type { ReactNode } from "react";
import { stageText } from "../figures.ts";
import { canShareScreen, type Phase, type Snapshot, type SourceKind, type Studio } from "../studio.ts";
import { Button } from "./button.tsx";
import { FilePicker } from "./file-picker.tsx";
import { ProgressLine } from "./progress-line.tsx";

type ViewProps = { snapshot: Snapshot; studio: Studio };

/** Where the words stand: low on the left, as on a poster. */
function Words({ children }: { children: ReactNode }) {
  return (
    <div className="rise mt-auto flex max-w-[34rem] flex-col items-start gap-4 p-5 max-sm:pb-10 sm:p-8 lg:gap-5 lg:p-10">
      {children}
    </div>
  );
}

function Title({ children }: { children: ReactNode }) {
  return (
    <h2 className="max-w-[28rem] text-balance font-semibold text-3xl leading-[1.05] tracking-[-0.035em] sm:text-4xl xl:text-5xl">
      {children}
    </h2>
  );
}

export function IdleView({ snapshot, studio }: ViewProps) {
  const { pipeline, source, kind, reachable } = snapshot;
  const loaded = pipeline?.status === "loaded";
  return (
    <Words>
      <Title>
        See yourself,
        <br />
        redrawn live.
      </Title>
      <p className="max-w-[21rem] text-pretty text-[0.95rem] text-soft leading-relaxed">
        Your camera goes in, what you type comes out, while you move. The pictures go to your own server and nowhere
        else.
      </p>
      <div className="flex max-w-[22rem] flex-wrap items-center gap-2">
        <Button
          look="primary"
          size="large"
          className="mb-1 min-w-full sm:min-w-64"
          icon={<Camera aria-hidden="true" />}
          onClick={() => void studio.start(source === undefined ? "camera" : kind)}
        >
          {source === undefined || kind === "camera" ? "Start camera" : "Start again"}
        </Button>
        {canShareScreen() && (
          <Button icon={<MonitorUp aria-hidden="true" />} onClick={() => void studio.start("screen")}>
            Share screen
          </Button>
        )}
        <FilePicker onChoose={(file) => void studio.start("file", file)}>
          {(open) => (
            <Button icon={<FileVideo aria-hidden="true" />} onClick={open}>
              Open video
            </Button>
          )}
        </FilePicker>
      </div>
      {!loaded && (
        <div className="absolute inset-x-0 bottom-0">
          <p className="px-5 pb-1.5 text-muted text-xs sm:px-8 lg:px-10">
            {reachable === undefined
              ? "Looking for the server"
              : ["Loading the model", stageText(pipeline)].filter(Boolean).join(" · ")}
          </p>
          <ProgressLine />
        </div>
      )}
    </Words>
  );
}

const STEPS: { phase: Phase; title: string; help: (kind: SourceKind) => string }[] = [
  {
    phase: "opening",
    title: "Opening the source",
    help: (kind) => (kind === "screen" ? "Choose what to share." : "Allow it if the browser asks."),
  },
  { phase: "waiting", title: "Loading the model", help: () => "The first start takes a moment." },
  { phase: "connecting", title: "Connecting", help: () => "Finding the way to the server." },
  { phase: "warming", title: "Drawing the first frames", help: () => "Twelve at a time, from now on." },
];

export function BusyView({ snapshot, studio }: ViewProps) {
  const current = STEPS.findIndex(({ phase }) => phase === snapshot.phase);
  const step = STEPS[current];
  if (step === undefined) return null;
  const stage = snapshot.phase === "waiting" ? stageText(snapshot.pipeline) : undefined;
  return (
    <Words>
      <ol className="flex gap-1.5" aria-hidden="true">
        {STEPS.map(({ phase }, i) => (
          <li
            key={phase}
            className={`h-1 rounded-full transition-all duration-500 ${i <= current ? "w-8 bg-glow" : "w-4 bg-paper/20"}`}
          />
        ))}
      </ol>
      <div role="status" className="flex flex-col gap-2">
        <Title>{step.title}</Title>
        <p className="text-[0.95rem] text-soft">{stage ?? step.help(snapshot.kind)}</p>
      </div>
      <ProgressLine className="w-full max-w-80" />
      <Button icon={<X aria-hidden="true" />} onClick={() => studio.stop()}>
        Cancel
      </Button>
    </Words>
  );
}

export function NoticeView({ snapshot, studio }: ViewProps) {
  const { notice, source, kind } = snapshot;
  if (notice === undefined) return null;
  return (
    <Words>
      <div role="alert" className="flex flex-col gap-2.5">
        <Title>{notice.title}</Title>
        <p className="max-w-[22rem] text-pretty text-[0.95rem] text-soft leading-relaxed">
          {notice.help}
          {notice.command !== undefined && (
            <>
              {" "}
              <code className="rounded-md border border-line bg-raised px-1.5 py-0.5 font-mono text-[0.85em] text-glow-soft">
                {notice.command}
              </code>
            </>
          )}
        </p>
      </div>
      <div className="flex flex-wrap gap-2.5">
        {notice.action === "start" && (
          <Button
            look="primary"
            size="large"
            icon={<RotateCw aria-hidden="true" />}
            onClick={() => void studio.start(kind)}
          >
            Start again
          </Button>
        )}
        {notice.action === "load" && (
          <Button look="primary" size="large" icon={<RotateCw aria-hidden="true" />} onClick={() => void studio.load()}>
            Load again
          </Button>
        )}
        {source !== undefined && (
          <Button size="large" icon={<X aria-hidden="true" />} onClick={() => studio.stop()}>
            Close the source
          </Button>
        )}
      </div>
      {notice.command !== undefined && <ProgressLine className="w-full max-w-80" />}
    </Words>
  );
}
