// What the stream is doing, over the picture: live, held, or coming back; and one sentence when it is not what it could be.
import { useEffect, useState } from "react";
import { adviceOf } from "../state/advice.ts";
import { rounded } from "../state/figures.ts";
import type { State } from "../state/state.ts";
import { useStore } from "../studio-context.tsx";

export function StageStatus() {
  const isPaused = useStore((state) => state.isPaused);
  const isReloading = useStore((state) => state.isReloading);
  const isPending = useStore((state) => state.isPending);
  const interruption = useStore((state) => state.interruption);
  const inputTrouble = useStore((state) => state.inputTrouble);
  const advice = useStore(currentAdvice);
  const fps = useStore(({ history }) => history.at(-1)?.fpsOut);
  const seconds = useSecondsSince(interruption?.sinceMs);
  const recording = useStore((state) => state.recording);
  const recordedS = useSecondsSince(recording?.startedMs);

  // A hiccup is told in a line; the picture is covered only when it is lost.
  const trouble =
    interruption?.attempt === 0
      ? "The network holds its breath: nothing arrives, and the last picture stays until it does."
      : interruption === undefined
        ? inputTrouble
        : undefined;
  const status = interruption
    ? {
        tone: "bg-glow-soft",
        text: interruption.attempt === 0 ? "Waiting for the network" : "Connecting again",
        isBad: true,
      }
    : isReloading
      ? { tone: "bg-glow-soft", text: "Loading the model", isBad: false }
      : isPaused
        ? { tone: "bg-glow-soft", text: "Held", isBad: false }
        : { tone: "bg-tally", text: "Live", isBad: false };
  return (
    <>
      <div className="absolute top-3 left-3 z-20 flex max-w-[calc(78%-1.5rem)] flex-wrap items-center gap-2 sm:top-4 sm:left-4">
        <p className="chip" role="status">
          <span className={`tally size-2 rounded-full ${status.tone}`} aria-hidden="true" />
          {status.text}
        </p>
        {!interruption && !isPaused && !isReloading && fps !== undefined && (
          <p className="chip figures text-soft">{isPending ? "Applying…" : `${rounded(fps)} fps`}</p>
        )}
        {recording !== undefined && (
          <p className="chip figures">
            <span className="size-2 rounded-[2px] bg-tally" aria-hidden="true" />
            {Math.floor(recordedS / 60)}:{String(recordedS % 60).padStart(2, "0")}
          </p>
        )}
        {advice !== undefined && (
          <p className="chip min-w-0 font-normal text-soft max-sm:hidden" role="status">
            <span className="size-1.5 shrink-0 rounded-full bg-glow" aria-hidden="true" />
            <span className="truncate">{advice}</span>
          </p>
        )}
      </div>
      {interruption !== undefined && interruption.attempt > 0 && (
        <div
          className="rise absolute inset-0 z-10 grid place-content-center justify-items-center gap-2 bg-night/65 p-6 pt-14 text-center sm:gap-3 sm:pt-6"
          role="alert"
        >
          <p className="text-balance font-semibold text-xl tracking-tight sm:text-2xl lg:text-3xl">
            The connection was lost
          </p>
          <p className="figures max-w-96 text-pretty text-paper/85 max-sm:text-sm">
            Trying again
            {/* Seen, not heard: an alert that changes each second would be read out each second. */}
            <span aria-hidden="true">, for {seconds} s now</span>. Everything you set is kept and goes on by itself.
          </p>
          <Bars />
        </div>
      )}
      {trouble !== undefined && (
        <p
          role="alert"
          className="rise absolute inset-x-4 top-16 z-10 mx-auto w-fit max-w-lg rounded-2xl border border-glow/40 bg-night/85 px-4 py-2.5 text-center text-sm backdrop-blur-md"
        >
          {trouble}
        </p>
      )}
    </>
  );
}

/** One plain sentence when something is not as it could be. */
export function Advice() {
  const advice = useStore(currentAdvice);
  if (advice === undefined) return null;
  return (
    <p
      role="status"
      className="rise flex items-start gap-2.5 rounded-xl bg-glow/8 px-3.5 py-2.5 text-[0.825rem] text-soft leading-snug ring-1 ring-glow/20"
    >
      <span className="mt-1.5 size-1.5 shrink-0 rounded-full bg-glow" aria-hidden="true" />
      {advice}
    </p>
  );
}

export function currentAdvice({
  history,
  pipeline,
  settings,
  isPaused,
  kind,
  interruption,
  isReloading,
}: State): string | undefined {
  if (interruption !== undefined || isReloading) return undefined;
  const list = settings.look.values["denoisingStepList"];
  const hasInput = kind !== "none";
  const steps = Array.isArray(list) ? list.length : hasInput ? 2 : 4;
  return adviceOf({ history, size: pipeline?.size, steps, isPaused, hasInput });
}

function Bars() {
  return (
    <div className="mt-1 flex h-8 items-center gap-1.5" aria-hidden="true">
      {[0, 1, 2, 3, 4].map((i) => (
        <span key={i} className="bar w-1.5 rounded-full bg-glow" style={{ animationDelay: `${i * 120}ms` }} />
      ))}
    </div>
  );
}

/** Whole seconds since a moment, told anew each second; 0 without one. */
function useSecondsSince(startMs: number | undefined): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    if (startMs === undefined) return;
    const read = () => setSeconds(Math.floor((performance.now() - startMs) / 1000));
    read();
    const timer = setInterval(read, 500);
    return () => clearInterval(timer);
  }, [startMs]);
  return startMs === undefined ? 0 : seconds;
}
