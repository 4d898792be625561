// The words on the stage: on the way, when something went wrong, and between two streams.
import { Clapperboard, RotateCw, X } from "lucide-react";
import type { ReactNode } from "react";
import type { Studio } from "../conductor/studio.ts";
import { stageText } from "../state/figures.ts";
import type { Notice } from "../state/notice.ts";
import type { Phase, SourceKind } from "../state/state.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { Button } from "./button.tsx";
import { ProgressLine } from "./progress-line.tsx";
import { SourceButtons } from "./source-buttons.tsx";

/** Where the words stand: low on the left, as on a poster. */
function Words({ children }: { children: ReactNode }) {
  return (
    <div className="rise relative mt-auto flex max-w-[36rem] flex-col items-start gap-4 overflow-y-auto p-5 sm:p-8 lg:gap-5 lg:p-10">
      {children}
    </div>
  );
}

export function Title({ children }: { children: ReactNode }) {
  return (
    <h2 className="max-w-[28rem] text-balance font-semibold text-2xl leading-[1.05] tracking-[-0.035em] sm:text-4xl xl:text-5xl">
      {children}
    </h2>
  );
}

/** Between two streams. */
export function IdleView() {
  const studio = useStudio();
  const kind = useStore((state) => state.kind);
  return (
    <Words>
      <Title>
        Ready when
        <br />
        you are.
      </Title>
      <p className="text-[0.95rem] text-soft max-sm:hidden">Everything you set is still there.</p>
      <div className="flex flex-wrap gap-2.5">
        <Button look="primary" size="large" icon={<RotateCw aria-hidden="true" />} onClick={() => studio.start(kind)}>
          Start again
        </Button>
      </div>
      <SourceButtons />
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

export function BusyView() {
  const studio = useStudio();
  const phase = useStore((state) => state.phase);
  const kind = useStore((state) => state.kind);
  const pipeline = useStore((state) => state.pipeline);
  const queuePlace = useStore((state) => state.queuePlace);
  const current = STEPS.findIndex((step) => step.phase === phase);
  const step = STEPS[current];
  if (step === undefined) return null;
  const isWaiting = queuePlace !== undefined && phase === "connecting";
  const help = isWaiting
    ? `The server is full: you are number ${queuePlace} in line, and begin by yourself when it is your turn.`
    : ((phase === "waiting" ? stageText(pipeline) : undefined) ?? step.help(kind));
  return (
    <Words>
      <ol className="flex gap-1.5" aria-hidden="true">
        {STEPS.map((one, i) => (
          <li
            key={one.phase}
            className={`h-1 rounded-full transition-all duration-500 ${i <= current ? "w-8 bg-glow" : "w-4 bg-paper/20"}`}
          />
        ))}
      </ol>
      <div role="status" className="flex flex-col gap-2">
        <Title>{isWaiting ? "Waiting in line" : step.title}</Title>
        <p className="text-[0.95rem] text-soft">{help}</p>
      </div>
      <ProgressLine className="w-full max-w-80" />
      <Button icon={<X aria-hidden="true" />} onClick={() => studio.stream.stop()}>
        Cancel
      </Button>
    </Words>
  );
}

/** What a notice's button says and does. */
const ACTIONS: Record<Notice["action"], { label: string; run: (studio: Studio, notice: Notice) => void } | undefined> =
  {
    start: { label: "Start again", run: (studio) => studio.start(studio.store.get().kind) },
    load: { label: "Load again", run: (studio) => void studio.watch.load() },
    "without-loras": { label: "Go on without it", run: (studio, { help }) => void studio.goOnWithoutLoras(help) },
    none: undefined,
  };

export function NoticeView() {
  const studio = useStudio();
  const notice = useStore((state) => state.notice);
  const source = useStore((state) => state.source);
  if (notice === undefined) return null;
  const action = ACTIONS[notice.action];
  return (
    <Words>
      <div role="alert" className="flex flex-col gap-2.5">
        <Title>{notice.title}</Title>
        <p className="max-w-[24rem] text-pretty text-[0.95rem] text-soft leading-relaxed">
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
        {action !== undefined && (
          <Button
            look="primary"
            size="large"
            icon={<RotateCw aria-hidden="true" />}
            onClick={() => action.run(studio, notice)}
          >
            {action.label}
          </Button>
        )}
        {notice.offersScene === true && (
          <Button size="large" icon={<Clapperboard aria-hidden="true" />} onClick={() => studio.start("clip")}>
            Use the sample clip
          </Button>
        )}
        {source !== undefined && (
          <Button size="large" icon={<X aria-hidden="true" />} onClick={() => studio.stream.stop()}>
            Close the source
          </Button>
        )}
      </div>
      {notice.command !== undefined && <ProgressLine className="w-full max-w-80" />}
    </Words>
  );
}
