// Name on the left, pages in the middle, on the right what the server is doing and what belongs to the whole page.
import { Keyboard, Link2, Piano } from "lucide-react";
import { sizeText } from "../state/figures.ts";
import type { State } from "../state/state.ts";
import { useStore, useStudio } from "../studio-context.tsx";
import { IconButton } from "./icon-button.tsx";

const PAGES: readonly { page: State["page"]; label: string }[] = [
  { page: "studio", label: "Studio" },
  { page: "models", label: "Models" },
];

export function TopBar({ isBare }: { isBare: boolean }) {
  const studio = useStudio();
  const page = useStore((state) => state.page);
  return (
    <header className="relative z-20 flex h-14 shrink-0 items-center gap-2 px-4 sm:gap-3 sm:px-5">
      <h1 className="flex items-center gap-2.5 font-semibold text-[1.05rem] tracking-[-0.02em]">
        <Mark />
        <span className={isBare ? "" : "max-md:sr-only"}>everframe</span>
      </h1>
      <nav aria-label="Pages" className="flex gap-1 sm:ml-3">
        {PAGES.map((one) => (
          <a
            key={one.page}
            href={`#${one.page}`}
            aria-current={page === one.page ? "page" : undefined}
            className={`rounded-full px-3 py-1.5 text-[0.85rem] transition ${page === one.page ? `bg-raised text-paper ${isBare ? "max-sm:hidden" : ""}` : "text-soft hover:text-paper"}`}
          >
            {one.label}
          </a>
        ))}
      </nav>
      <div className="ml-auto flex min-w-0 items-center gap-1">
        <ServerPill />
        {!isBare && (
          <>
            <IconButton label="Copy a link to this look" command="share" onClick={() => void studio.share()}>
              <Link2 aria-hidden="true" />
            </IconButton>
            <IconButton
              label="MIDI controllers"
              className="max-sm:hidden"
              onClick={() => {
                studio.store.update({ dialog: "midi" });
                void studio.midi.open();
              }}
            >
              <Piano aria-hidden="true" />
            </IconButton>
            <IconButton
              label="Keys"
              command="help"
              className="max-sm:hidden"
              onClick={() => studio.store.update({ dialog: "shortcuts" })}
            >
              <Keyboard aria-hidden="true" />
            </IconButton>
          </>
        )}
      </div>
    </header>
  );
}

function ServerPill() {
  const isReachable = useStore((state) => state.isReachable);
  const pipeline = useStore((state) => state.pipeline);
  const { text, detail, tone } = serverLine(isReachable, pipeline);
  const dot = { good: "bg-good", busy: "bg-glow tally", bad: "bg-tally" }[tone];
  return (
    <p
      className="flex min-w-0 items-center gap-2 rounded-full border border-line bg-panel/70 py-1.5 pr-3.5 pl-3 text-soft text-xs backdrop-blur-md"
      role="status"
    >
      <span className={`size-1.5 shrink-0 rounded-full ${dot}`} aria-hidden="true" />
      <span className="truncate">{text}</span>
      {detail !== "" && <span className="figures shrink-0 text-muted max-sm:sr-only">{detail}</span>}
    </p>
  );
}

/** `text` is short enough for a phone; on larger screens `detail` goes on with the sentence. */
type ServerLine = { text: string; detail: string; tone: "good" | "busy" | "bad" };

function serverLine(isReachable: State["isReachable"], pipeline: State["pipeline"]): ServerLine {
  if (isReachable === undefined) return { text: "Looking", detail: "for the server", tone: "busy" };
  if (!isReachable) return { text: "No answer", detail: "from the server", tone: "bad" };
  switch (pipeline?.status) {
    case "loaded":
      return { text: pipeline.model ?? pipeline.pipeline ?? "Ready", detail: sizeText(pipeline.size), tone: "good" };
    case "error":
      return { text: "Failed", detail: "to load the model", tone: "bad" };
    default:
      return { text: "Loading", detail: "the model", tone: "busy" };
  }
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
