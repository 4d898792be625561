// Name on the left; on the right what the server is doing, in one line that screen readers hear when it changes.
import { sizeText } from "../figures.ts";
import type { Snapshot } from "../studio.ts";

export function Header({ snapshot }: { snapshot: Snapshot }) {
  const { text, detail, tone } = serverLine(snapshot);
  const dot = { good: "bg-good", busy: "bg-glow tally", bad: "bg-tally" }[tone];
  return (
    <header className="flex h-14 items-center justify-between gap-4 lg:h-16">
      <h1 className="flex items-center gap-2.5 font-semibold text-[1.05rem] tracking-[-0.02em]">
        <Mark />
        everframe
      </h1>
      <p
        className="flex min-w-0 items-center gap-2 rounded-full border border-line bg-panel/70 py-1.5 pr-3.5 pl-3 text-soft text-xs"
        role="status"
      >
        <span className={`size-1.5 shrink-0 rounded-full ${dot}`} aria-hidden="true" />
        <span className="truncate">{text}</span>
        {detail !== "" && <span className="figures hidden shrink-0 text-muted sm:inline">{detail}</span>}
      </p>
    </header>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 32 24" className="h-5 w-auto text-glow" fill="none" aria-hidden="true">
      <rect x="1" y="1" width="30" height="22" rx="6" stroke="currentColor" strokeWidth="2" opacity="0.35" />
      <rect x="6" y="5" width="20" height="14" rx="4" stroke="currentColor" strokeWidth="2" opacity="0.7" />
      <rect x="11" y="9" width="10" height="6" rx="2" fill="currentColor" />
    </svg>
  );
}

type ServerLine = { text: string; detail: string; tone: "good" | "busy" | "bad" };

function serverLine({ reachable, pipeline }: Snapshot): ServerLine {
  if (reachable === undefined) return { text: "Looking for the server", detail: "", tone: "busy" };
  if (!reachable) return { text: "No answer from the server", detail: "", tone: "bad" };
  switch (pipeline?.status) {
    case "loaded":
      return { text: pipeline.model ?? pipeline.pipeline ?? "Ready", detail: sizeText(pipeline.size), tone: "good" };
    case "error":
      return { text: "The model could not be loaded", detail: "", tone: "bad" };
    default:
      return { text: "Loading the model", detail: "", tone: "busy" };
  }
}
